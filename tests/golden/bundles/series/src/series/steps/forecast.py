def forecast(trend):
    """Forecast."""
    forecast = [trend.at(day) for day in range(60, 67)]
    week = sum(forecast)
    return week
