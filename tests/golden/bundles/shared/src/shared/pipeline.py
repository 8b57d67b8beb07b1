"""The pipeline 'shared' as data: its steps and what flows between them."""

from shared.runtime.model.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="shared",
    package="shared",
    parameters={},
    steps=(
        Step(
            name="start",
            function="shared.steps.start:start",
            version="6541eade28d5b1486cfa6e70d6442ad0",
            source="8bf7c6239e4d9653c54644f546ebbcd3",
            inputs={"~numpy.random": ""},
            outputs=(("box", "values"), ("~numpy.random",)),
            packages=("numpy",),
        ),
        Step(
            name="change",
            function="shared.steps.change:change",
            version="f4d770b222d9ad2b4cf5da9b7c98d3b1",
            source="c0b6aaf776c08ccf26753069097de96b",
            inputs={"values": "start", "box": "start", "~numpy.random": "start"},
            outputs=(("values",), ("draw",), ("box",)),
            packages=("numpy",),
        ),
        Step(
            name="use",
            function="shared.steps.use:use",
            version="f65d72f35c16b8157c056b3d37d65fbf",
            source="d3834bf8bfd0ab155e691c65c3bda34b",
            inputs={"box": "change", "draw": "change"},
            outputs=(("bonus",), ("result",)),
        ),
        Step(
            name="use_again",
            function="shared.steps.use_again:use_again",
            version="2ce7263a45fa1a739831bf8481ad241e",
            source="9328d5d395be626a1c1f2afb96d35259",
            inputs={"box": "change", "bonus": "use"},
            outputs=(("bonus",), ("again",)),
        ),
    ),
    outputs={"values": "change", "bonus": "use_again", "result": "use", "again": "use_again"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
