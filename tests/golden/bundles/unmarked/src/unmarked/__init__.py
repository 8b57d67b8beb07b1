"""unmarked: a pipeline made from a notebook."""
