"""Translates our magics to the code of a bundle: the implementation of `services.pipeline.ports.Magics`.

The decisions behind it: ARCHITECTURE.md, "Surfaces".
"""

from __future__ import annotations

from functools import lru_cache

from IPython.core.error import UsageError

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.services.pipeline.ports import MagicCode, StepDeclaration
from mlops_jupyter.surfaces.magics.pipeline import cell as step_cell
from mlops_jupyter.surfaces.magics.table import VERBS
from mlops_jupyter.surfaces.magics.track import cell as track_cell
from mlops_jupyter.surfaces.magics.verbs import choose


class BundleTranslator:
    """Translates by the tables of verbs, and `%%track` cells by the names that were recorded when they ran."""

    def line(self, magic: str, line: str) -> MagicCode | None:
        """Return the bundle's code for a line magic, None if it only displays.

        Raises
        ------
        KeyError
            The magic is not one of ours.
        UserError
            The line has no such verb, or its arguments do not fit the verb.
        """
        verbs = VERBS[magic]
        try:
            verb, args = choose(magic, verbs, line)
        except UsageError as fault:
            raise UserError(f"%{magic} {line}: {fault}") from None
        return verb.code(args)

    def declared(self, execution: Execution) -> StepDeclaration:
        """Return what the `%%pipeline NAME` line of an execution declares, nothing if it has none."""
        header = execution.header("pipeline")
        return _declared(header.line) if header else StepDeclaration()

    def around(self, execution: Execution) -> tuple[MagicCode, MagicCode]:
        """Return the code before and after the body of a `%%track` cell; both are empty for any other cell."""
        return track_cell.around(execution) if execution.header("track") else (MagicCode(""), MagicCode(""))


@lru_cache(maxsize=1024)
def _declared(line: str) -> StepDeclaration:
    args = step_cell.parse(line)
    outputs = frozenset(step_cell.names(args.outputs))
    inputs = frozenset(step_cell.names(args.inputs))
    return StepDeclaration(step_cell.parameters(args), inputs, outputs or None, step_cell.resources(args), args.cache)
