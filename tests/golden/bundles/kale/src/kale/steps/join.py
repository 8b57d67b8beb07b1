def join(left, right):
    # together they are level
    level = left + right

    spread = float(level.max() - level.min())
    return level, spread
