"""One run of a pipeline: which step is next, what the cache holds, what is recorded."""
