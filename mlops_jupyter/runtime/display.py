"""What `display` of a notebook does in a step: the text of each value goes to the step's log."""

from __future__ import annotations


def display(*values: object, **options: object) -> None:
    """Print the values. The options (`display_id`, `raw`, ...) are the front end's and do nothing here."""
    for value in values:
        print(value)
