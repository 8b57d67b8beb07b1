"""The pipeline 'series' as data: its steps and what flows between them."""

from series.runtime.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="series",
    package="series",
    parameters={},
    steps=(
        Step(
            name="setup",
            function="series.steps.setup:setup",
            version="e980b3454961b06241219f8674ea291f",
            source="ee1b42f25246647ca5d6d685088bd2e5",
            outputs=(("rng",), ("~pandas.options",)),
            packages=("numpy", "pandas"),
        ),
        Step(
            name="load",
            function="series.steps.load:load",
            version="38f6b40a695f55ce4df0fca3116bf174",
            source="4f495a3aaaf07dd9e0c450d7c04af75c",
            inputs={"rng": "setup", "~pandas.options": "setup"},
            outputs=(("sales",),),
            packages=("numpy", "pandas"),
        ),
        Step(
            name="fit",
            function="series.steps.fit:fit",
            version="1e11a9648f43a9fe16f867bcfaa8dbb8",
            source="5a431432c7ed5f63789093f49fefcfd8",
            inputs={"sales": "load", "~pandas.options": "setup"},
            outputs=(("level",), ("trend",)),
            packages=("numpy",),
        ),
        Step(
            name="forecast",
            function="series.steps.forecast:forecast",
            version="c387f9a2d2f93878bfa6d3c1f8e7f82c",
            source="6db8058d65a195b2b520e5d6bd78faea",
            inputs={"trend": "fit", "~pandas.options": "setup"},
            outputs=(("week",),),
        ),
    ),
    outputs={"week": "forecast", "level": "fit"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
