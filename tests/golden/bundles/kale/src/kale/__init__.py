"""kale: a pipeline made from a notebook."""
