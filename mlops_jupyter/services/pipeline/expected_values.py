"""The expected values that prove a bundle, with the initial hidden variables and data files that a run needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlops_jupyter.capture.value_kinds import is_a, is_ours, is_own_wrapper, module_of
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.hidden_names import ENVIRON, FILE
from mlops_jupyter.core.plan import INITIAL, ExpectedValue, PlanStep
from mlops_jupyter.runtime.codecs import PICKLED, Saved, SerializationError, held_secret, read_open, save_open
from mlops_jupyter.runtime.fingerprints.fingerprint import fingerprint
from mlops_jupyter.runtime.hashing import content_digest
from mlops_jupyter.runtime.hidden.registry import initial_file
from mlops_jupyter.runtime.secret_files import holds_secrets
from mlops_jupyter.runtime.secret_values import KnownSecrets
from mlops_jupyter.runtime.verify.compare import shown
from mlops_jupyter.services.pipeline.ports import Recording
from mlops_jupyter.services.pipeline.secret_sources import is_foreign_secret
from mlops_jupyter.services.pipeline.steps.crossing import cannot_be_read, notebook_names

EXPECTED_BYTES = 32 * 2**20
"""Size in bytes up to which a value travels with the bundle; of a larger value only the fingerprint does."""

LINE_BYTES = 200
"""Size in bytes up to which a JSON value stands in the list of expected values itself instead of in its own file."""


@dataclass
class ExpectedFiles:
    """The expected values and data files of a bundle. `ExpectedValues.collect` fills it.

    Attributes
    ----------
    expected : one entry for each delivered value, in the order of delivery.
    files : path in the bundle -> content.
    notes : what the user should know about these values and files.
    """

    expected: tuple[ExpectedValue, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class ExpectedValues:
    """Saves the notebook's present values. Reads the namespace and the data files; changes neither.

    Parameters
    ----------
    data_bytes : size in bytes up to which a data file travels with the bundle.
    secrets : what no value that is saved may hold.
    """

    def __init__(self, recording: Recording, data_bytes: int, secrets: KnownSecrets) -> None:
        self._recording = recording
        self._namespace = recording.namespace
        self._data_bytes = data_bytes
        self._secrets = secrets
        self._saved: dict[str, Saved] = {}
        self._notes: list[str] = []

    def savable(self, candidates: Mapping[str, int], explicit: bool) -> dict[str, int]:
        """Return the candidates whose values can be saved in an open format. Keeps the saved bytes.

        Parameters
        ----------
        candidates : name -> position of the execution that made its value.
        explicit : whether the user named these outputs, so that none may be left out.

        Raises
        ------
        UserError
            If an output that the user named cannot be saved, or holds a secret.
        """
        savable_makers = {}
        for name, maker in candidates.items():
            if not explicit and is_own_code(self._value(name)):
                continue
            if secret := held_secret(self._secrets, self._value(name)):
                self._leave_out(name, secret, explicit)
                continue
            try:
                self._saved[name] = saved = save_open(self._value(name))
            except SerializationError as fault:
                if explicit:
                    raise UserError(
                        f"the output {name!r} cannot be saved: {fault.reason}; name another with --outputs"
                    ) from fault
                if not is_ours(self._value(name)):
                    self._notes.append(f"{name!r} is not delivered: {fault.reason}")
                continue
            savable_makers[name] = maker
            reason = cannot_be_read(read_open, saved.data, saved.format) if saved.format in PICKLED else ""
            if reason:
                self._notes.append(f"{name!r} is delivered, but {reason}")
        return savable_makers

    def _leave_out(self, name: str, secret: str, explicit: bool) -> None:
        if explicit:
            raise UserError(
                f"the output {name!r} holds the secret {secret!r}, which no file may: deliver what is made with it"
            )
        self._notes.append(f"{name!r} is not delivered: it holds the secret {secret!r}")

    def _value(self, name: str) -> object:
        """Return the present value of a variable. An `SList` (a shell line's output) becomes a list, as in a bundle."""
        value = self._namespace[name]
        return list(value) if type(value).__name__ == "SList" else value

    def collect(
        self,
        package: str,
        steps: Sequence[PlanStep],
        delivered: Mapping[str, int],
        place: str,
        named: Mapping[str, str],
    ) -> ExpectedFiles:
        """Return the expected values, the initial values of hidden variables, and the data files.

        Parameters
        ----------
        delivered : the outputs, as `savable` returned them.
        place : where the notebook's folder stands in the tree of data files.
        named : path -> parameter, of the data files that other values of parameters name.
        """
        proof = ExpectedFiles(notes=list(self._notes))
        folder = f"src/{package}/initial"
        proof.expected = tuple(self._expected(name, proof) for name in delivered)
        outside: dict[str, object] = {}
        for name in dict.fromkeys(n for step in steps for n, maker in step.inputs.items() if maker == INITIAL):
            if name.startswith(FILE):
                self._take_data_file(name.removeprefix(FILE), f"{folder}/{initial_file(name, place)}", proof, outside)
            elif not name.startswith(ENVIRON):  # the process that runs the step has its own, and it may be a secret
                proof.files[f"{folder}/{initial_file(name)}"] = json.dumps(self._recording.initial(name)).encode()
        for path, parameter in named.items():
            target = f"{folder}/{initial_file(FILE + path, place)}"
            source = self._recording.folder / path
            if target not in proof.files and source.stat().st_size <= self._data_bytes and not holds_secrets(source):
                proof.files[target] = source.read_bytes()
                proof.notes.append(f"the data file {path!r} travels, too: the parameter {parameter!r} may name it")
        if outside:
            proof.files[f"{folder}/files.json"] = json.dumps(outside, indent=1).encode()
        return proof

    def _expected(self, name: str, proof: ExpectedFiles) -> ExpectedValue:
        """Return the entry of one delivered value. Adds the value's file, if it has one, to the proof."""
        value = self._value(name)
        saved = self._saved[name]
        mark = fingerprint(value)
        inline = saved.format == "json" and len(saved.data) <= LINE_BYTES
        file = ""
        if not inline and len(saved.data) <= EXPECTED_BYTES and not notebook_names(saved.data):
            file = f"{name}{saved.suffix}"
            proof.files[f"tests/expected/{file}"] = saved.data
        return ExpectedValue(
            name=name,
            fingerprint=mark if isinstance(mark, str) else "",
            file=file,
            json=saved.data.decode() if inline else "",
            format=saved.format,
            shown=shown(value),
        )

    def _take_data_file(self, path: str, target: str, proof: ExpectedFiles, outside: dict[str, object]) -> None:
        """Add a data file to the proof, or to the index `outside` if it does not travel.

        It does not if it is too large, if the code names it by its whole path, if it holds secrets, or if it lies above
        the notebook's folder and may hold some. Of secrets no digest is kept: a short one could be guessed from it.
        """
        source = self._recording.folder / path
        data = self._recording.original(path)
        if data is None and not source.is_file():
            proof.notes.append(f"the data file {path!r} is no longer there: give its folder with --data")
            return
        data = source.read_bytes() if data is None else data
        if path.startswith("/"):
            proof.notes.append(
                f"the data file {path!r} is read at this whole path, on any machine and whatever --data says: "
                "to take it along, name it from the notebook's folder"
            )
        if holds_secrets(source):
            proof.notes.append(
                f"the data file {path!r} holds secrets and stays out of the bundle: give its folder with --data, "
                "or read the secrets from os.environ"
            )
            outside[path] = {"bytes": len(data), "at": str(source)}
        elif len(data) <= self._data_bytes and not path.startswith("/") and not is_foreign_secret(path):
            proof.files[target] = data
        else:
            outside[path] = {"bytes": len(data), "digest": content_digest(data), "at": str(source)}


def is_own_code(value: object) -> bool:
    """Say whether a value is a class or a decorated function of the notebook: code that keeps something, no result."""
    return module_of(value) == "__main__" if is_a(value, type) else is_own_wrapper(value)
