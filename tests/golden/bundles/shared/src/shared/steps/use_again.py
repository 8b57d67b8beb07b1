def use_again(box, bonus):
    """Use again."""

    def total(scale=1):
        return sum(box["values"]) * scale + bonus

    bonus = 6
    again = total(2)
    return bonus, again
