def evaluate(model, homes):
    score = model.score(homes[["area"]], homes["price"])
    slope = float(model.coef_[0])
    return score, slope
