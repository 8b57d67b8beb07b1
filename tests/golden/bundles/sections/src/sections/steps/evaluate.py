from sklearn.metrics import accuracy_score


def evaluate(forest, X_test, y_test):
    """Evaluate."""
    predicted = forest.predict(X_test)
    accuracy = accuracy_score(y_test, predicted)
    print(f"accuracy: {accuracy:.3f}")
    return accuracy
