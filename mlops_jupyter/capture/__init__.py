"""How cells, values, files, random state and ambient state enter the record."""
