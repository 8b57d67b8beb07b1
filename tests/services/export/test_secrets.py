"""What looks like a secret is refused as a parameter, and named where a step holds it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Parameter, Plan, PlanStep
from mlops_jupyter.services.export import secrets
from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import export

REFUSED = [
    ("password", "hunter2"),
    ("db_password", "hunter2"),
    ("API_KEY", "abc"),
    ("apikey", "abc"),
    ("token2", "abc"),
    ("address", "postgresql://me:hunter2@db/x"),
    ("note", "AKIA" + "A" * 16),
    ("options", {"user": "me", "secret": "abc"}),
    ("many", ["ghp_" + "a" * 36]),
    ("key", "-----BEGIN RSA PRIVATE KEY-----\nabc"),
]
TAKEN = [
    ("password", ""),
    ("password", "changeme"),
    ("tokens", "word"),
    ("max_tokens", 5),
    ("keyword", "abc"),
    ("secretary", "Ann"),
    ("address", "postgresql://db/x"),
    ("token", None),
    ("key", "customer_id"),
]


def plan(parameter: Parameter) -> Plan:
    return Plan("churn", "churn", (PlanStep("load", "1", ""),), (parameter,))


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_parameter_that_looks_like_a_secret(name: str, value: object) -> None:
    with pytest.raises(UserError) as fault:
        secrets.check(plan(Parameter(name, value)))
    assert str(fault.value).startswith(f"parameter {name!r} looks like a secret")
    assert "\n" not in str(fault.value)
    assert "hunter2" not in str(fault.value)


@pytest.mark.parametrize(("name", "value"), TAKEN)
def test_one_that_does_not(name: str, value: object) -> None:
    assert secrets.check(plan(Parameter(name, value))) == []


def test_in_a_step_it_is_named() -> None:
    module = "def load():\n    db_password = 'hunter2'\n    connect(token='abc', user='me')\n    tokens = 'a b'\n"
    notes = secrets.check(Plan("churn", "churn", (PlanStep("load", "1", module),)))
    assert [note.split(" looks")[0] for note in notes] == ["load: 'db_password'", "load: 'token'"]


def test_a_secret_must_be_there_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD_KEY", "s3cr3t")
    cells = ["import os\nsize = len(os.environ['WORD_KEY'])"]
    answer = export(tmp_path, cells, ["size"], secret=["WORD_KEY"], alert="HOOK")
    assert "fault" not in answer
    held = [p for p in (tmp_path / "out").rglob("*") if p.is_file() and b"s3cr3t" in p.read_bytes()]
    assert held == []
    assert verify(tmp_path / "out").status == "identical"
    command = [sys.executable, "-m", "play", "run", "--store", str(tmp_path / "store")]
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "out" / "src")}
    assert subprocess.run(command, env=env, check=False).returncode == 0
    env.pop("WORD_KEY")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.stderr == "error: the environment variable 'WORD_KEY' is not set: give the pipeline this secret\n"
    assert done.returncode == 2
