"""How two values differ: the first place where they part, or by how little. Door: `compare.py`."""
