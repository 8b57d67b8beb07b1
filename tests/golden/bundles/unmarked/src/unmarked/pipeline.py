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
            source="c8f616cdf3759405ec49736aa2fc9fd5",
            inputs={"~file:homes.csv": ""},
            outputs=(("homes",),),
            packages=("pandas",),
        ),
        Step(
            name="prepare",
            function="unmarked.steps.prepare:prepare",
            version="d97b8303633b75bc67db15801328c357",
            source="269af08c32d0716389003c35b4aa75fd",
            inputs={"homes": "load"},
            outputs=(("homes",),),
        ),
        Step(
            name="train",
            function="unmarked.steps.train:train",
            version="fd3cee1b51d1d0261ed5fdae93b08daa",
            source="3f9a6e6eb3cfbea0f4dd990b074d36b7",
            inputs={"homes": "prepare"},
            outputs=(("model",),),
            packages=("sklearn",),
        ),
        Step(
            name="evaluate",
            function="unmarked.steps.evaluate:evaluate",
            version="e7474750319b5c118cf6e2f8d436a210",
            source="1677006b008203351e2f8eb1a0ce4b36",
            inputs={"model": "train", "homes": "prepare"},
            outputs=(("score",), ("slope",)),
        ),
    ),
    outputs={"score": "evaluate", "slope": "evaluate"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
