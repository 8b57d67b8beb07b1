"""Source text as a syntax tree, and small questions about its nodes."""
