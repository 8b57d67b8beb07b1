"""`mlops-jupyter drift`: exit codes, JSON, the page."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.runtime.drift import profile
from mlops_jupyter.surfaces.cli import drift

RNG = np.random.default_rng(0)
BEFORE = pd.DataFrame({"pay": RNG.normal(size=500), "plan": RNG.choice(["a", "b"], 500)})


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a reference, a sample of it in the other format, and one that moved."""
    BEFORE.to_parquet(tmp_path / "reference.parquet")
    BEFORE.sample(400, random_state=1).to_csv(tmp_path / "same.csv", index=False)
    BEFORE.assign(pay=BEFORE.pay + 1).to_csv(tmp_path / "moved.csv", index=False)
    BEFORE.head(2).to_csv(tmp_path / "few.csv", index=False)
    (tmp_path / "reference.json").write_text(profile(BEFORE).to_json())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*line: str) -> int:
    parser = argparse.ArgumentParser()
    drift.add_to(parser.add_subparsers())
    args = parser.parse_args(["drift", *line])
    return int(args.act(args))


@pytest.mark.parametrize("reference", ["reference.parquet", "reference.json"])
@pytest.mark.parametrize(("current", "code"), [("same.csv", 0), ("moved.csv", 1)])
def test_the_exit_code_is_the_verdict(
    reference: str, current: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(reference, current) == code
    assert capsys.readouterr().out.startswith("drifted: 1 of 2" if code else "stable: 0 of 2")


def test_json_is_the_whole_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("reference.parquet", "moved.csv", "--json", "--share", "0.9", "--threshold", "0.2") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["verdict"], report["drifted"], report["drifted_share"]) == ("stable", ["pay"], 0.5)
    assert (report["share"], report["threshold"], report["rows_after"]) == (0.9, 0.2, 500)
    pay = report["columns"][0]
    assert (pay["name"], pay["verdict"], pay["values"]["test"]) == ("pay", "drifted", "Kolmogorov-Smirnov")
    assert pay["values"]["significant"]
    assert pay["effect"] == pytest.approx(1, abs=0.1)


def test_columns_and_page(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("reference.parquet", "moved.csv", "--columns", "plan", "--html", "out.html") == 0
    text = (here / "out.html").read_text()
    assert "<h1>Drift: reference.parquet → moved.csv</h1>" in text
    assert "<b>plan</b>" in text
    assert "<b>pay</b>" not in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["reference.parquet", "same.csv", "--columns", "x"], "the reference data lacks the column 'x'"),
        (["reference.parquet", "same.csv", "--html", "no/where.html"], "cannot write 'no/where.html': No such file"),
        (["reference.parquet", "few.csv"], "no column could be tested ('pay': only 2 values in the current data"),
        (["reference.parquet", "gone.csv"], "no file 'gone.csv'"),
        (["reference.parquet", "reference.json"], "the current data is a Profile, not a frame"),
    ],
)
def test_faults_of_the_user(line: list[str], said: str) -> None:
    with pytest.raises(UserError) as fault:
        run(*line)
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_missing_file_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        run("gone.csv", "same.csv")
