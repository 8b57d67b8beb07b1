"""The pipeline 'series' as data: its steps and what flows between them."""

from series.runtime.model.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="series",
    package="series",
    parameters={},
    steps=(
        Step(
            name="setup",
            function="series.steps.setup:setup",
            version="e980b3454961b06241219f8674ea291f",
            source="95e1f203c012a2295ca22814afe36a08",
            outputs=(("rng",), ("~pandas.options",)),
            packages=("numpy", "pandas"),
        ),
        Step(
            name="load",
            function="series.steps.load:load",
            version="38f6b40a695f55ce4df0fca3116bf174",
            source="65fc1d71be7750d0676f6834aa85dbf9",
            inputs={"rng": "setup", "~pandas.options": "setup"},
            outputs=(("sales",),),
            packages=("numpy", "pandas"),
        ),
        Step(
            name="fit",
            function="series.steps.fit:fit",
            version="1e11a9648f43a9fe16f867bcfaa8dbb8",
            source="fb9ea368121e5993ef2432a63f4b5f39",
            inputs={"sales": "load", "~pandas.options": "setup"},
            outputs=(("level",), ("trend",)),
            packages=("numpy",),
        ),
        Step(
            name="forecast",
            function="series.steps.forecast:forecast",
            version="c387f9a2d2f93878bfa6d3c1f8e7f82c",
            source="e594443a1def6b2d0c07c5e666a771d3",
            inputs={"trend": "fit", "~pandas.options": "setup"},
            outputs=(("week",),),
        ),
    ),
    outputs={"week": "forecast", "level": "fit"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
