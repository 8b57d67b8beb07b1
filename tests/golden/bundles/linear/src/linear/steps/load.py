import pandas as pd


def load():
    """Load.

    The station's readings, one row a day.
    """
    days = pd.DataFrame({"day": range(6), "rain": [0, 3.5, None, 1, 0, 2]})
    return days
