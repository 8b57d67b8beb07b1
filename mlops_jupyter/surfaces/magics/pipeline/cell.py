"""`%%pipeline NAME`: the cell is a step of the pipeline."""

from __future__ import annotations

import ast
import keyword
import math
from argparse import Namespace
from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Resources
from mlops_jupyter.core.units import seconds, size
from mlops_jupyter.runtime.model.parameters import is_json
from mlops_jupyter.surfaces.magics.verbs import arguments

if TYPE_CHECKING:
    from mlops_jupyter.core.executions import Execution
    from mlops_jupyter.surfaces.magics.session import NotebookSession


LONGEST_NAME = 200
"""Bytes that a step's name may have: files are named after it with some characters more, and file systems allow 255."""


@magic_arguments("%pipeline")
@argument("name", help="the step's name, a Python identifier")
@argument("--params", nargs="+", default=[], metavar="NAME=LITERAL", help="parameters that a run may override")
@argument("--in", dest="inputs", default="", help="names the step takes beside those it is seen to take: a,b")
@argument(
    "--out", dest="outputs", default="", help="the only names that the step gives: a,b; it must make each of them"
)
@argument("--cpu", default=None, metavar="N", help="processors that the step asks of an orchestrator, as 2 or 0.5")
@argument("--memory", default=None, metavar="SIZE", help="memory that it asks for, as 4GB")
@argument("--gpu", type=int, default=None, metavar="N", help="devices that it asks for")
@argument("--retries", type=int, default=None, metavar="N", help="how often it is tried again where it fails")
@argument("--backoff", default=None, metavar="TIME", help="pause before the first retry, doubled for each later one")
@argument(
    "--cache", action="store_true", help="take the step from the cache although it reads the clock, the network ..."
)
@argument("--timeout", default=None, metavar="TIME", help="after which a try is ended, as 30m")
def step(args: Namespace) -> Namespace:
    """Make the cell a step; what it reads and writes is recorded when it runs."""
    return args


def parse(line: str) -> Namespace:
    """Parse and check a `%%pipeline` line.

    Raises
    ------
    UserError
        The name is missing, no identifier or too long, a flag is unknown or has a bad amount, or a parameter is not
        NAME=LITERAL.
    """
    args = arguments(step, line)
    if not args.name.isidentifier() or keyword.iskeyword(args.name):
        raise UserError(f"{args.name!r} is no step name: use letters, digits and underscores, as in load_data")
    if (length := len(args.name.encode())) > LONGEST_NAME:
        raise UserError(
            f"step name {args.name[:20]!r}… has {length} bytes, and files are named so: {LONGEST_NAME} at most"
        )
    parameters(args)
    resources(args)
    return args


def parameters(args: Namespace) -> dict[str, object]:
    """Return the parameters of a parsed line with their default values."""
    defaults = {}
    for text in args.params:
        name, equals, literal = text.partition("=")
        try:
            if not equals or not name.isidentifier():
                raise ValueError
            defaults[name] = ast.literal_eval(literal)
        except (ValueError, SyntaxError):
            raise UserError(f"{text!r} is no parameter: write NAME=LITERAL, as in n_estimators=200") from None
        if not is_json(defaults[name]):
            raise UserError(f"{text!r} is no parameter: JSON, in which a run gets it, has no such value")
    return defaults


def resources(args: Namespace) -> Resources:
    """Return the resources and retries that a parsed line requests for its step."""
    try:
        cpu = float(args.cpu) if args.cpu else None
    except ValueError:
        cpu = math.nan
    for flag, amount in (("cpu", cpu), ("gpu", args.gpu), ("retries", args.retries)):
        if amount is not None and not 0 < amount < math.inf:
            raise UserError(f"--{flag} {getattr(args, flag)} is no amount: give a number above 0")
    return Resources(
        cpu=cpu,
        memory_bytes=size(args.memory) if args.memory else None,
        gpu=args.gpu,
        retries=args.retries or 0,
        backoff_seconds=seconds(args.backoff) if args.backoff else None,
        timeout_seconds=seconds(args.timeout) if args.timeout else None,
    )


def names(text: str) -> list[str]:
    """Split "a,b" into names."""
    return [n.strip() for n in text.split(",") if n.strip()]


class StepCell:
    """Binds the declared parameters before the cell runs, and checks afterwards that it made its `--out` names."""

    def __init__(self, session: NotebookSession) -> None:
        self._session = session

    def check(self, line: str) -> None:
        """Raise `UserError` for a bad line before the cell runs."""
        parse(line)

    def begin(self, line: str, body: str) -> object:
        """Bind the parameters in the notebook's namespace; raise `UserError` if an `--in` name is not there."""
        args = parse(line)
        namespace = self._session.shell.user_ns
        namespace.update(parameters(args))
        unknown = [n for n in names(args.inputs) if n not in namespace]
        if unknown:
            raise UserError(f"--in names {', '.join(map(repr, unknown))}, which no cell has made")
        return args

    def bound(self, state: object) -> Set[str]:
        """Return the names of the parameters."""
        args: Any = state
        return parameters(args).keys()

    def end(self, state: object, execution: Execution, namespace: Mapping[str, Any]) -> None:
        """Raise `UserError` if the cell ran without an error, but did not make all its `--out` names."""
        args: Any = state
        missing = [n for n in names(args.outputs) if n not in namespace]
        if missing and not execution.error:
            raise UserError(f"step {args.name!r} did not make {', '.join(map(repr, missing))} that --out promises")
