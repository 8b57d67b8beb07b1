"""The pipeline 'linear' as data: its steps and what flows between them."""

from linear.runtime.pipeline import Pipeline, Step

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
            version="cf176d1175bced0369fe1dcefae344de",
            source="5c2b8deecae828ddf40422474ca3a791",
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
