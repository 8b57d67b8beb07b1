"""The pipeline 'unmarked' as data: its steps and what flows between them."""

from unmarked.runtime.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="unmarked",
    package="unmarked",
    parameters={},
    steps=(
        Step(
            name="load",
            function="unmarked.steps.load:load",
            version="75cfa9d4283a5897e65629be8e6ded4b",
            inputs={"~file:homes.csv": ""},
            outputs=(("homes",),),
            packages=("pandas",),
        ),
        Step(
            name="prepare",
            function="unmarked.steps.prepare:prepare",
            version="d97b8303633b75bc67db15801328c357",
            inputs={"homes": "load"},
            outputs=(("homes",),),
        ),
        Step(
            name="train",
            function="unmarked.steps.train:train",
            version="fd3cee1b51d1d0261ed5fdae93b08daa",
            inputs={"homes": "prepare"},
            outputs=(("model",),),
            packages=("sklearn",),
        ),
        Step(
            name="evaluate",
            function="unmarked.steps.evaluate:evaluate",
            version="e7474750319b5c118cf6e2f8d436a210",
            inputs={"model": "train", "homes": "prepare"},
            outputs=(("score",), ("slope",)),
        ),
    ),
    outputs={"score": "evaluate", "slope": "evaluate"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
