"""What an author declares of a step: `%%pipeline NAME --in a,b --out c`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import export

LOAD = "%%pipeline load --out rows\nrows = [1, 2]\nscratch = 3"


def test_out_names_all_that_a_step_gives(tmp_path: Path) -> None:
    answer = export(tmp_path, [LOAD, "%%pipeline total\ntotal = sum(rows)"], None)
    assert "fault" not in answer, answer
    plan = yaml.safe_load((tmp_path / "out" / "pipeline.yaml").read_text())
    assert [step["outputs"] for step in plan["steps"]] == [["rows"], ["total"]]
    assert list(plan["outputs"]) == ["total"]
    assert verify(tmp_path / "out").status == "identical"


def test_in_names_what_cannot_be_seen(tmp_path: Path) -> None:
    hidden = "%%pipeline total --in rows\nkey = 'ro' + 'ws'\ntotal = sum(globals()[key])"
    answer = export(tmp_path, ["%%pipeline load\nrows = [1, 2]", hidden], ["total"])
    assert "fault" not in answer, answer
    proof = verify(tmp_path / "out")
    assert (proof.status, proof.steps) == ("identical", 2)


def test_a_parameter_is_the_steps_own_also_where_it_has_the_value_that_was_there(tmp_path: Path) -> None:
    """Binding it binds it anew: neither this step nor a later one takes what an earlier cell had made of the name."""
    use = "%%pipeline use --params n=3\nrows = list(range(n))"
    answer = export(
        tmp_path, ["%%pipeline load\nn = 3\nbefore = n", use, "%%pipeline last\nsaid = n + len(rows)"], None
    )
    assert "fault" not in answer, answer
    plan = yaml.safe_load((tmp_path / "out" / "pipeline.yaml").read_text())
    steps = {step["name"]: (step["inputs"], step["parameters"]) for step in plan["steps"]}
    assert steps["use"] == ({}, ["n"])
    assert steps["last"] == ({"rows": "use"}, ["n"])
    assert verify(tmp_path / "out").status == "identical"


REFUSED = {
    "another step takes more": (
        [LOAD, "%%pipeline total\ntotal = sum(rows) + scratch"],
        None,
        "step 'total' takes 'scratch' from step 'load', whose --out leaves it out: add it there",
    ),
    "the output asked for is left out": ([LOAD], ["scratch"], "'scratch' is not among what --out of step 'load' names"),
}


@pytest.mark.parametrize(("cells", "outputs", "line"), REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path: Path, cells: list[str], outputs: list[str] | None, line: str) -> None:
    answer = export(tmp_path, cells, outputs)
    assert line in answer["fault"]
    assert not (tmp_path / "out").exists()
