"""The run table: a pandas frame that front ends show as a table to sort and search."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from mlops_jupyter.runtime import tables
from mlops_jupyter.services.tracking.views import RunView

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 200
"""Number of rows that are shown; the frame holds all."""

LONGEST = 40
"""Characters of a value that are shown."""

ESTIMATORS = re.compile(r"params\.[^.]+\..+").fullmatch
"""Matches columns such as `params.model.C`: the parameters that `%%track` logs of a cell's estimators."""


def frame(runs: Sequence[RunView]) -> pd.DataFrame:
    """Return runs as a plain frame, one row per run in the given order, indexed by the run's id.

    Columns: name, experiment, status, started (time in UTC), seconds, then `metrics.KEY` (float64) and `params.KEY`
    (text), each in the order in which the runs first have them.
    """
    import pandas as pd

    metrics = dict.fromkeys(key for run in runs for key in run.metrics)
    params = dict.fromkeys(key for run in runs for key in run.params)
    columns: dict[str, Any] = {
        "name": [run.name for run in runs],
        "experiment": [run.experiment for run in runs],
        "status": [run.status for run in runs],
        "started": pd.to_datetime([run.started for run in runs], unit="s", utc=True),
        "seconds": pd.Series([run.seconds for run in runs], dtype="float64").to_numpy(),
    }
    for key in metrics:
        columns[f"metrics.{key}"] = pd.Series([run.metrics.get(key) for run in runs], dtype="float64").to_numpy()
    for key in params:
        columns[f"params.{key}"] = [run.params.get(key) for run in runs]
    return pd.DataFrame(columns, index=pd.Index([str(run.id) for run in runs], name="run"))


def run_table(runs: Sequence[RunView]) -> pd.DataFrame:
    """Return runs as a frame (see `frame`) that front ends with widgets show with controls."""
    table: pd.DataFrame = _table_class()(frame(runs))
    return table


@cache
def _table_class() -> Any:
    """Return the class `RunTable`, defined on first use: at the top of the module its base would import pandas."""
    import pandas as pd

    class RunTable(pd.DataFrame):
        """A frame of runs; selections and computations on it return plain frames."""

        @property
        def _constructor(self) -> Any:
            return pd.DataFrame

        @property
        def frame(self) -> pd.DataFrame:
            """The same data as a plain frame."""
            return pd.DataFrame(self)

        def __reduce__(self) -> Any:
            return pd.DataFrame.__reduce__(self.frame)

        def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
            bundle: dict[str, Any] = {"text/plain": repr(self), "text/html": html(self)}
            view = _view(self) if in_kernel() and len(self) else None
            if view is not None:
                bundle |= {k: v for k, v in view._repr_mimebundle_().items() if k not in bundle}
            return bundle

    return RunTable


def in_kernel() -> bool:
    """Return whether IPython runs in a kernel, whose front end may show widgets."""
    import sys

    ipython = sys.modules.get("IPython.core.getipython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def html(table: pd.DataFrame) -> str:
    """Return a frame of runs as an HTML table with all texts escaped, without the parameters of estimators."""
    names = [name for name in table.columns if not ESTIMATORS(str(name))]
    rows = ([str(run), *map(_text, values)] for run, *values in table[names].head(SHOWN).itertuples())
    drawn = tables.html([str(name) for name in names], rows, wrapped=len(names), longest=LONGEST, tips=True)
    rest = {"more": len(table) - SHOWN, "settings of estimators, in the frame": len(table.columns) - len(names)}
    below = "".join(f"<p>{count} {what}</p>" for what, count in rest.items() if count > 0)
    return f"<div style='overflow-x:auto'>{drawn}</div>{below}"


def _text(value: object) -> str:
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)


def _view(table: pd.DataFrame) -> Any:
    """Return the widget: sort column, direction, words to search for, and the table; None without ipywidgets."""
    try:
        import ipywidgets
    except ImportError:
        return None
    key = ipywidgets.Dropdown(
        options=[("as given", ""), *((str(name), str(name)) for name in table.columns)], description="Sort by"
    )
    down = ipywidgets.Checkbox(value=True, description="Greatest first", indent=False)
    words = ipywidgets.Text(placeholder="words to look for", description="Search", continuous_update=False)
    area = ipywidgets.HTML(html(table))

    def draw(change: object = None) -> None:
        area.value = html(chosen(table, key.value, down.value, words.value))

    for control in (key, down, words):
        control.observe(draw, names="value")
    return ipywidgets.VBox([ipywidgets.HBox([key, down, words]), area])


def chosen(table: pd.DataFrame, key: str, down: bool, words: str) -> pd.DataFrame:
    """Return the rows that contain every word, sorted by the column `key` ("" keeps the order)."""
    rows = table
    for word in words.lower().split():
        rows = rows[rows.apply(lambda row, word=word: any(word in _text(v).lower() for v in row), axis=1).astype(bool)]
    return rows.sort_values(key, ascending=not down, na_position="last") if key else rows
