"""Which executions a pipeline keeps, and which it must refuse."""
