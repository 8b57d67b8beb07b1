from sklearn.datasets import load_iris

from sections.runtime.step.display import display


def load_the_data():
    """Load the data.

    Four measures of 150 flowers.
    """
    iris = load_iris(as_frame=True)
    flowers = iris.frame
    display(flowers.head())

    flowers.columns = [name.split(" (")[0].replace(" ", "_") for name in flowers.columns]
    return flowers
