"""The pipeline 'kale' as data: its steps and what flows between them."""

from kale.runtime.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="kale",
    package="kale",
    parameters={"size": 5, "factor": 2.0},
    steps=(
        Step(
            name="load",
            function="kale.steps.load:load",
            version="a89939be98d746b2649aa0a05198eee0",
            source="aeadd5b4b9c12ba93625935f5cfd0b44",
            outputs=(("values",),),
            parameters=("size",),
            packages=("numpy",),
        ),
        Step(
            name="left",
            function="kale.steps.left:left",
            version="2377b9fa866058c0d62f56839cb74be5",
            source="290cd6885267e0e36c27c7b511414ac6",
            inputs={"values": "load"},
            outputs=(("left",),),
            parameters=("factor",),
            after=("load",),
        ),
        Step(
            name="right",
            function="kale.steps.right:right",
            version="a04d5ba5a488c71171cf3eac1e62a3fa",
            source="d7af4cbfdc3cd41e74cd80d0de598ac1",
            inputs={"values": "load"},
            outputs=(("right",),),
            after=("load",),
        ),
        Step(
            name="join",
            function="kale.steps.join:join",
            version="6f013f926aef122367f993abfe627535",
            source="152a646a56e680456fe471944c631cc7",
            inputs={"left": "left", "right": "right"},
            outputs=(("level",), ("spread",)),
            after=("left", "right"),
        ),
        Step(
            name="pipeline_metrics",
            function="kale.steps.pipeline_metrics:pipeline_metrics",
            version="e0e98e7e1b4814e0be98370346e999aa",
            source="defdde47f0402889dbca01c107633544",
            inputs={"spread": "join"},
            always=True,
        ),
    ),
    outputs={"level": "join"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
