"""Storage of results: atomic writes, backends, content-addressed objects, and the store of runs."""
