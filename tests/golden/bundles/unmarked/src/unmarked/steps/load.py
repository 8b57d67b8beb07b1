import pandas as pd


def load():
    homes = pd.read_csv("homes.csv")
    return homes
