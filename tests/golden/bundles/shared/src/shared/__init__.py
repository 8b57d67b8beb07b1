"""shared: a pipeline made from a notebook."""
