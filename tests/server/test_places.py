"""Paths of notebooks: which are found, which are refused and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.surfaces.server.notebook_path import BadPathError, locate


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A served folder with a project, a folder of its own beside it, and links that lead out."""
    top = tmp_path_factory.mktemp("top")
    root = top / "root"
    for folder in (
        root / "plain",
        root / "churn/.mlops",
        root / "churn/deep/er",
        root / ".hidden",
        top / "outside/.mlops",
    ):
        folder.mkdir(parents=True)
    for ledger in (root / "churn/.mlops", top / "outside/.mlops"):
        (ledger / "ledger.db").touch()
    for file in ("a.ipynb", "plain/a b é.ipynb", "churn/deep/er/a.ipynb", ".hidden/a.ipynb", "../outside/secret.ipynb"):
        (root / file).touch()
    (root / "out").symlink_to(top / "outside")
    (root / "secret.ipynb").symlink_to(top / "outside/secret.ipynb")
    (root / "inner").symlink_to(root / "churn/deep")
    (root / "loop").symlink_to(root / "loop")
    (root / "lent").mkdir()
    (root / "lent/a.ipynb").touch()
    (root / "lent/.mlops").symlink_to(top / "outside/.mlops")
    (top / ".mlops").mkdir()  # above the root: another's
    return root


@dataclass(frozen=True)
class Found:
    name: str
    path: str
    project: str | None
    ledger: bool = True


FOUND = [
    Found("no project up to the root", "a.ipynb", None),
    Found("spaces and accents", "plain/a b é.ipynb", None),
    Found("the nearest folder upward", "churn/deep/er/a.ipynb", "churn"),
    Found("a link inside the root, where its kernel starts", "inner/er/a.ipynb", "churn"),
    Found("a link of the project out of the root", "lent/a.ipynb", "lent", ledger=False),
]


@pytest.mark.parametrize("case", FOUND, ids=lambda case: case.name)
def test_found(case, root):
    place = locate(root, case.path)
    assert place.path == case.path
    assert place.project() == (None if case.project is None else root / case.project)
    assert place.ledger() == (root / case.project / ".mlops/ledger.db" if case.project and case.ledger else None)


@dataclass(frozen=True)
class Refused:
    name: str
    path: str
    fault: type[UserError]


REFUSED = [
    Refused("empty", "", BadPathError),
    Refused("absolute", "/etc/passwd", BadPathError),
    Refused("two slashes", "//etc/passwd", BadPathError),
    Refused("climbs", "../outside/secret.ipynb", BadPathError),
    Refused("climbs and comes back", "plain/../a.ipynb", BadPathError),
    Refused("climbs at the end", "plain/..", BadPathError),
    Refused("climbs with backslashes", "plain\\..\\..\\outside", BadPathError),
    Refused("absolute with a backslash", "\\etc", BadPathError),
    Refused("a NUL", "a.ipynb\0.txt", BadPathError),
    Refused("absent", "b.ipynb", NotFoundError),
    Refused("absent folder", "nowhere/a.ipynb", NotFoundError),
    Refused("a folder", "plain", NotFoundError),
    Refused("the root", ".", NotFoundError),
    Refused("hidden", ".hidden/a.ipynb", NotFoundError),
    Refused("the ledger itself", "churn/.mlops/ledger.db", NotFoundError),
    Refused("a folder's link out", "out/secret.ipynb", NotFoundError),
    Refused("a file's link out", "secret.ipynb", NotFoundError),
    Refused("a link to itself", "loop/a.ipynb", NotFoundError),
    Refused("under a file", "a.ipynb/a.ipynb", NotFoundError),
    Refused("too long a name", "x" * 5000, NotFoundError),
    Refused("half a surrogate pair", "\ud800.ipynb", NotFoundError),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refused(case, root):
    with pytest.raises(case.fault) as fault:
        locate(root, case.path)
    assert type(fault.value) is case.fault
    assert "\n" not in str(fault.value)
    assert repr(case.path) in str(fault.value)


def test_hidden_where_the_server_allows_it(root):
    assert locate(root, ".hidden/a.ipynb", allow_hidden=True).name == "a.ipynb"


PARTS = st.sampled_from(
    ["..", ".", "", "a.ipynb", "out", "inner", "er", "churn", "deep", "secret.ipynb", "/", "\\", "\0"]
)


@given(path=st.one_of(st.text(), st.lists(PARTS).map("/".join)))
def test_nothing_outside_is_ever_found(path, root):
    try:
        place = locate(root, path)
    except (BadPathError, NotFoundError):
        return
    assert (place.folder / place.name).resolve().is_relative_to(root.resolve())
    assert Path(place.folder / place.name).is_file()
