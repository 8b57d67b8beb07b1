"""One step in its own process: its environment, its function, its outputs."""
