"""Parameters that name data files, or parts of their paths: the run takes the file that is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services.export.test_project_files import exported, lay, ran

READ = "import json\npath = f'{folder}/{name}.json'", "answer = json.load(open(path))"

CASES = {
    "a path": (("src = 'a.json'", "import json\nanswer = json.load(open(src))"), "src=b.json", "a.json", "b.json"),
    "a name in a path": (("name = 'a'", "folder = 'd'", *READ), "name=b", "d/a.json", "d/b.json"),
    "a year in a name": (
        ("year = 2023", "import json\nanswer = json.load(open(f'sales_{year}.json'))"),
        "year=2024",
        "sales_2023.json",
        "sales_2024.json",
    ),
    "a path that leads up": (
        ("src = '../d/a.json'", "import json\nanswer = json.load(open(src))"),
        "src=../d/b.json",
        "../d/a.json",
        "../d/b.json",
    ),
}


def project(folder: Path, cells: tuple[str, ...], files: dict[str, str]) -> None:
    """Export the cells, the first of which are parameters, from a project that has these files beside the notebook."""
    name, _, default = cells[0].partition(" = ")
    first = f"%%pipeline first --params {name}={default}\nassert True"
    answer = exported(folder, [first, *cells[1:]], {f"notebooks/{path}": text for path, text in files.items()})
    assert "fault" not in answer, answer


@pytest.mark.parametrize("place", ["beside the notebook", "--data", "where the run was started"])
@pytest.mark.parametrize(("cells", "given", "default", "named"), CASES.values(), ids=CASES)
def test_the_file_is_taken(
    cells: tuple[str, ...], given: str, default: str, named: str, place: str, tmp_path: Path
) -> None:
    beside = {named: "5"} if place == "beside the notebook" else {}
    project(tmp_path, cells, {default: "1", **beside})
    words = ["-p", given]
    if place == "--data":
        lay(tmp_path / "newer", {named.removeprefix("../"): "5"})
        words += ["--data", str(tmp_path / "newer")]
    elif not beside:
        lay(tmp_path / "bundle" / "src", {named: "5"})
    assert ran(tmp_path) == 1
    assert ran(tmp_path, *words) == 5


def test_its_content_is_part_of_the_cache_key(tmp_path: Path) -> None:
    cells, given, default, named = CASES["a name in a path"]
    project(tmp_path, cells, {default: "1"})
    for value in (5, 6):
        lay(tmp_path / "newer", {named: str(value)})
        assert ran(tmp_path, "-p", given, "--data", str(tmp_path / "newer")) == value


def test_a_file_that_is_nowhere_is_one_line(tmp_path: Path) -> None:
    cells, given, default, _ = CASES["a path"]
    project(tmp_path, cells, {default: "1"})
    said = ran(tmp_path, "-p", given, fails=True)
    here = str(tmp_path / "bundle" / "src")
    assert f"no file 'b.json', which the parameter 'src' names: looked for in the bundle and {here!r}" in said


def test_a_part_of_a_path_that_leads_nowhere_says_where_files_are_looked_for(tmp_path: Path) -> None:
    cells, given, default, _ = CASES["a name in a path"]
    project(tmp_path, cells, {default: "1"})
    said = ran(tmp_path, "-p", given, fails=True)
    assert "(a file that a parameter names is looked for in the bundle and the folder of the command)" in said
