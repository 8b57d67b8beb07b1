"""Functions and classes that several steps use."""


def scaled(values, by):
    """Values over their largest, times a factor."""
    return values / values.max() * by
