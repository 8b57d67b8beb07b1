def prepare(homes):
    # price per square metre
    homes["rate"] = homes["price"] / homes["area"]
    homes = homes[homes["rate"] < 10]
    return homes
