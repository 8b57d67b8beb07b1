def use(box, draw):
    """Use."""

    def total(scale=1):
        return sum(box["values"]) * scale + bonus

    bonus = 5
    result = total() + float(draw.sum())
    return bonus, result
