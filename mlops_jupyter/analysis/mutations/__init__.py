"""What code may change in place on some path through it, whether or not it did on the day of recording."""
