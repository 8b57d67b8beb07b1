"""Find values that cannot cross to another process, by trying the notebook's own values before steps are final.

The decisions behind it: ARCHITECTURE.md, "Plan".
"""

from __future__ import annotations

import pickle
import pickletools
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mlops_jupyter.capture.value_kinds import is_a, plain
from mlops_jupyter.core.executions import Mark
from mlops_jupyter.core.hidden_names import DRAWING, FILE, MODULE_STATE, SETTINGS
from mlops_jupyter.runtime.codecs import SerializationError, held_secret, load_exact, save_exact
from mlops_jupyter.runtime.fingerprints.fingerprint import fingerprint
from mlops_jupyter.runtime.fingerprints.hooks import is_quiet
from mlops_jupyter.runtime.secret_values import KnownSecrets
from mlops_jupyter.services.pipeline.ports import Recording
from mlops_jupyter.services.pipeline.steps.cell_code import Binding, CellCodes
from mlops_jupyter.services.pipeline.steps.grouping import Group, Obstacle
from mlops_jupyter.services.pipeline.steps.process_bound import ProcessBound, is_decimal_context, keeps_results

NOT_TRANSFERABLE = {
    DRAWING: "a figure that pyplot had open is drawn on",
    SETTINGS: "a library was set up with values of the notebook",
}
"""Hidden variable that no artifact can carry -> why the steps that share it are merged."""


class Crossing:
    """Finds obstacles to values that cross between steps. Reads the notebook's values; changes nothing.

    A value that the notebook no longer holds is judged by what capture noted, else by the present value of its name.

    Parameters
    ----------
    secrets : what no value that crosses may hold.
    """

    def __init__(self, recording: Recording, parts: CellCodes, secrets: KnownSecrets) -> None:
        self._namespace = recording.namespace
        self._folder = recording.folder
        self._secrets = secrets
        self._parts = parts
        self._process_bound = ProcessBound(recording.namespace, parts)

    def obstacles(self, groups: Sequence[Group]) -> list[Obstacle]:
        """Return the obstacles: values that would have to cross between groups, and cannot."""
        obstacles: list[Obstacle] = []
        needs = dict.fromkeys(need for group in groups for need in self._parts.values(group.members))
        reasons = {need: self._cannot_cross(need) for need in needs}  # once each, however many groups take it
        for group in groups:
            for need in self._parts.values(group.members):
                reason = reasons[need]
                if reason:
                    user = next(m for m in group.members if need in self._parts.reads(m))
                    obstacles.append((need.maker, user, f"{need.name!r} {reason}"))
            obstacles += [*self._views(group), *self._state(group), *self._generated_files(group)]
            obstacles += self._files_with_secrets(group)
            obstacles += self._process_bound.obstacles(group)
        return obstacles

    def _state(self, group: Group) -> Iterator[Obstacle]:
        """Yield obstacles of state that no artifact can carry: open figures, libraries set up with values."""
        kept_by_modules = {
            n: f"{n.removeprefix(MODULE_STATE)!r} keeps what was done with it in its process"
            for member in group.members
            for n in self._parts.graph.producers[member]
            if n.startswith(MODULE_STATE)
        }
        for name, reason in {**NOT_TRANSFERABLE, **kept_by_modules}.items():
            for maker in reversed(self._parts.earlier(name, group.members)):
                if self._parts[maker].execution.writes[name] == Mark.UNKNOWN:
                    yield maker, group.members[0], reason

    def _generated_files(self, group: Group) -> Iterator[Obstacle]:
        """Yield obstacles of files of other steps whose names `tempfile` made up: each run makes up other names."""
        for member in group.members:
            for need in self._parts.reads(member):
                elsewhere = need.maker in self._parts and need.maker not in group.members
                mark = self._parts.graph.history[need.maker].writes.get(need.name)
                if (
                    elsewhere
                    and need.name.startswith(FILE)
                    and mark == Mark.UNKNOWN
                    and not self._parts.discards(member, need.name)
                ):
                    yield need.maker, member, "a temporary file is used, whose name is another in each run"

    def _files_with_secrets(self, group: Group) -> Iterator[Obstacle]:
        """Yield obstacles of files that other steps write, and that hold secrets."""
        for member in group.members if self._secrets else ():
            for need in self._parts.reads(member):
                if not need.name.startswith(FILE) or need.maker not in self._parts or need.maker in group.members:
                    continue
                path = self._folder / need.name.removeprefix(FILE)
                if path.is_file() and (secret := self._secrets.held_by(path.read_bytes())):
                    yield need.maker, member, f"{path.name!r} holds the secret {secret!r}, which no store may"

    def _cannot_cross(self, need: Binding) -> str:
        """Return why a value cannot leave the process that made it; "" if it can, as far as is known.

        If the notebook no longer has the value, and no cell saw that it was unpicklable, the present value of its name
        is tried in its place.
        """
        if need.maker not in self._parts:
            return ""
        mark = self._parts[need.maker].execution.writes.get(need.name)
        if mark == Mark.CODE:
            return "is a function or module bound to another name"
        gone = self._parts.graph.last.get(need.name) != need.maker
        if gone and (mark == Mark.UNKNOWN or self._was_unpicklable(need)):
            return "cannot cross to another process"
        if need.name not in self._namespace:
            return ""
        value = self._namespace[need.name]
        if secret := held_secret(self._secrets, value):
            return f"holds the secret {secret!r}, which no store may"
        if plain(value):
            return ""
        if keeps_results(value):
            return "is a function that keeps its results in its process"
        if is_decimal_context(value):
            return "is the context of decimal numbers in its process"
        try:
            saved = save_exact({need.name: value})
        except SerializationError as fault:
            return f"cannot cross to another process ({fault})"
        names = notebook_names(saved.data)
        inner = [name for name in sorted(names) if not self._at_module_level(name)]
        if inner:
            return f"holds {inner[0]!r}, which only its own step can define"
        classes: list[Any] = [kind for name in names if is_a(kind := self._namespace.get(name), type)]
        reason = cannot_be_read(load_exact, saved.data)
        if reason or all(map(is_quiet, classes)):
            return reason
        same = fingerprint(load_exact(saved.data)[need.name]) == fingerprint(value)
        return "" if same else "is another value once it has been pickled and read back"

    def _was_unpicklable(self, need: Binding) -> bool:
        """Say whether the value of a name was seen to be unpicklable when a cell deleted or rebound the name."""
        for execution in self._parts.graph.history[need.maker + 1 :]:
            bound = execution.writes.get(need.name, Mark.TIED) != Mark.TIED and need.name not in execution.mutated
            if bound or need.name in execution.deletes:
                return need.name in execution.unpicklable
        return False

    def _at_module_level(self, name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Say whether a definition of the notebook will stand at the top of a module, where unpickling finds it.

        A definition that uses values does not, nor does one that uses such a definition.
        """
        last_makers = self._parts.graph.last
        if (
            name not in last_makers
            or last_makers[name] not in self._parts
            or not self._parts.is_code(Binding(name, last_makers[name]))
        ):
            return False
        part = self._parts[last_makers[name]]
        statement = part.binding(name)
        own = part.facts.deferred_reads.get(name, frozenset()) | (statement.reads if statement else frozenset())
        used = {n for n in own if n in last_makers and last_makers[n] in self._parts} - seen - {name}
        return all(self._at_module_level(n, seen | {name}) for n in used)

    def _views(self, group: Group) -> Iterator[Obstacle]:
        """Yield obstacles of arrays that share memory, were made in other groups, and change in place in this one."""
        for member in group.members:
            execution = self._parts.graph.history[member]
            for sharing in execution.alias_groups:
                taken = {n.name: n for n in self._parts.values(group.members) if n.name in sharing}
                changed = [n for n in taken if n in execution.mutated]
                if len(changed) > 1 and self._share_memory(changed):
                    yield (
                        taken[changed[0]].maker,
                        member,
                        f"{changed[0]!r} and {changed[1]!r} share memory and change together",
                    )

    def _share_memory(self, names: Sequence[str]) -> bool:
        numpy = sys.modules.get("numpy")
        return numpy is not None and any(isinstance(self._namespace.get(name), numpy.ndarray) for name in names)


def cannot_be_read(read: Callable[..., object], *saved: object) -> str:
    """Return why saved bytes cannot be read back without the notebook; "" if they can.

    They are read in a new thread, whose stack holds no frame of the notebook: formulas look for functions in the frames
    of their callers.
    """
    with ThreadPoolExecutor(1) as executor:
        fault = executor.submit(read, *saved).exception()
    return f"cannot be read back in another process ({type(fault).__name__})" if fault else ""


def notebook_names(data: bytes) -> set[str]:
    """Return the names of the notebook's own functions and classes that pickled bytes refer to."""
    if b"__main__" not in data:
        return set()
    names: set[str] = set()
    pushed: list[object] = ["", ""]
    memo: dict[object, object] = {}
    try:
        for operation, argument, _ in pickletools.genops(data):
            if operation.name == "FRAME":
                continue
            if operation.name == "GLOBAL" and str(argument).startswith("__main__ "):
                names.add(str(argument).split(" ")[1].split(".")[0])
            elif operation.name == "STACK_GLOBAL" and pushed[-2] == "__main__":
                names.add(str(pushed[-1]).split(".")[0])
            if operation.name == "MEMOIZE":
                memo[len(memo)] = pushed[-1]
            elif operation.name in ("BINPUT", "LONG_BINPUT"):
                memo[argument] = pushed[-1]
            elif operation.name in ("BINGET", "LONG_BINGET"):
                pushed = [pushed[-1], memo.get(argument)]
            else:
                pushed = [pushed[-1], argument]
    except (ValueError, pickle.UnpicklingError):
        return {"__main__"}
    return names
