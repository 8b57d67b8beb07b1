"""sections: a pipeline made from a notebook."""
