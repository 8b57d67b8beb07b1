"""Check an installation and a project, and say what is wrong and what to do."""
