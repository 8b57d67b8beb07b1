"""What the text of a cell says of names: reads, writes, definitions, imports."""
