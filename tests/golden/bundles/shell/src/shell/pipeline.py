"""The pipeline 'shell' as data: its steps and what flows between them."""

from shell.runtime.model.pipeline import Pipeline, Step

PIPELINE = Pipeline(
    name="shell",
    package="shell",
    parameters={},
    steps=(
        Step(
            name="fetch",
            function="shell.steps.fetch:fetch",
            version="3f7f73227e09b5a25233bd5c4cebb91a",
            source="7e48db86503bac9e61ebeafdb6993922",
            outputs=(("folder",), ("~file:texts/a.txt",), ("~file:texts/b.txt",)),
            volatile=(
                'runs another program: `subprocess.run(f"mkdir -p {folder}", shell=True, check=True)`',
                "runs another program: `subprocess.run(f\"echo 'one two two' > {folder}/a.txt\", shell=True, check=True)`",
                "runs another program: `subprocess.run( …`",
            ),
        ),
        Step(
            name="count",
            function="shell.steps.count:count",
            version="00a1538cc42a395559144a389ff36316",
            source="a7b168b6e1641489908360901bd757f8",
            inputs={"folder": "fetch", "~file:texts/a.txt": "fetch", "~file:texts/b.txt": "fetch"},
            outputs=(("names",), ("words",), ("~environ:LC_ALL",)),
            volatile=("runs another program: `subprocess.run( …`",),
        ),
        Step(
            name="report",
            function="shell.steps.report:report",
            version="2c3858573d9ee63e65eec87c91ce7a89",
            source="673a26408cee60b47895943e0f8b0057",
            inputs={"words": "count", "~environ:LC_ALL": "count"},
            outputs=(("top",), ("length",)),
        ),
    ),
    outputs={"names": "count", "length": "report", "top": "report"},
    environment={"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg"},
)
