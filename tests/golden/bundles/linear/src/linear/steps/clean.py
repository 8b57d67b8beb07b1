from linear.runtime.step.display import display


def clean(days):
    """Clean."""
    # a missing reading was a dry day
    days["rain"] = days["rain"].fillna(0.0)
    display(days.head())
    return days
