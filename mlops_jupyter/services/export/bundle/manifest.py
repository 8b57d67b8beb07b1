"""`.bundle.json`: what an export wrote, and its options, so that the next export knows what a person has edited."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.runtime.hashing import written_file_digest, written_line_digest
from mlops_jupyter.services.export.bundle.create import MARK, BundleFiles
from mlops_jupyter.services.export.bundle.read import contents, mapping, schedule, texts
from mlops_jupyter.services.export.bundle.transaction import inside
from mlops_jupyter.services.pipeline.planner import PlanRequest

NAME = ".bundle.json"
FORMAT = 1

UNASKED = ("python",)
"""The targets of an export that names none."""

UNEDITED = ("/runtime/", "/initial/", "tests/expected/")
"""Parts of paths of files in which nobody marks regions: the manifest has no digests of their lines."""


@dataclass(frozen=True)
class Manifest:
    """What the last export wrote, and what it was asked for.

    Attributes
    ----------
    request, targets : what it was asked for.
    files : path -> digest of what was written.
    lines : path -> digests of its lines, for files in which a person may mark regions.
    """

    request: PlanRequest
    targets: tuple[str, ...]
    files: Mapping[str, str]
    lines: Mapping[str, tuple[str, ...]]

    def over(self, request: PlanRequest, targets: Sequence[str]) -> tuple[PlanRequest, tuple[str, ...]]:
        """Return the request and the targets of an update: those given now, and for the rest those of the last export.

        Raises
        ------
        UserError
            The request names another pipeline.
        """
        if request.name not in ("", self.request.name):
            raise UserError(
                f"--update keeps the bundle's name {self.request.name!r}: leave --name {request.name!r} out, "
                "or export without --update"
            )
        defaults = PlanRequest("")
        given = {name: value for name, value in vars(request).items() if value != getattr(defaults, name)}
        return replace(self.request, **given), self.targets if tuple(targets) == UNASKED else tuple(targets)


def of(bundle: BundleFiles, request: PlanRequest, targets: Sequence[str]) -> Manifest:
    """Return the manifest of a rendered bundle."""
    files = {path: written_file_digest(data) for path, data in sorted(bundle.items())}
    edited = (path for path in files if not any(part in path for part in UNEDITED))
    lines = {path: marks(lines_of(text)) for path in edited if (text := decoded(bundle[path])) is not None}
    return Manifest(request, tuple(targets), files, lines)


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, without their ends."""
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


def marks(lines: Iterable[str]) -> tuple[str, ...]:
    """Return a digest for each line: enough to tell which of them are still there, not to read them."""
    return tuple(map(written_line_digest, lines))


def decoded(data: bytes) -> str | None:
    """Return the text of a file's content; None if it is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def written(manifest: Manifest) -> bytes:
    """Return the content of `.bundle.json`."""
    request = {name: value for name, value in asdict(manifest.request).items() if value not in (None, "", [], ())}
    if manifest.request.schedule:
        request["schedule"] = {name: value for name, value in vars(manifest.request.schedule).items() if value}
    facts = {
        "format": FORMAT,
        "request": request,
        "targets": list(manifest.targets),
        "files": dict(sorted(manifest.files.items())),
        "lines": {path: "".join(each) for path, each in sorted(manifest.lines.items())},
    }
    return (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode()


def read(folder: Path) -> Manifest:
    """Read the manifest of a bundle.

    Raises
    ------
    NotFoundError
        There is no bundle.
    UserError
        The bundle was made before exports wrote a manifest, or its manifest cannot be read.
    """
    if not (folder / MARK).is_file():
        raise NotFoundError(f"no bundle at {str(folder)!r}: make one with export, without --update")
    try:
        facts = json.loads(contents(folder / NAME))
        if facts["format"] != FORMAT:
            raise UserError(f"{str(folder / NAME)!r} was written by a newer version of mlops_jupyter: upgrade it")
        files, lines = mapping("files", facts["files"], str), mapping("lines", facts["lines"], str)
        inside(folder, files)
        return Manifest(
            request=_request(mapping("request", facts["request"])),
            targets=texts("targets", facts["targets"]),
            files=files,
            lines={path: tuple(text[n : n + 8] for n in range(0, len(text), 8)) for path, text in lines.items()},
        )
    except FileNotFoundError:
        raise UserError(
            f"the bundle {str(folder)!r} does not say what was written (it has no {NAME}): move it away, "
            "and export it anew"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as fault:
        raise UserError(
            f"{str(folder / NAME)!r} cannot be read ({type(fault).__name__}: {fault}): move the bundle away, "
            "and export it anew"
        ) from fault


def _request(facts: Mapping[str, Any]) -> PlanRequest:
    known = {field.name for field in fields(PlanRequest)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in facts.items() if name in known
    }
    if values.get("schedule"):
        values["schedule"] = schedule(values["schedule"])
    return PlanRequest(**values)
