"""One run: its bundle in a process of its own, what becomes of that, and the end of all that it started."""
