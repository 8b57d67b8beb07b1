"""series: a pipeline made from a notebook."""
