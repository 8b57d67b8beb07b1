import matplotlib.pyplot as plt


def look_at_it(signal):
    """Look at it.

    One period of a sine.
    """
    fig, ax = plt.subplots()
    ax.plot(signal["time"], signal["value"])
    ax.set_xlabel("time")
    plt.show()

    plt.hist(signal["value"])
    plt.title("values")
