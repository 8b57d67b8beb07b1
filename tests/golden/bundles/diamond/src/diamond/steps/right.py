def right(rows):
    right = [r + 10 for r in rows]
    return right
