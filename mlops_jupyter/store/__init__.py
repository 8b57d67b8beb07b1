"""What is kept in `.mlops/`: the ledger (facts, by query) and the objects (bytes, by content)."""
