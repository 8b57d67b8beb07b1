"""What several targets need to write a plan in their languages, so that no text of it is read as code."""
