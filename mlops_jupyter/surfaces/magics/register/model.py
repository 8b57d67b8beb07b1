"""`%register MODEL --name NAME`: evaluate a model and register it as the next version."""

from __future__ import annotations

import ast
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from IPython.core.magic_arguments import argument, magic_arguments

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.surfaces.magics.register.waiting import Waiting
from mlops_jupyter.surfaces.magics.track.expressions import expression, takes_expressions
from mlops_jupyter.surfaces.magics.track.start_run import unquoted
from mlops_jupyter.surfaces.magics.verbs import MagicCode, Verb

if TYPE_CHECKING:
    from mlops_jupyter.services.registry.views import ModelVersion
    from mlops_jupyter.surfaces.magics.session import NotebookSession

EXAMPLE = '%register model --name churn --data X_test,y_test --require "accuracy >= 0.9"'


@takes_expressions
@magic_arguments("register")
@argument("model", nargs="*", metavar="MODEL", help="the model: a Python expression of the notebook")
@argument("--name", default=None, help="what it is registered as")
@argument("--alias", default=None, help="a name for this version, such as challenger")
@argument("--data", nargs="+", default=None, metavar="X,y", help="held-out features and targets to judge it by")
@argument(
    "--require", nargs="+", action="append", default=[], help="'METRIC OP NUMBER' that must hold; may be repeated"
)
def model(session: NotebookSession, args: Namespace) -> ModelVersion:
    """Evaluate a model on held-out data and register it as the next version if it meets every requirement."""
    registration = RegistrationLine(args)
    value = session.value(registration.model)
    data = (session.value(registration.data[0]), session.value(registration.data[1])) if registration.data else None
    run = session.workspace.tracking.active
    with Waiting() as progress:
        return session.workspace.registry.register(
            value,
            registration.name,
            registration.alias,
            data,
            registration.require,
            run=run.id if run else None,
            progress=progress,
        )


class RegistrationLine:
    """A parsed and checked line: the expressions of model and data, the names, the requirements."""

    def __init__(self, args: Namespace) -> None:
        if not args.model:
            raise UserError(f"no model is given: write it first, as in `{EXAMPLE}`")
        if not args.name:
            raise UserError(f"no name is given: write --name NAME, as in `{EXAMPLE}`")
        self.model = expression("MODEL", " ".join(args.model))
        self.name = unquoted(args.name)
        self.alias = unquoted(args.alias) if args.alias else None
        self.data = _pair(" ".join(args.data)) if args.data else None
        self.require = [_requirement(words) for words in args.require]


def _requirement(words: Sequence[str]) -> str:
    from mlops_jupyter.runtime.tracking.gates import Requirement

    return str(Requirement.parse(unquoted(" ".join(words))))


def _pair(text: str) -> tuple[str, str]:
    """Return the two expressions of `X,y`; commas inside brackets do not separate."""
    tree = ast.parse(expression("--data", unquoted(text)), mode="eval").body
    if not isinstance(tree, ast.Tuple) or len(tree.elts) != 2:
        raise UserError(f"--data {text!r} is no pair: write features and targets, as in --data X_test,y_test")
    return ast.unparse(tree.elts[0]), ast.unparse(tree.elts[1])


def code(args: Namespace) -> MagicCode:
    """Return the bundle's call of `register_model`; a requirement that fails there fails the step."""
    registration = RegistrationLine(args)
    parts = [registration.model, f'name="{registration.name}"']
    if registration.alias:
        parts.append(f'alias="{registration.alias}"')
    if registration.data:
        parts.append(f"data=({', '.join(registration.data)})")
    if registration.require:
        parts.append("require=[" + ", ".join(f'"{line}"' for line in registration.require) + "]")
    return MagicCode(f"register_model({', '.join(parts)})", ("tracking.gates:register_model",))


VERB = Verb(model, code)
