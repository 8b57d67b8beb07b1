"""Words of a text."""


def words_of(path):
    """Return them in lower case."""
    return path.read_text().lower().split()
