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
            source="9cf84ac5f88420cc20923bd4f8915767",
            outputs=(("signal",),),
            packages=("numpy", "pandas"),
        ),
        Step(
            name="look_at_it",
            function="plots.steps.look_at_it:look_at_it",
            version="c31541215522d73c6fe21fde93f69105",
            source="e5f7a49f873aa0034d41bafabec0f42c",
            inputs={"signal": "signal"},
            packages=("matplotlib",),
        ),
        Step(
            name="peak",
            function="plots.steps.peak:peak",
            version="5f16ad608b5ac86b1529e522dfca3e59",
            source="786cad51c849a7f657279d06a9ba13a7",
            inputs={"signal": "signal"},
            outputs=(("highest",),),
        ),
    ),
    outputs={"highest": "peak"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg", "FIGURES_STAY_OPEN": "1"},
)
