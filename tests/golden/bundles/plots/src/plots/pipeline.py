"""The pipeline 'plots' as data: its steps and what flows between them."""

from plots.runtime.model.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="plots",
    package="plots",
    parameters={},
    steps=(
        Step(
            name="signal",
            function="plots.steps.signal:signal",
            version="22f4dad750d827c97ddbe5940467ed2b",
            source="e1297c9f6eb5a24f6ff245f403ed85d9",
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
            version="70004b254d7733e4cd23897842a76da0",
            source="25906aac39ad57833306d030fad48d00",
            inputs={"signal": "signal"},
            outputs=(("highest",),),
        ),
    ),
    outputs={"highest": "peak"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg", "FIGURES_STAY_OPEN": "1"},
)
