"""Select the executions that a pipeline keeps, and refuse those that a bundle cannot repeat."""
