from kale.definitions import scaled


def left(values, factor=2.0):
    left = scaled(values, factor)
    return left
