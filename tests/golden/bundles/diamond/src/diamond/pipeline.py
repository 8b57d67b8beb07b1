"""The pipeline 'diamond' as data: its steps and what flows between them."""

from diamond.runtime.model.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="diamond",
    package="diamond",
    parameters={"size": 4, "factor": 2},
    steps=(
        Step(
            name="load",
            function="diamond.steps.load:load",
            version="2ccacb16394bf8e787372f9aaca8ad91",
            source="151285ca95849bf54da2e4b75b4db2b9",
            outputs=(("rows",),),
            parameters=("size",),
        ),
        Step(
            name="left",
            function="diamond.steps.left:left",
            version="71c9aa5ba29f44ad2b1215e3f11d2665",
            source="44ccc966ef78476185f6563bafd34931",
            inputs={"rows": "load"},
            outputs=(("left",),),
            parameters=("factor",),
        ),
        Step(
            name="right",
            function="diamond.steps.right:right",
            version="8b1b544e8896e3cb4e21586b96862bf2",
            source="312daa113607d1882dec24c45f752964",
            inputs={"rows": "load"},
            outputs=(("right",),),
        ),
        Step(
            name="join",
            function="diamond.steps.join:join",
            version="89fbf743b8e45bdfbc1a00f54bd8225f",
            source="900b258247ea79fb5d4334663220e32e",
            inputs={"left": "left", "right": "right"},
            outputs=(("score",),),
        ),
    ),
    outputs={"score": "join"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
