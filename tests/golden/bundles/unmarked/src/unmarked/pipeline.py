"""The pipeline 'unmarked' as data: its steps and what flows between them."""

from unmarked.runtime.model.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="unmarked",
    package="unmarked",
    parameters={},
    steps=(
        Step(
            name="load",
            function="unmarked.steps.load:load",
            version="75cfa9d4283a5897e65629be8e6ded4b",
            source="c8a2086f82dcce17ba45858d70427246",
            inputs={"~file:homes.csv": ""},
            outputs=(("homes",),),
            packages=("pandas",),
        ),
        Step(
            name="prepare",
            function="unmarked.steps.prepare:prepare",
            version="d97b8303633b75bc67db15801328c357",
            source="ee6274517fb0aaccc4f696af89725c58",
            inputs={"homes": "load"},
            outputs=(("homes",),),
        ),
        Step(
            name="train",
            function="unmarked.steps.train:train",
            version="fd3cee1b51d1d0261ed5fdae93b08daa",
            source="a8e2011931ce696238a04fdb9d27640e",
            inputs={"homes": "prepare"},
            outputs=(("model",),),
            packages=("sklearn",),
        ),
        Step(
            name="evaluate",
            function="unmarked.steps.evaluate:evaluate",
            version="e7474750319b5c118cf6e2f8d436a210",
            source="44f69404c7fd69e88c2fe0d94db2ecfc",
            inputs={"model": "train", "homes": "prepare"},
            outputs=(("score",), ("slope",)),
        ),
    ),
    outputs={"score": "evaluate", "slope": "evaluate"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
