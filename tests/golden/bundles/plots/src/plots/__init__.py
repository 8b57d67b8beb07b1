"""plots: a pipeline made from a notebook."""
