"""The environment of the steps: requirements, their lock, and local modules."""
