"""linear: a pipeline made from a notebook."""
