"""The pipeline 'diamond' as data: its steps and what flows between them."""

from diamond.runtime.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="diamond",
    package="diamond",
    parameters={"size": 4, "factor": 2},
    steps=(
        Step(
            name="load",
            function="diamond.steps.load:load",
            version="2ccacb16394bf8e787372f9aaca8ad91",
            source="d8bb757db157fbc04ba6fb993298b143",
            outputs=(("rows",),),
            parameters=("size",),
        ),
        Step(
            name="left",
            function="diamond.steps.left:left",
            version="71c9aa5ba29f44ad2b1215e3f11d2665",
            source="9aae9f47c5fda75446ed9388a24f75af",
            inputs={"rows": "load"},
            outputs=(("left",),),
            parameters=("factor",),
        ),
        Step(
            name="right",
            function="diamond.steps.right:right",
            version="8b1b544e8896e3cb4e21586b96862bf2",
            source="1b8015b6e426277bddafe474a8460363",
            inputs={"rows": "load"},
            outputs=(("right",),),
        ),
        Step(
            name="join",
            function="diamond.steps.join:join",
            version="89fbf743b8e45bdfbc1a00f54bd8225f",
            source="2b18369fc656bc8b5b992ad45a3a4800",
            inputs={"left": "left", "right": "right"},
            outputs=(("score",),),
        ),
    ),
    outputs={"score": "join"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
