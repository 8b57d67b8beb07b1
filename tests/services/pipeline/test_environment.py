"""requirements.lock: what it says, and whether it is sure to install."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from uv import find_uv_bin

from mlops_jupyter.runtime.model.package_versions import forget
from mlops_jupyter.services.pipeline.environment import implicit_requirements
from mlops_jupyter.services.pipeline.environment.requirements import locked
from tests.services.export.recorded import export

SOURCE = {
    "PKG-INFO": "Metadata-Version: 2.2\nName: fromsource\nVersion: 1.0\n",
    "pyproject.toml": "[build-system]\nrequires=[]\nbuild-backend='b'\n[project]\nname='fromsource'\nversion='1.0'\n",
}


def wheel(folder: Path, name: str, tag: str, needs: str = "") -> None:
    """Write a wheel of version 1.0."""
    facts = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-{tag}.whl", "w") as made:
        made.writestr(f"{name}.py", "")
        requires = f"Requires-Dist: {needs}\n" if needs else ""
        made.writestr(f"{facts}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}")
        made.writestr(f"{facts}/WHEEL", f"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: {tag}\n")
        made.writestr(f"{facts}/RECORD", "")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages, the only one that uv looks in."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    wheel(folder, "anywhere", "py3-none-any", needs="needed")
    wheel(folder, "needed", "py3-none-any")
    wheel(folder, "foreign", "cp311-cp311-win_amd64")
    with tarfile.open(folder / "fromsource-1.0.tar.gz", "w:gz") as made:
        for name, text in SOURCE.items():
            facts = tarfile.TarInfo(f"fromsource-1.0/{name}")
            facts.size = len(text)
            made.addfile(facts, io.BytesIO(text.encode()))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    return folder


NOT_CHECKED = "requirements.lock was not checked to install: Because "

ROWS: dict[str, tuple[list[str], str, str]] = {
    "wheels for all": (["anywhere==1.0"], "anywhere==1.0\nneeded==1.0\n", ""),
    "a source only": (
        ["fromsource==1.0"],
        "fromsource==1.0\n",
        "requirements.lock needs a build from source to install: Because fromsource==1.0 has no usable wheels",
    ),
    "a wheel for another machine": (["foreign==1.0"], "\n", NOT_CHECKED + "foreign==1.0 has no wheels with a matching"),
    "nowhere to be had": (["nowhere==1.0"], "\n", NOT_CHECKED + "there is no version of nowhere==1.0"),
    "nothing": ([], "", ""),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_lock_is_sure_to_install_or_says_that_it_is_not(shelf: Path, row: tuple[list[str], str, str]) -> None:
    pinned, text, note = row
    made = locked(pinned)
    assert made.text == text
    assert made.note.startswith(note)
    assert "\n" not in made.note
    assert bool(made.note) == bool(note)


def test_a_lock_without_a_note_installs(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text(locked(["anywhere==1.0"]).text)
    command = [find_uv_bin(), "pip", "sync", "--quiet", "--python", sys.executable]
    subprocess.run([*command, "--target", str(tmp_path / "env"), str(tmp_path / "requirements.lock")], check=True)
    assert (tmp_path / "env" / "anywhere.py").is_file()
    assert (tmp_path / "env" / "needed.py").is_file()


def test_without_a_network_the_metadata_say_what_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path))
    from importlib.metadata import version

    made = locked([f"pandas=={version('pandas')}"])
    assert {line.partition("==")[0] for line in made.text.splitlines()} >= {"pandas", "numpy", "python-dateutil"}
    assert made.note.startswith(NOT_CHECKED)


@pytest.fixture
def index(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The shelf as an index of its own, with uv's cache still empty; gives the paths that uv asks for."""
    asked: list[str] = []
    for name in ("anywhere", "needed"):
        (tmp_path / "simple" / name).mkdir(parents=True)
        (shelf / f"{name}-1.0-py3-none-any.whl").rename(tmp_path / "simple" / name / f"{name}-1.0-py3-none-any.whl")

    class Index(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Index, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.delenv("UV_NO_INDEX")
        monkeypatch.delenv("UV_FIND_LINKS")
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/simple")
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
        yield asked
        server.shutdown()


@pytest.mark.parametrize("installed", [("anywhere", "needed"), ("anywhere",)], ids=["all", "not what it needs"])
def test_an_index_is_asked_again_only_for_what_is_not_installed_here(
    index: list[str], installed: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in installed:
        (tmp_path / "site" / f"{name}-1.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    forget()
    first = locked(["anywhere==1.0"])
    assert (first.text, first.note) == ("anywhere==1.0\nneeded==1.0\n", "")
    assert index
    index.clear()
    assert locked(["anywhere==1.0"]) == first
    assert bool(index) is ("needed" not in installed)


def test_a_package_installed_after_an_export_is_a_package_in_the_next(shelf: Path, tmp_path: Path) -> None:
    wheel(shelf, "late", "py3-none-any")
    site = tmp_path / "site"
    install = (
        "import os, sys\n"
        f"os.makedirs({str(site / 'late-1.0.dist-info')!r})\n"
        f"open({str(site / 'late-1.0.dist-info' / 'RECORD')!r}, 'w').write('late.py,,\\n')\n"
        f"open({str(site / 'late.py')!r}, 'w').write('x = 5\\n')\n"
        f"sys.path.insert(0, {str(site)!r})"
    )
    cells = [
        "import yaml\ny = yaml.safe_dump(1)",
        f"%pipeline export --output {tmp_path / 'first'}",
        install,
        "import late\nz = late.x",
    ]
    answer = export(tmp_path, cells, ["z"])
    assert "fault" not in answer, answer
    assert (tmp_path / "first").is_dir()
    assert "late==1.0" in (tmp_path / "out" / "requirements.lock").read_text().splitlines()
    assert not (tmp_path / "out" / "src" / "late.py").exists()


IRIS = "from sklearn.datasets import load_iris\nd = load_iris(as_frame=True).frame"
DRAWN = (
    "from sklearn.linear_model import LinearRegression\nfrom sklearn.metrics import PredictionErrorDisplay\n"
    "x, y = [[1], [2]], [1, 2]\nPredictionErrorDisplay.from_estimator(LinearRegression().fit(x, y), x, y)"
)

UNIMPORTED: dict[str, tuple[str, set[str]]] = {
    "pandas draws": (
        "import pandas as pd\nd = pd.DataFrame({'a': [1, 2]})\nd.plot()",
        {"pandas", "pyarrow", "matplotlib"},
    ),
    "a package draws that does not say with what": (DRAWN, {"scikit-learn", "matplotlib"}),
    "a frame that another package made": (IRIS, {"scikit-learn", "pandas", "pyarrow"}),
    "an import only for another package": (f"import pandas as pd\n{IRIS}\nd = len(d)", {"scikit-learn", "pandas"}),
    "frames in a container": (f"{IRIS}\nd = {{'iris': [d]}}", {"pandas"}),
}


@pytest.mark.parametrize(("cell", "needed"), UNIMPORTED.values(), ids=UNIMPORTED)
def test_what_is_used_without_an_import_is_required(tmp_path: Path, cell: str, needed: set[str]) -> None:
    assert "fault" not in export(tmp_path, [cell], None)
    text = (tmp_path / "out" / "pyproject.toml").read_text()
    assert {name for name in needed if f'"{name}==' not in text} == set()


def test_what_belongs_to_the_notebook_is_not_required(tmp_path: Path) -> None:
    cells = ["found = !echo one", "run = %track start", "n = len(found)\nrun.log(n=n)"]
    assert "fault" not in export(tmp_path, [(f"# Part {n}", cell) for n, cell in enumerate(cells)], None)
    assert "dependencies = [\n]" in (tmp_path / "out" / "pyproject.toml").read_text()


def test_what_no_cell_has_loaded_is_not_required(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pandas", "matplotlib", "polars", "jinja2", "fsspec"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert implicit_requirements.needed({"sklearn"}, []) == {"scikit-learn", "skops", "joblib", "cloudpickle"}
    assert not {"matplotlib", "jinja2", "fsspec", "pytest"} & implicit_requirements.needed({"pandas"}, [])
