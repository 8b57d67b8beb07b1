"""What the notebook holds now, as far as a plan needs it: its values to prove against, its first states, its data."""

from __future__ import annotations

import json
import pickle
import pickletools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from mlops_jupyter.analysis.graph import DRAWING, SETTINGS
from mlops_jupyter.capture.reach import is_ours, plain
from mlops_jupyter.capture.values import UNKNOWN
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import INITIAL, Expected, Step
from mlops_jupyter.runtime.codecs import (
    PICKLED,
    Saved,
    SerializationError,
    load_exact,
    read_open,
    save_exact,
    save_open,
)
from mlops_jupyter.runtime.compare import shown
from mlops_jupyter.runtime.fingerprint import fingerprint
from mlops_jupyter.runtime.hashing import content_digest
from mlops_jupyter.runtime.state import FILE, initial_file
from mlops_jupyter.services.pipeline.grouping import Group
from mlops_jupyter.services.pipeline.parts import Need, Parts
from mlops_jupyter.services.pipeline.ports import Recording

SAID = {
    DRAWING: "a figure that pyplot had open is drawn on",
    SETTINGS: "a library was set up with values of the notebook",
}
"""Why steps are merged for state that no artifact carries."""

EXPECTED_BYTES = 32 * 2**20
"""A value up to this size travels with the bundle; of a larger one the fingerprint does."""

LINE_BYTES = 200
"""A json value up to this size stands in the list of expected values itself: a file for each number is many files."""


@dataclass
class Proof:
    """What goes into the bundle beside the code. Filled while it is collected."""

    expected: tuple[Expected, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Evidence:
    """Answers questions about live values; a value that the notebook no longer holds is not guessed at."""

    def __init__(self, recording: Recording, parts: Parts, data_bytes: int) -> None:
        self.notes: list[str] = []
        self._recording = recording
        self._namespace = recording.namespace
        self._parts = parts
        self._data_bytes = data_bytes
        self._saved: dict[str, Saved] = {}

    def cannot_part(self, groups: Sequence[Group]) -> list[tuple[int, int, str]]:
        """Return (maker, user, reason) for each value that would have to cross between groups and cannot."""
        found = []
        needs = dict.fromkeys(need for each in groups for need in self._parts.values(each.members))
        reasons = {need: self._stuck(need) for need in needs}  # once each, however many groups take it
        for each in groups:
            for need in self._parts.values(each.members):
                reason = reasons[need]
                if reason:
                    user = next(m for m in each.members if need in self._parts.reads(m))
                    found.append((need.maker, user, f"{need.name!r} {reason}"))
            found += [*self._views(each), *self._uncarried(each)]
        return found

    def _uncarried(self, each: Group) -> Iterator[tuple[int, int, str]]:
        """Find state that no artifact carries: open figures that are drawn on, libraries set up with values."""
        for name, reason in SAID.items():
            for maker in reversed(self._parts.earlier(name, each.members)):
                if self._parts[maker].execution.writes[name] == UNKNOWN:
                    yield maker, each.members[0], reason

    def _stuck(self, need: Need) -> str:
        """Why a value cannot leave the process that made it; "" if it can, as far as can be known now.

        Of a value that the notebook no longer has, and that nobody saw to be stuck, the one that its name has now is
        taken to be of the same kind.
        """
        if need.maker not in self._parts:
            return ""
        mark = self._parts[need.maker].execution.writes.get(need.name)
        if mark == "code":
            return "is a function or module bound to another name"
        gone = self._parts.graph.last.get(need.name) != need.maker
        if gone and (mark == UNKNOWN or self._was_stuck(need)):
            return "cannot cross to another process"
        if need.name not in self._namespace:
            return ""
        value = self._namespace[need.name]
        if plain(value):
            return ""
        try:
            saved = save_exact({need.name: value})
        except SerializationError as fault:
            return f"cannot cross to another process ({fault})"
        inner = [name for name in sorted(notebook_names(saved.data)) if not self._at_module_level(name)]
        if inner:
            return f"holds {inner[0]!r}, which only its own step can define"
        return _unread(load_exact, saved.data)

    def _was_stuck(self, need: Need) -> bool:
        """Whether the cell that let go of a value saw that it could not have left the process."""
        for execution in self._parts.graph.history[need.maker + 1 :]:
            bound = execution.writes.get(need.name, "tied") != "tied" and need.name not in execution.mutated
            if bound or need.name in execution.deletes:
                return need.name in execution.stuck
        return False

    def _at_module_level(self, name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether a definition of the notebook will stand at the top of a module, where unpickling finds it.

        One that uses values does not, nor one that uses another such.
        """
        made = self._parts.graph.last
        if name not in made or made[name] not in self._parts or not self._parts.is_code(Need(name, made[name])):
            return False
        part = self._parts[made[name]]
        statement = part.binding(name)
        own = part.facts.late_reads.get(name, frozenset()) | (statement.reads if statement else frozenset())
        used = {n for n in own if n in made and made[n] in self._parts} - seen - {name}
        return all(self._at_module_level(n, seen | {name}) for n in used)

    def _views(self, each: Group) -> Iterator[tuple[int, int, str]]:
        """Find arrays that share memory, were made elsewhere, and are changed in place here."""
        for member in each.members:
            execution = self._parts.graph.history[member]
            for sharing in execution.groups:
                taken = {n.name: n for n in self._parts.values(each.members) if n.name in sharing}
                changed = [n for n in taken if n in execution.mutated]
                if len(changed) > 1 and self._share_memory(changed):
                    yield (
                        taken[changed[0]].maker,
                        member,
                        f"{changed[0]!r} and {changed[1]!r} share memory and change together",
                    )

    def _share_memory(self, names: Sequence[str]) -> bool:
        import sys

        numpy = sys.modules.get("numpy")
        values = [self._namespace.get(n) for n in names]
        return numpy is not None and sum(isinstance(v, numpy.ndarray) for v in values) > 0

    def deliverable(self, chosen: Mapping[str, int], explicit: bool) -> dict[str, int]:
        """Keep what can be saved in a format that a person can open.

        Raises
        ------
        UserError
            An output that the user named cannot be saved.
        """
        kept = {}
        for name, maker in chosen.items():
            try:
                self._saved[name] = saved = save_open(self._value(name))
            except SerializationError as fault:
                if explicit:
                    raise UserError(
                        f"the output {name!r} cannot be saved: {fault.reason}; name another with --outputs"
                    ) from fault
                if not is_ours(self._value(name)):
                    self.notes.append(f"{name!r} is not delivered: {fault.reason}")
            else:
                kept[name] = maker
                reason = _unread(read_open, saved.data, saved.format) if saved.format in PICKLED else ""
                if reason:
                    self.notes.append(f"{name!r} is delivered, but {reason}")
        return kept

    def _value(self, name: str) -> object:
        """Return a live value; IPython's list of a shell line's output is a list in a bundle."""
        value = self._namespace[name]
        return list(value) if type(value).__name__ == "SList" else value

    def collect(self, package: str, steps: Sequence[Step], delivered: Mapping[str, int]) -> Proof:
        """Gather expected values, first states of hidden variables, and data files."""
        proof = Proof()
        first = f"src/{package}/initial"
        proof.expected = tuple(self._expected(name, proof) for name in delivered)
        outside: dict[str, object] = {}
        for name in dict.fromkeys(n for step in steps for n, maker in step.inputs.items() if maker == INITIAL):
            if name.startswith(FILE):
                self._data(name.removeprefix(FILE), first, proof, outside)
            else:
                proof.files[f"{first}/{initial_file(name)}"] = json.dumps(self._recording.initial(name)).encode()
        if outside:
            proof.files[f"{first}/files.json"] = json.dumps(outside, indent=1).encode()
        return proof

    def _expected(self, name: str, proof: Proof) -> Expected:
        value = self._value(name)
        saved = self._saved[name]
        mark = fingerprint(value)
        inline = saved.format == "json" and len(saved.data) <= LINE_BYTES
        file = ""
        if not inline and len(saved.data) <= EXPECTED_BYTES and not notebook_names(saved.data):
            file = f"{name}{saved.suffix}"
            proof.files[f"tests/expected/{file}"] = saved.data
        return Expected(
            name=name,
            fingerprint=mark if isinstance(mark, str) else "",
            file=file,
            json=saved.data.decode() if inline else "",
            format=saved.format,
            shown=shown(value),
        )

    def _data(self, path: str, first: str, proof: Proof, outside: dict[str, object]) -> None:
        """Take a data file along, or say where it lies and what is in it."""
        where = self._recording.folder / path
        if not where.is_file():
            proof.notes.append(f"the data file {path!r} is no longer there: give its folder with --data")
            return
        size = where.stat().st_size
        if size <= self._data_bytes and not path.startswith("/"):
            proof.files[f"{first}/files/{path}"] = where.read_bytes()
        else:
            data = where.read_bytes()
            outside[path] = {"bytes": size, "digest": content_digest(data), "at": str(where)}


def _unread(read: Callable[..., object], *saved: object) -> str:
    """Say why a value cannot be read back where nothing of the notebook is around it; "" if it can.

    A thread has a stack of its own: formulas look for functions in whatever calls them, and here that is the notebook.
    """
    with ThreadPoolExecutor(1) as elsewhere:
        fault = elsewhere.submit(read, *saved).exception()
    return f"cannot be read back in another process ({type(fault).__name__})" if fault else ""


def notebook_names(data: bytes) -> set[str]:
    """Return the names of the notebook's own functions and classes that pickled bytes refer to."""
    if b"__main__" not in data:
        return set()
    found: set[str] = set()
    pushed: list[object] = ["", ""]
    memo: dict[object, object] = {}
    try:
        for operation, argument, _ in pickletools.genops(data):
            if operation.name == "FRAME":
                continue
            if operation.name == "GLOBAL" and str(argument).startswith("__main__ "):
                found.add(str(argument).split(" ")[1].split(".")[0])
            elif operation.name == "STACK_GLOBAL" and pushed[-2] == "__main__":
                found.add(str(pushed[-1]).split(".")[0])
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
    return found
