"""What our magics become in a bundle: the translator that export asks (see `services.pipeline.ports.Magics`)."""

from __future__ import annotations

from collections.abc import Mapping

from IPython.core.error import UsageError

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.records import Execution
from mlops_jupyter.services.pipeline.ports import Code
from mlops_jupyter.surfaces.magics import VERBS
from mlops_jupyter.surfaces.magics.pipeline import cell as step_cell
from mlops_jupyter.surfaces.magics.track import cell as track_cell
from mlops_jupyter.surfaces.magics.verbs import choose


class Meaning:
    """Answers from the tables of verbs and from what was seen when a cell ran."""

    def line(self, magic: str, line: str) -> Code | None:
        """Return what a line magic becomes: None if it only looks. Raises KeyError if it is not ours."""
        verbs = VERBS[magic]
        try:
            verb, args = choose(magic, verbs, line)
        except UsageError as fault:
            raise UserError(f"%{magic} {line}: {fault}") from None
        return verb.code(args)

    def parameters(self, execution: Execution) -> Mapping[str, object]:
        """Return the parameters that a `%%pipeline NAME --params` line declares."""
        header = execution.header("pipeline")
        return step_cell.parameters(step_cell.parse(header.line)) if header else {}

    def around(self, execution: Execution) -> tuple[Code, Code]:
        """Return what goes before and after the body of a `%%track` cell."""
        return track_cell.around(execution) if execution.header("track") else (Code(""), Code(""))
