"""Plots, tables and `display` stay with their step: files of the run, also where the step comes from the cache."""

from __future__ import annotations

from pathlib import Path

from mlops_jupyter.services.export.run import local_run
from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import Cell, export

BROKEN = "class Broken:\n    def _repr_html_(self):\n        raise ValueError('no picture')\n"

CHART = """class Chart:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"application/vnd.vegalite.v5+json": {"mark": "bar"}, "text/plain": "chart"}, {}

    def to_html(self):
        return "<html>bars</html>"


class Drawing:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/png": "iVBORw0K"}


display(Chart())
Drawing()"""

CELLS: list[Cell] = [
    ("# Load", "import matplotlib\nmatplotlib.use('Agg')\nimport pandas as pd\nimport matplotlib.pyplot as plt"),
    ("", "from IPython.display import HTML, display\ndf = pd.DataFrame({'a': [1, 2, 3]})"),
    ("", "df.head(2)  # the first rows"),
    ("# Draw", "plt.plot(df['a'])"),
    ("", "plt.plot(df['a'] * 2)\nplt.show()\nplt.hist(df['a'])"),
    ("# Figure", "import plotly.graph_objects as go\nfigure = go.Figure(go.Scatter(y=[1, 2]))\nfigure.show()"),
    ("# Say", "total = int(df['a'].sum())\ndisplay(total, HTML('<b>sum</b>'))"),
    ("# Quiet", "half = total / 2\nhalf"),
    ("# Table", "df"),
    ("# Several", CHART),
    ("# Broken", f"{BROKEN}\nbroken = Broken()\ndisplay(broken)\nn = 1"),
]


def files(store: Path, run: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (store / run / "displays").iterdir()}


def test_what_a_step_shows_is_kept(tmp_path: Path) -> None:
    answer = export(tmp_path, CELLS, ["total", "half", "n"])
    assert "fault" not in answer, answer
    assert verify(tmp_path / "out").status == "identical"
    steps = tmp_path / "out" / "src" / "play" / "steps"
    assert "display(df.head(2))  # the first rows" in (steps / "load.py").read_text()
    assert "IPython" not in (steps / "load.py").read_text()
    store = tmp_path / "store"
    first = local_run.run(tmp_path / "out", store)
    shown = files(store, first.run)
    assert sorted(shown) == [
        "draw-1.png", "draw-2.png", "figure-1.html", "load-1.html", "say-1.html", "several-1.html", "several-2.png",
        "table-1.html",
    ]  # fmt: skip
    assert shown["draw-1.png"].startswith(b"\x89PNG")
    assert len({shown[f"draw-{n}.png"] for n in (1, 2)}) == 2
    assert (shown["several-1.html"], shown["several-2.png"]) == (b"<html>bars</html>", b"\x89PNG\r\n")
    assert b"<b>sum</b>" in shown["say-1.html"]
    assert "not shown: Broken: ValueError: no picture" in (store / first.run / "logs" / "broken.txt").read_text()
    assert "6" in (store / first.run / "logs" / "say.txt").read_text()
    again = local_run.run(tmp_path / "out", store)
    assert set(again.steps.values()) == {"cached"}
    assert files(store, again.run) == shown


def test_a_display_of_the_notebook_is_its_own(tmp_path: Path) -> None:
    cells: list[Cell] = [
        ("# A", "import pandas as pd\nseen = []\ndef display(x):\n    seen.append(x)"),
        ("# B", "pd.DataFrame({'a': [1]})"),
        ("# C", "display(3)\nn = len(seen)"),
    ]
    assert "fault" not in export(tmp_path, cells, ["n"])
    assert verify(tmp_path / "out").status == "identical"
