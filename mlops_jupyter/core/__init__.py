"""Words of the house and pure functions over them. Standard library only."""
