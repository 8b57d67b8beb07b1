"""What looks at a cell at both of its borders: each tells what it saw the cell read and write."""
