from sklearn.model_selection import train_test_split


def prepare(flowers):
    """Prepare."""
    # the last quarter is for the test
    X = flowers.drop(columns="target")
    y = flowers["target"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=4)
    return X_train, X_test, y_train, y_test
