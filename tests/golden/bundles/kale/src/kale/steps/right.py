from kale.definitions import scaled


def right(values):
    right = scaled(values[::-1], 1)
    return right
