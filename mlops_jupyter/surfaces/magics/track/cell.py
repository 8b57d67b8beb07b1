"""`%%track`: the cell is a run; its parameters, metrics, figures and estimators are logged from what it did."""

from __future__ import annotations

import ast
import logging
from argparse import Namespace
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from numbers import Number
from typing import TYPE_CHECKING, Any

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution, ExecutionStatus
from mlops_jupyter.runtime.run_data import estimators, figures
from mlops_jupyter.services.tracking.run import Run
from mlops_jupyter.surfaces.magics.track.log import mapping
from mlops_jupyter.surfaces.magics.track.start_run import open_run, start_run_call
from mlops_jupyter.surfaces.magics.verbs import MagicCode, arguments

if TYPE_CHECKING:
    from mlops_jupyter.surfaces.magics.session import NotebookSession

_log = logging.getLogger("mlops_jupyter")


@magic_arguments("%track")
@argument("name", nargs="?", default=None, help="the run's name (default: the notebook's)")
@argument("-e", "--experiment", default="default", help="the experiment that it belongs to")
def cell(args: Namespace) -> Namespace:
    """Make the cell a run; its parameters, metrics, figures and estimators are logged from what it did."""
    return args


@dataclass(frozen=True)
class Seen:
    """Names that a tracked cell wrote, by what they hold: parameters, metrics, figures, estimators."""

    params: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    estimators: tuple[str, ...] = ()


_seen: dict[tuple[float, int], Seen] = {}
"""The names of each tracked cell of this process, for its export; keyed by the execution's start time and id."""


def tracked_names(execution: Execution, namespace: Mapping[str, Any]) -> Seen:
    """Sort the names that a cell wrote: literals of its top level are parameters, other single numbers are metrics.

    Loop variables, truth values and names that begin with `_` are no metrics.
    """
    from mlops_jupyter.analysis.cells import to_python
    from mlops_jupyter.analysis.facts.extract import ParseError, extract_facts

    try:
        source = to_python(execution.body)
        literals, loops = extract_facts(source).literals, _loop_names(source)
    except ParseError:
        literals, loops = {}, frozenset()
    written = [n for n in execution.writes if n in namespace and n.isidentifier() and not n.startswith("_")]
    computed = [n for n in written if n not in literals and n not in loops]
    return Seen(
        params=tuple(n for n in literals if n in namespace and not n.startswith("_")),
        metrics=tuple(n for n in computed if _is_measure(namespace[n])),
        figures=tuple(n for n in computed if figures.is_plotly(namespace[n]) or figures.is_matplotlib(namespace[n])),
        estimators=tuple(n for n in computed if estimators.is_estimator(namespace[n])),
    )


def _loop_names(source: str) -> frozenset[str]:
    loops = [n.target for n in ast.walk(ast.parse(source)) if isinstance(n, (ast.For, ast.AsyncFor))]
    return frozenset(n.id for target in loops for n in ast.walk(target) if isinstance(n, ast.Name))


def _is_measure(value: object) -> bool:
    return isinstance(value, Number) and not isinstance(value, (bool, complex)) and hasattr(value, "__float__")


@dataclass
class TrackedCell:
    """One tracked cell while it runs: its run, the run around it, and the figures that it has shown."""

    run: Run
    outer: Run | None
    shown: figures.Shown | None
    drawn: dict[str, bytes] = field(default_factory=dict)

    def figures_now(self, namespace: Mapping[str, Any]) -> None:
        """Keep the figures that were shown or are open: Jupyter's inline backend closes them once the cell has run."""
        if self.shown is not None:
            self.drawn, self.shown = self.shown.end(namespace), None


class TrackCell:
    """Opens a run before a `%%track` cell, and logs in it afterwards what the cell did."""

    def __init__(self, session: NotebookSession) -> None:
        self._session = session
        self._open: TrackedCell | None = None

    def check(self, line: str) -> None:
        """Raise `UserError` for a bad line before the cell runs."""
        arguments(cell, line)

    def begin(self, line: str, body: str) -> TrackedCell:
        """Open the cell's run. A run that is already open stays open, and is the active one again after the cell."""
        tracking = self._session.workspace.tracking
        outer, tracking.active = tracking.active, None
        try:
            run = open_run(self._session, arguments(cell, line))
        except UserError:
            tracking.active = outer
            raise
        shown = figures.Shown()
        shown.begin(without=figures.numbers())
        self._open = TrackedCell(run, outer, shown)
        callbacks = self._session.shell.events.callbacks["post_execute"]
        callbacks.insert(0, self._figures_now)  # before the inline backend, which may have registered already
        return self._open

    def bound(self, state: object) -> Set[str]:
        """Return no names: a run binds none."""
        return frozenset()

    def _figures_now(self) -> None:
        if self._open is not None:
            self._open.figures_now(self._session.shell.user_ns)

    def end(self, state: object, execution: Execution, namespace: Mapping[str, Any]) -> None:
        """Log what the cell did and close its run, as failed if the cell failed."""
        tracked, self._open = state, None
        if not isinstance(tracked, TrackedCell):
            return
        callbacks = self._session.shell.events.callbacks["post_execute"]
        callbacks[:] = [callback for callback in callbacks if callback != self._figures_now]
        tracked.figures_now(namespace)
        try:
            _note(tracked, execution, namespace)
        finally:
            tracked.run.end(failed=execution.status is not ExecutionStatus.OK)
            self._session.workspace.tracking.active = tracked.outer


def _note(tracked: TrackedCell, execution: Execution, namespace: Mapping[str, Any]) -> None:
    names = _seen[execution.started, execution.id] = tracked_names(execution, namespace)
    params, tags = estimators.settings({name: namespace[name] for name in names.estimators})
    run, files = tracked.run, figures.with_named(tracked.drawn, {name: namespace[name] for name in names.figures})
    notes: list[Callable[[], None]] = [
        partial(run.params, {**params, **{name: namespace[name] for name in names.params}}),
        partial(run.log, {name: namespace[name] for name in names.metrics}),
        partial(run.tag, tags),
        *(partial(run.artifact, path, data) for path, data in files.items()),
    ]
    for note in notes:
        try:
            note()
        except UserError as fault:  # one value that cannot be kept does not cost the others
            print(f"%%track: {fault}")


def around(execution: Execution) -> tuple[MagicCode, MagicCode]:
    """Return the bundle's code before and after the body of a `%%track` cell."""
    header = execution.header("track")
    if header is None:
        return MagicCode(""), MagicCode("")
    recorded = _seen.get((execution.started, execution.id), Seen())
    calls = [
        (f"log_params({_names(recorded.params)})", recorded.params),
        (f"log_metrics({_names(recorded.metrics)})", recorded.metrics),
        (f"note_estimators({_names(recorded.estimators)})", recorded.estimators),
        (f"log_figures({_names(recorded.figures) if recorded.figures else ''})", ("always",)),
    ]
    texts = [text for text, names in calls if names] + ["end_run()"]
    before = MagicCode(start_run_call(arguments(cell, header.line), inside=True), ("tracking:start_run",))
    return before, MagicCode("\n".join(texts), tuple(f"tracking:{text.partition('(')[0]}" for text in texts))


def _names(names: tuple[str, ...]) -> str:
    return mapping({name: name for name in names})
