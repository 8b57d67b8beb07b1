from sklearn.linear_model import LinearRegression


def train(homes):
    model = LinearRegression()
    model.fit(homes[["area"]], homes["price"])
    return model
