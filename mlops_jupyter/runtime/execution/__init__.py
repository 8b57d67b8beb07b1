"""Execution of a run: which step is next, what the cache holds, what is recorded."""
