"""Records and exceptions that all rooms share, and pure functions over them. Standard library only."""
