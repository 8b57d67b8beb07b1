from sklearn.ensemble import RandomForestClassifier


def train(X_train, y_train, n_estimators=20):
    """Train.

    Twenty trees are enough.
    """
    forest = RandomForestClassifier(n_estimators=n_estimators, random_state=4)
    forest.fit(X_train, y_train)
    return forest
