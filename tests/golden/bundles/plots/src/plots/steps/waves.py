import matplotlib


def waves():
    """Waves."""
    matplotlib.use("Agg")
