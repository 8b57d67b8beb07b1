"""Looks at an installation and a project, and says what is wrong and what to do."""
