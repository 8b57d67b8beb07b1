"""Files that the notebook ran."""
