from plots.runtime.step.display import display


def peak(signal):
    """Peak?"""
    peak = signal.loc[signal["value"].idxmax()]
    display(signal.tail(3))
    highest = float(peak["value"])
    return highest
