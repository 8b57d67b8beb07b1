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
            source="f1d1f20a76c5a25addf0bb093c479fa3",
            outputs=(("days",),),
            packages=("pandas",),
        ),
        Step(
            name="clean",
            function="linear.steps.clean:clean",
            version="cf176d1175bced0369fe1dcefae344de",
            source="4a1ca67b249a32b045a9d027ed1c3f09",
            inputs={"days": "load"},
            outputs=(("days",),),
        ),
        Step(
            name="summarise",
            function="linear.steps.summarise:summarise",
            version="9ef357027b9b2138c8426f51187baaea",
            source="f0491074b696d290382cd90fc085c614",
            inputs={"days": "clean"},
            outputs=(("total",), ("wet_days",)),
        ),
    ),
    outputs={"total": "summarise", "wet_days": "summarise"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
