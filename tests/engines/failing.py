"""A pipeline whose second step always fails, and one who takes down what is told of it."""

from __future__ import annotations

from mlops_jupyter.core.plan import Parameter, Plan, PlanStep, Resources

FAILING = Plan(
    name="Mini",
    package="mini",
    steps=(
        PlanStep("first", "1", "def first(n):\n    return n\n", outputs=(("a",),), parameters=("n",)),
        PlanStep(
            "again",
            "2",
            "from pathlib import Path\n\n\n"
            "def again(a):\n"
            '    tried = Path("../../tried")\n'
            '    tried.write_text((tried.read_text() if tried.exists() else "") + "x")\n'
            '    raise ValueError("no luck")\n',
            inputs={"a": "first"},
            outputs=(("b",),),
            resources=Resources(retries=2),
        ),
    ),
    parameters=(Parameter("n", 1),),
    outputs={"b": "again"},
    secrets=("ALERT_URL",),
    alert="ALERT_URL",
)
"""Its step `again` writes an x into the store, in a file `tried`, each time it is tried."""
