"""The pipeline 'shell' as data: its steps and what flows between them."""

from shell.runtime.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="shell",
    package="shell",
    parameters={},
    steps=(
        Step(
            name="fetch",
            function="shell.steps.fetch:fetch",
            version="3f7f73227e09b5a25233bd5c4cebb91a",
            source="1a64f59f07bf15c94c3ae0dc5a11f19e",
            outputs=(("folder",), ("~file:texts/a.txt",), ("~file:texts/b.txt",)),
        ),
        Step(
            name="count",
            function="shell.steps.count:count",
            version="00a1538cc42a395559144a389ff36316",
            source="addbc9c7c65d3e7b21628456a30d5709",
            inputs={"folder": "fetch", "~file:texts/a.txt": "fetch", "~file:texts/b.txt": "fetch"},
            outputs=(("names",), ("words",), ("~environ:LC_ALL",)),
        ),
        Step(
            name="report",
            function="shell.steps.report:report",
            version="2c3858573d9ee63e65eec87c91ce7a89",
            source="5e619ebc8b47b0c051a17cdcfd8e9481",
            inputs={"words": "count", "~environ:LC_ALL": "count"},
            outputs=(("top",), ("length",)),
        ),
    ),
    outputs={"names": "count", "length": "report", "top": "report"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
