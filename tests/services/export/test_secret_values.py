"""What a notebook reads as a secret is found nowhere: not in the bundle, its store and logs, nor in the record."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mlops_jupyter.runtime.secret_values import KnownSecrets
from tests.services.export.recorded import export

SECRET = "x7Kq-92fa/ZZ3+é"
SPELLED = KnownSecrets([("it", SECRET)])


@dataclass(frozen=True)
class Way:
    """A way by which a secret comes into a notebook.

    Attributes
    ----------
    files : path -> text of a file beside the notebook, which may hold the secret.
    fault : what the export says, if it refuses.
    notes : what the notes of the export say.
    whole : steps that become one, since the secret may not cross.
    """

    name: str
    cells: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    declared: tuple[str, ...] = ()
    fault: str = ""
    notes: tuple[str, ...] = ()
    steps: int = 2
    tags: tuple[str, ...] = ()


USE = "size = len(str(value))\nprint(size)"
WAYS = (
    Way(
        "a declared variable",
        ("import os\nvalue = os.environ['WORD']", USE),
        environment={"WORD": SECRET},
        declared=("WORD",),
        notes=("'value' is not delivered: it holds the secret 'WORD'", "which no store may"),
        steps=1,
    ),
    Way(
        "a variable whose name says so",
        ("import os\nvalue = os.getenv('API_TOKEN')", USE),
        environment={"API_TOKEN": SECRET},
        notes=("holds the secret 'API_TOKEN'",),
        steps=1,
    ),
    Way(
        "an address with a password",
        ("import os\nvalue = os.environ['DATABASE'].replace('postgresql', 'postgresql+psycopg')", USE),
        environment={"DATABASE": "postgresql://me:x7Kq-92fa%2FZZ3%2B%C3%A9@db/shop"},
        notes=("holds the secret 'DATABASE'",),
        steps=1,
    ),
    Way(
        "a header",
        ("import os\nvalue = {'Authorization': f\"Bearer {os.environ['API_TOKEN']}\"}", USE),
        environment={"API_TOKEN": SECRET},
        steps=1,
    ),
    Way(
        "basic authentication",
        ("import os, base64\nvalue = base64.b64encode(f\"me:{os.environ['API_TOKEN']}\".encode())", USE),
        environment={"API_TOKEN": SECRET},
        steps=1,
    ),
    Way(
        "an object",
        (
            "import os\nclass Client:\n    def __init__(self, key):\n        self.key = key\n"
            "value = Client(os.environ['API_KEY'])",
            "size = len(value.key)\nprint(size)",
        ),
        environment={"API_KEY": SECRET},
        steps=1,
    ),
    Way(
        "a table",
        (
            "import os\nimport pandas as pd\nvalue = pd.DataFrame({'host': ['a'] * 50, 'key': os.environ['API_KEY']})",
            "size = len(value)\nprint(size)",
        ),
        environment={"API_KEY": SECRET},
        notes=("'value' is not delivered",),
        steps=1,
    ),
    Way(
        "an array of texts",
        (
            "import os\nimport numpy as np\nvalue = np.array([os.environ['API_KEY'], 'b'])",
            "size = len(value)\nprint(size)",
        ),
        environment={"API_KEY": SECRET},
        steps=1,
    ),
    Way(
        "config.ini",
        (
            "import configparser\nsettings = configparser.ConfigParser()\n"
            "settings.read('config.ini', encoding='utf-8')\nvalue = dict(settings['db'])",
            USE,
        ),
        files={"config.ini": f"[db]\nuser = me\npassword = {SECRET}\n"},
        notes=("the data file 'config.ini' holds secrets and stays out of the bundle",),
        steps=1,
    ),
    Way(
        "settings.json",
        ("import json\nvalue = json.load(open('settings.json', encoding='utf-8'))", USE),
        files={"settings.json": f'{{"db": {{"user": "me",\n"db_password": "{SECRET}"}}}}'},
        notes=("'settings.json' holds secrets",),
        steps=1,
    ),
    Way(
        "settings.toml",
        ("import tomllib\nvalue = tomllib.load(open('settings.toml', 'rb'))", USE),
        files={"settings.toml": f'[api]\nkey = "none"\napi-key = "{SECRET}"\n'},
        notes=("'settings.toml' holds secrets",),
        steps=1,
    ),
    Way(
        ".netrc",
        ("import netrc\nvalue = netrc.netrc('.netrc').authenticators('host')", USE),
        files={".netrc": f"machine host\nlogin me\npassword {SECRET}\n"},
        steps=1,
    ),
    Way(
        ".env",
        (
            "import os\nfor line in open('.env', encoding='utf-8'):\n"
            "    name, _, text = line.strip().partition('=')\n    os.environ[name] = text",
            "value = os.environ['API_TOKEN']\n" + USE,
        ),
        files={".env": f"API_TOKEN={SECRET}\n"},
        fault="reads '.env', which may hold secrets and stays out of the bundle: export with --secret API_TOKEN",
    ),
    Way(
        "getpass",
        ("import getpass\npassword = getpass.getpass()", "size = len(password)"),
        fault="getpass",
    ),
    Way(
        "typed in as a parameter",
        (f"password = {SECRET!r}", "size = len(password)"),
        tags=("parameters",),
        fault="parameter 'password' looks like a secret",
    ),
    Way(
        "typed in, and in the environment",
        ("import os\nvalue = os.environ['API_TOKEN']\nsize = 0", f"size += len([{SECRET!r}])"),
        environment={"API_TOKEN": SECRET},
        fault="would hold the secret 'API_TOKEN', which no file may",
    ),
    Way(
        "a private cell",
        (f"%%private\nvalue = {SECRET!r}", USE),
        fault="is %%private, which no bundle may hold, and cell 2 (Part 1) uses 'value' of it",
    ),
    Way(
        "a private cell that nothing uses",
        (f"%%private\nvalue = {SECRET!r}", "size = 3"),
        steps=1,
    ),
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_no_file_holds_it(way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for path, text in way.files.items():
        (project / path).write_text(text, encoding="utf-8")
    for name, value in way.environment.items():
        monkeypatch.setenv(name, value)
    before = f"import getpass\ngetpass.getpass = lambda prompt='': {SECRET!r}"
    cells = [(f"# Part {number}", cell, *way.tags[number : number + 1]) for number, cell in enumerate(way.cells)]
    answer = export(project, cells, None, before=before, secret=list(way.declared))
    assert way.fault in answer.get("fault", ""), answer
    assert bool(way.fault) == ("fault" in answer), answer
    if not way.fault:
        assert [note for note in way.notes if note not in "\n".join(answer["notes"])] == []
        assert len(answer["steps"]) == way.steps
        assert "size" in answer["outputs"]
        ended = run(project)
        assert ended.returncode == 0, ended.stderr
        assert (project / "store/one/outputs/size.json").is_file()
    inputs = {project / path for path in (*way.files, "play.ipynb")}
    assert [path for path in files(project) if path.resolve() not in inputs and holds(path)] == []


def run(project: Path) -> subprocess.CompletedProcess[str]:
    """Run the bundle in a store of its own, with its working directory where the notebook was."""
    command = [sys.executable, "-m", "play", "run", "--store", str(project / "store"), "--run", "one"]
    env = {**os.environ, "PYTHONPATH": str(project / "out" / "src"), "MLFLOW_TRACKING_URI": str(project / "mlruns")}
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=120)


def files(project: Path) -> Iterator[Path]:
    return (path for path in project.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def holds(path: Path) -> bool:
    return bool(SPELLED.held_by(path.read_bytes()))


LEAKS = (
    ("printed", "print('the key is', key)"),
    ("printed by another program", "import subprocess\nsubprocess.run(['sh', '-c', 'echo $API_TOKEN'])"),
    ("shown", "from IPython.display import HTML, display\ndisplay(HTML(f'<b>{key}</b>'))"),
    ("raised", "raise ValueError(f'no access with {key}')"),
    ("written to a log", "import logging\nlogging.basicConfig(force=True)\nlogging.warning('key %s', key)"),
)


@pytest.mark.parametrize(("name", "code"), LEAKS, ids=[row[0] for row in LEAKS])
def test_what_a_step_says_is_masked(name: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the day of export, the step says nothing: what it says on another day is masked as it runs."""
    monkeypatch.setenv("API_TOKEN", SECRET)
    body = "\n".join(f"    {line}" for line in code.splitlines())
    cells = [
        ("", "loud = False", "parameters"),
        f"import os\nkey = os.environ['API_TOKEN']\nif loud:\n{body}\nsize = len(key)",
    ]
    answer = export(tmp_path, cells, ["size"])
    assert "fault" not in answer, answer
    command = [sys.executable, "-m", "play", "run", "--store", "store", "--run", "one", "-p", "loud=true"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "out" / "src")}
    ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert (ended.returncode == 0) == (name != "raised"), ended.stderr
    assert [path for path in files(tmp_path) if holds(path)] == []
    assert SECRET not in ended.stdout + ended.stderr
    if name != "shown":
        [log] = (tmp_path / "store/one/logs").iterdir()
        assert "***" in log.read_text()


def test_an_output_that_holds_one_on_another_day_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", SECRET)
    cells = [
        ("", "full = False", "parameters"),
        "import os\nrow = {'key': os.environ['API_TOKEN'] if full else 'none'}",
    ]
    assert "fault" not in export(tmp_path, cells, ["row"])
    command = [sys.executable, "-m", "play", "run", "--store", "store", "-p", "full=true"]
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "out" / "src")}
    ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1
    assert "hands on 'row', which holds the secret 'API_TOKEN', and no store may" in ended.stderr
    assert [path for path in files(tmp_path) if holds(path)] == []


def test_a_named_output_that_holds_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", SECRET)
    answer = export(tmp_path, ["import os\nrow = [os.environ['API_TOKEN']]"], ["row"])
    assert answer["fault"] == (
        "the output 'row' holds the secret 'API_TOKEN', which no file may: deliver what is made with it"
    )


TRACKED = (
    "run.params(api_key='anything', depth=3)",
    "run.params(url=f'https://me:{key}@host')",
    "run.tag(note=key)",
    "run.artifact('notes.txt', f'the key is {key}'.encode())",
)


def test_what_is_tracked_is_masked_in_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", SECRET)
    monkeypatch.setenv("MLOPS_JUPYTER_COURIER_IDLE", "1")
    cells = ["import os\nkey = os.environ['API_TOKEN']\nrun = %track start base", *TRACKED, "run.end()\nsize = 3"]
    export(tmp_path, cells, ["size"])
    assert [path for path in files(tmp_path) if holds(path)] == []


def test_a_short_secret_is_named_as_not_searched_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "horse")
    answer = export(tmp_path, ["import os\nsize = len(os.environ['WORD'])"], ["size"], secret=["WORD"])
    assert "the secret 'WORD' is too short or too plain" in "\n".join(answer["notes"])
