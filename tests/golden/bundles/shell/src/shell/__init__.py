"""shell: a pipeline made from a notebook."""
