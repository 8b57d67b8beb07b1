"""The pipeline 'kale' as data: its steps and what flows between them."""

from kale.runtime.model.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="kale",
    package="kale",
    parameters={"size": 5, "factor": 2.0},
    steps=(
        Step(
            name="load",
            function="kale.steps.load:load",
            version="a89939be98d746b2649aa0a05198eee0",
            source="4120eadcb52783c2c788c6283467bd2c",
            outputs=(("values",),),
            parameters=("size",),
            packages=("numpy",),
        ),
        Step(
            name="left",
            function="kale.steps.left:left",
            version="2377b9fa866058c0d62f56839cb74be5",
            source="87217e2366fc440bb22a91fb6fa6dc41",
            inputs={"values": "load"},
            outputs=(("left",),),
            parameters=("factor",),
            after=("load",),
        ),
        Step(
            name="right",
            function="kale.steps.right:right",
            version="a04d5ba5a488c71171cf3eac1e62a3fa",
            source="c0565df4e74115bffb18ccfb329eec14",
            inputs={"values": "load"},
            outputs=(("right",),),
            after=("load",),
        ),
        Step(
            name="join",
            function="kale.steps.join:join",
            version="6f013f926aef122367f993abfe627535",
            source="c7229b76caa88e3bb397c87592363d24",
            inputs={"left": "left", "right": "right"},
            outputs=(("level",), ("spread",)),
            after=("left", "right"),
        ),
        Step(
            name="pipeline_metrics",
            function="kale.steps.pipeline_metrics:pipeline_metrics",
            version="e0e98e7e1b4814e0be98370346e999aa",
            source="902c39813cfc60d8cd2a53825a6ab476",
            inputs={"spread": "join"},
            always=True,
        ),
    ),
    outputs={"level": "join"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
