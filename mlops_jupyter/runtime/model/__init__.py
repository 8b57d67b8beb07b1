"""The small things that the rooms of a run speak of, each defined once."""
