from kale.runtime.tracking import log_metrics


def pipeline_metrics(spread):
    print(spread)
    log_metrics(spread=spread)
