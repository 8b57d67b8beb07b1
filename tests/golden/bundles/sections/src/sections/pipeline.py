"""The pipeline 'sections' as data: its steps and what flows between them."""

from sections.runtime.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="sections",
    package="sections",
    parameters={"n_estimators": 20},
    steps=(
        Step(
            name="load_the_data",
            function="sections.steps.load_the_data:load_the_data",
            version="ed5bcaa58242c0e73b6a991c7ca9177b",
            source="4869b442f7e9a526eb760401434f83e7",
            outputs=(("flowers",),),
            packages=("sklearn",),
        ),
        Step(
            name="prepare",
            function="sections.steps.prepare:prepare",
            version="0cee6e7f39ca790ecd810d2b31817444",
            source="1eace960a1983d25206d22a4b79e4806",
            inputs={"flowers": "load_the_data"},
            outputs=(("X_train",), ("X_test",), ("y_train",), ("y_test",)),
            packages=("sklearn",),
        ),
        Step(
            name="train",
            function="sections.steps.train:train",
            version="08dead33df81aa027616032f288651d8",
            source="16673a803910b8217297a4e968e4f932",
            inputs={"X_train": "prepare", "y_train": "prepare"},
            outputs=(("forest",),),
            parameters=("n_estimators",),
            packages=("sklearn",),
        ),
        Step(
            name="evaluate",
            function="sections.steps.evaluate:evaluate",
            version="f30d63a9cdf41c38efea60aef9c61204",
            source="edb682e680baa22285e26831dc55342f",
            inputs={"forest": "train", "X_test": "prepare", "y_test": "prepare"},
            outputs=(("accuracy",),),
            packages=("sklearn",),
        ),
    ),
    outputs={"accuracy": "evaluate"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
