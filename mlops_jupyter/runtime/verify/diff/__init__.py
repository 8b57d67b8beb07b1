"""How two values differ: the first place where they do, or by how little. `compare.py`, one folder up, uses it."""
