"""The pipeline 'sections' as data: its steps and what flows between them."""

from sections.runtime.model.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="sections",
    package="sections",
    parameters={"n_estimators": 20},
    steps=(
        Step(
            name="load_the_data",
            function="sections.steps.load_the_data:load_the_data",
            version="9d140ed04d38c57c65f3165cb6ca52a3",
            source="bd11dc60b915068ef7703a3b245cc454",
            outputs=(("flowers",),),
            packages=("sklearn",),
        ),
        Step(
            name="prepare",
            function="sections.steps.prepare:prepare",
            version="0cee6e7f39ca790ecd810d2b31817444",
            source="8e69d2dbed90298dfa4a2741c4a213fe",
            inputs={"flowers": "load_the_data"},
            outputs=(("X_train",), ("X_test",), ("y_train",), ("y_test",)),
            packages=("sklearn",),
        ),
        Step(
            name="train",
            function="sections.steps.train:train",
            version="08dead33df81aa027616032f288651d8",
            source="dedefda3a9fdf2274e5c71d8eebc46ea",
            inputs={"X_train": "prepare", "y_train": "prepare"},
            outputs=(("forest",),),
            parameters=("n_estimators",),
            packages=("sklearn",),
        ),
        Step(
            name="evaluate",
            function="sections.steps.evaluate:evaluate",
            version="f30d63a9cdf41c38efea60aef9c61204",
            source="7b1eb33445e06cec6ff555307cc9ae6f",
            inputs={"forest": "train", "X_test": "prepare", "y_test": "prepare"},
            outputs=(("accuracy",),),
            packages=("sklearn",),
        ),
    ),
    outputs={"accuracy": "evaluate"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
