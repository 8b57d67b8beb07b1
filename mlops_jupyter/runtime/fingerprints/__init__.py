"""How values are told apart: walked, hashed, taken to pieces, and which objects they reach.

`fingerprint.py` and `compare.py`, one folder up, are the doors; the rest of the package calls those.
"""
