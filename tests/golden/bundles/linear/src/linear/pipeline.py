"""The pipeline 'linear' as data: its steps and what flows between them."""

from linear.runtime.model.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="linear",
    package="linear",
    parameters={},
    steps=(
        Step(
            name="load",
            function="linear.steps.load:load",
            version="9361f2e705b7b2054f4658490a10bafd",
            source="8f4547f55aa68eea5069675dd6ef296a",
            outputs=(("days",),),
            packages=("pandas",),
        ),
        Step(
            name="clean",
            function="linear.steps.clean:clean",
            version="70ef67b7d9d5c0a63d7f7b5f85b72fe2",
            source="c639f6cc3003614706bb35261d140e54",
            inputs={"days": "load"},
            outputs=(("days",),),
        ),
        Step(
            name="summarise",
            function="linear.steps.summarise:summarise",
            version="9ef357027b9b2138c8426f51187baaea",
            source="0480662682eac88a946c330cc8a984d4",
            inputs={"days": "clean"},
            outputs=(("total",), ("wet_days",)),
        ),
    ),
    outputs={"total": "summarise", "wet_days": "summarise"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
