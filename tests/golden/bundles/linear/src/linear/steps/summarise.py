def wet(frame):
    """Days with rain."""
    return int((frame["rain"] > 0).sum())


def summarise(days):
    """Summarise.

    How much fell, and on how many days.
    """
    total = float(days["rain"].sum())
    wet_days = wet(days)
    return total, wet_days
