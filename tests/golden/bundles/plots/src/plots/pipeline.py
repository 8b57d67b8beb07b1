"""The pipeline 'plots' as data: its steps and what flows between them."""

from plots.runtime.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="plots",
    package="plots",
    parameters={},
    steps=(
        Step(
            name="signal",
            function="plots.steps.signal:signal",
            version="cf510dc6d70c5e12c8a3e2208d2fe61d",
            source="223cdc525f526ee15e915a746b441833",
            outputs=(("signal",),),
            packages=("numpy", "pandas"),
        ),
        Step(
            name="look_at_it",
            function="plots.steps.look_at_it:look_at_it",
            version="c31541215522d73c6fe21fde93f69105",
            source="b4989c9e1b0087375b88a839256935d3",
            inputs={"signal": "signal"},
            packages=("matplotlib",),
        ),
        Step(
            name="peak",
            function="plots.steps.peak:peak",
            version="053624fd5aa51351e55a1729c6492e8c",
            source="8221aeb4b309a8097543e89559a6feda",
            inputs={"signal": "signal"},
            outputs=(("highest",),),
        ),
    ),
    outputs={"highest": "peak"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg", "FIGURES_STAY_OPEN": "1"},
)
