"""diamond: a pipeline made from a notebook."""
