def report(words):
    """Report."""
    top = words.most_common(1)[0]
    length = sum(words.values())
    return top, length
