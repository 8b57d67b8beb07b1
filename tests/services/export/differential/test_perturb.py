"""A bundle on days that nobody has seen: the day is made up, the notebook's cells in one process are the truth."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.export.bundle.read import read
from mlops_jupyter.services.export.differential.days import Days
from mlops_jupyter.services.export.differential.perturb import PerturbationReport, perturb
from mlops_jupyter.services.export.run.verify import check_options, verify_day
from tests.services.export.recorded import export

ROWS = "amount,region\n" + "".join(f"{n},{'abc'[n % 3]}\n" for n in range(1, 13))

LOAD = ("# Load", "import pandas as pd\ndf = pd.read_csv('sales.csv')")
CLEAN = ("# Clean", "df.drop_duplicates(inplace=True)\ndf.dropna(inplace=True)")
REPORT = ("# Report", "total = float(df['amount'].sum())")


def bundle(folder: Path, *cells: str | tuple[str, ...], outputs: list[str] | None = None) -> Path:
    (folder / "sales.csv").write_text(ROWS)
    answer = export(folder, cells, outputs)
    assert "fault" not in answer, answer
    return folder / "out"


def edited(folder: Path, step: str, old: str, new: str) -> None:
    """Make a person's mistake in a step."""
    path = folder / "src" / "play" / "steps" / f"{step}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def statuses(report: PerturbationReport) -> list[str]:
    return [day.status for day in report.days]


def test_both_come_to_the_same_on_all_days_or_both_fail(tmp_path: Path) -> None:
    report = perturb(bundle(tmp_path, LOAD, CLEAN, ("# Report", "first = int(df['amount'].iloc[0])")), 5)
    assert statuses(report) == ["the same"] * 5 + ["both fail"]
    assert "out-of-bounds" in report.days[-1].reason
    assert report.proven
    assert str(report).startswith("5 other days (seed 0): 4 the same, 1 both fail, 0 differs, 0 only the bundle fails")


def test_files_beside_the_notebooks_folder_are_changed_too(tmp_path: Path) -> None:
    folder = tmp_path / "project" / "notebooks"
    (tmp_path / "project" / "data").mkdir(parents=True)
    folder.mkdir()
    (tmp_path / "project" / "data" / "sales.csv").write_text(ROWS)
    made = bundle(folder, ("# Load", "import pandas as pd\ndf = pd.read_csv('../data/sales.csv')"), REPORT)
    shutil.rmtree(tmp_path / "project" / "data")
    edited(made, "report", "df['amount']".replace("'", '"'), "df['amount'].abs()")
    report = perturb(made, 2)
    assert statuses(report) == ["the same", "the same", "differs"]
    again = shlex.split(report.days[2].again)
    assert verify_day(made, data=Path(again[again.index("--data") + 1])).status == "differs"


def test_a_difference_is_shown_with_the_least_that_makes_it(tmp_path: Path) -> None:
    made = bundle(tmp_path, LOAD, CLEAN, REPORT)
    edited(made, "clean", "    df.dropna", "    df = df[df['amount'] >= 0]\n    df.dropna")
    report = perturb(made, 2)
    assert statuses(report) == ["the same", "the same", "differs"]
    assert not report.proven
    day = report.days[2]
    assert day.edits.count("became") == 1
    assert " became -" in day.edits
    assert day.reason.startswith("total: ")
    words = shlex.split(day.again)
    assert words[:2] == ["mlops-jupyter", "verify"]
    again = verify_day(Path(words[2]), data=Path(words[words.index("--data") + 1]))
    assert again.status == "differs"


def test_a_parameter_that_makes_a_difference_is_named(tmp_path: Path) -> None:
    cells = ("n = 5", "", "parameters"), ("# Double", "double = 2 * n"), ("# Report", "answer = double + n")
    made = bundle(tmp_path, ("", "n = 5", "parameters"), *cells[1:])
    edited(made, "report", "double + n", "double + max(n, 1)")
    report = perturb(made, 6)
    wrong = [day for day in report.days if not day.agrees]
    assert wrong
    assert {day.edits for day in wrong} <= {"-p n=0", "-p n=-5"}


FAILURES = {
    "only the bundle": ("float(df['amount'].sum())", "float(df['amount'].sum()) / (len(df) > 1)", "1\n", "failed"),
    "only the notebook": ("df['amount'][0]", "df['amount'].iloc[:1].sum()", "", "differs"),
}


@pytest.mark.parametrize(("right", "wrong", "rows", "status"), FAILURES.values(), ids=FAILURES)
def test_one_that_fails_alone_is_a_difference(right: str, wrong: str, rows: str, status: str, tmp_path: Path) -> None:
    made = bundle(tmp_path, LOAD, ("# Report", f"total = {right}"))
    edited(made, "report", right.replace("'", '"'), wrong)
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "sales.csv").write_text(f"amount\n{rows}")
    assert verify_day(made, data=tmp_path / "newer").status == status


def test_what_differs_in_the_notebook_itself_says_nothing(tmp_path: Path) -> None:
    made = bundle(tmp_path, LOAD, ("# Draw", "import uuid\nmark = uuid.uuid4().hex"), REPORT)
    report = perturb(made, 1)
    assert statuses(report) == ["the same", "the same"]
    assert report.days[1].unstable == ("mark",)


def test_a_seed_makes_the_same_days(tmp_path: Path) -> None:
    made = read(bundle(tmp_path, LOAD, REPORT))
    first, again, other = (Days(made, seed) for seed in (1, 1, 2))
    days = [[source.day(number) for number in range(1, 20)] for source in (first, again, other)]
    assert days[0] == days[1]
    assert all(one != two for one, two in zip(days[0][:3], days[2][:3], strict=True))


def test_nothing_to_change_is_said(tmp_path: Path) -> None:
    made = bundle(tmp_path, ("# Count", "n = len('abc')"))
    with pytest.raises(UserError, match="has no parameters and reads no data files that are tables"):
        perturb(made, 1)


OPTIONS = {
    "no day": (([], None, 0, None), "--perturb 0: give the number of days"),
    "both ways": ((["n=1"], None, 1, None), "--perturb makes data and parameters itself"),
    "a seed alone": (([], None, None, 3), "--seed is for the days that --perturb N makes"),
}


@pytest.mark.parametrize(("options", "said"), OPTIONS.values(), ids=OPTIONS)
def test_options_that_exclude_each_other_are_refused(options, said: str) -> None:
    with pytest.raises(UserError, match=said):
        check_options(*options)


def verify(made: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlops_jupyter", "verify", str(made), *words]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_command_line_compares_on_a_day_that_it_is_given(tmp_path: Path) -> None:
    made = bundle(tmp_path, ("", "n = 2", "parameters"), LOAD, ("# Clean", "df['amount'].clip(upper=n)"), REPORT)
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "sales.csv").write_text("amount\n-1\n7\n")
    done = verify(made, "--data", str(newer), "-p", "n=5", "--json")
    assert done.returncode == 0, done.stderr
    (total,) = (row for row in json.loads(done.stdout)["outputs"] if row["name"] == "total")
    assert total["status"] == "identical"
    assert done.stderr.count("notebook: done") == 1
    wrong = verify(made, "-p", "n=x")
    assert wrong.returncode == 1
    assert wrong.stdout.splitlines()[-1].endswith("parameter 'n' takes an int (as in 2), not 'x'")


def test_the_command_line_tells_of_each_day(tmp_path: Path) -> None:
    made = bundle(tmp_path, LOAD, REPORT)
    done = verify(made, "--perturb", "1", "--seed", "4", "--json")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert lines[0] == "day of export: the same (nothing changed)"
    assert lines[1].startswith("day 1: the same (sales.csv: row ")
    answer = json.loads(done.stdout)
    assert answer["status"] == "the same"
    assert len(answer["days"]) == 2
