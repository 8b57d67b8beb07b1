"""The ledger in `.mlops/`: executions, runs and the courier's outbox in SQLite; locks and identities of processes."""
