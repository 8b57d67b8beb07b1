def left(rows, factor=2):
    left = [r * factor for r in rows]
    return left
