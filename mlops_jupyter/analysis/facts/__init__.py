"""Facts of a cell from its text: the names that it reads and binds, its definitions and imports."""
