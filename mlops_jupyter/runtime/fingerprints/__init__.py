"""Fingerprints of values: the walk over a value, a digest for each type, and the mutable objects that a value reaches.

`fingerprint.py` is the entry point. `registry.py` finds the handler that computes the digest of a type.
"""
