"""Runs a notebook without a front end: in a kernel with the extension loaded, which answers a question at the end.

The decisions behind it: ARCHITECTURE.md, "Surfaces".
"""

from __future__ import annotations

import json
import os
import queue
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlops_jupyter.analysis.cells.outline import CodeCell, outline
from mlops_jupyter.core.errors import UserError

START_SECONDS = 120
Say = Callable[[str], None]


def export(
    path: Path, wish: Mapping[str, Any], timeout: float | None, say: Say, allow_errors: bool = False
) -> dict[str, Any]:
    """Run the notebook cell by cell, export it, and return the result of the export (see `surfaces.magics.headless`).

    Parameters
    ----------
    wish : what `services.export.options.from_args` returned, with `output` (a folder), `targets` and a `name`.
    allow_errors : whether to go on after a cell that raised. One that is tagged `raises-exception` always may.

    Raises
    ------
    UserError
        The file is no notebook, a cell raised (the message names both), or the export refused.
    """
    return _asked(path, "answer", wish, timeout, say, allow_errors)


def compare(path: Path, bundle: Path, timeout: float | None, say: Say) -> dict[str, Any]:
    """Run the notebook cell by cell, and return how a bundle differs from it: `Difference.as_json`.

    Raises
    ------
    UserError
        The file is no notebook, a cell raised (the message names both), or the bundle cannot be compared.
    """
    from mlops_jupyter.services.export.bundle import manifest

    allow_errors = manifest.read(bundle).request.allow_errors
    return _asked(path, "comparison", {"bundle": str(bundle.absolute())}, timeout, say, allow_errors)


def program(path: Path, name: str, timeout: float | None, say: Say) -> dict[str, Any]:
    """Run the notebook cell by cell, and return the slice of a name: the program that made its value at the end.

    Raises
    ------
    UserError
        The file is no notebook, a cell raised (the message names both), or the name has no slice.
    """
    return _asked(path, "program", {"name": name}, timeout, say)


def _asked(
    path: Path,
    question: str,
    wish: Mapping[str, Any],
    timeout: float | None,
    say: Say,
    allow_errors: bool = False,
) -> dict[str, Any]:
    """Run the notebook, then return what a function of `surfaces.magics.headless` named `question` answers."""
    cells = outline(read(path))
    if not any(cell.source.strip() for cell in cells):
        raise UserError(f"the notebook {str(path)!r} has no code to run")
    with tempfile.TemporaryDirectory() as folder, kernel(path) as client:
        for cell in cells:
            if cell.source.strip():
                _run_cell(client, cell, len(cells), timeout, say, allow_errors or "raises-exception" in cell.tags)
        answer = Path(folder, "answer.json")
        _ask(client, question, wish, answer)
        if not answer.is_file():
            raise RuntimeError("the kernel ended while it answered")
        result: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    if "fault" in result:
        raise UserError(result["fault"])
    return result


def read(path: Path) -> Mapping[str, Any]:
    """Read a notebook of any format up to 4, as format 4.

    Raises
    ------
    UserError
        There is no such file, or it is no notebook.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors on Windows write a byte order mark
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or "it is not UTF-8 text"
        raise UserError(f"cannot read the notebook {str(path)!r}: {reason}") from fault
    try:
        notebook = json.loads(text)
        version = notebook["nbformat"]
        if version < 4:
            import nbformat

            notebook = nbformat.convert(nbformat.reads(text, as_version=version), 4)  # type: ignore[no-untyped-call]
        "".join(cell.source for cell in outline(notebook)).encode()  # a lone surrogate cannot be sent to the kernel
        language = _language(notebook)
    except Exception as fault:
        reason = f"{type(fault).__name__}: {fault}" if not isinstance(fault, json.JSONDecodeError) else str(fault)
        raise UserError(f"{str(path)!r} is no Jupyter notebook ({' '.join(reason.split())[:200]})") from fault
    if "python" not in language.lower():
        raise UserError(f"the notebook {str(path)!r} is written in {language}, not in Python")
    checked: Mapping[str, Any] = notebook
    return checked


def _language(notebook: Mapping[str, Any]) -> str:
    """Return the programming language in a notebook's metadata, Python if there is none."""
    metadata = notebook.get("metadata") or {}
    languages = [(metadata.get("language_info") or {}).get("name"), (metadata.get("kernelspec") or {}).get("language")]
    return str(next(filter(None, languages), "python"))


@contextmanager
def kernel(path: Path) -> Iterator[Any]:
    """Start a kernel of this Python in the notebook's folder and load the extension; stop the kernel afterwards."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    manager.kernel_spec.argv[0] = sys.executable  # type: ignore[union-attr]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "JPY_SESSION_NAME": str(path.absolute())}
    with tempfile.TemporaryDirectory(prefix="mlops-") as sockets:  # readable by this user alone
        if os.name == "posix":
            manager.transport, manager.ip = "ipc", f"{sockets}/kernel"
        manager.start_kernel(cwd=str(path.absolute().parent), env=environment)
        client = manager.client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=START_SECONDS)
            fault = execute(client, "get_ipython().run_line_magic('load_ext', 'mlops_jupyter')", silent=True)
            if fault:
                raise UserError(fault.removeprefix("UsageError: "))
            yield client
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def _run_cell(client: Any, cell: CodeCell, count: int, timeout: float | None, say: Say, may_raise: bool) -> None:
    began = time.perf_counter()
    metadata = {"cellId": cell.id, "tags": list(cell.tags)}
    where = f"cell {cell.number} of {count}" + (f" ({cell.heading})" if cell.heading else "")
    try:
        fault = execute(client, cell.source, timeout=timeout, metadata=metadata)
    except UserError as ended:
        raise UserError(f"{where}: {ended}; nothing was exported") from None
    if fault and not may_raise:
        hint = "if it is meant to: tag it raises-exception, or --allow-errors"
        raise UserError(f"{where} raised {fault} ({hint}); nothing was exported")
    say(f"{where}: {time.perf_counter() - began:.1f} s" + (f", and raised {fault}" if fault else ""))


def execute(
    client: Any,
    code: str,
    silent: bool = False,
    timeout: float | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> str:
    """Run code in the kernel and wait for its end; return the exception that it raised in one line, "" for none.

    Parameters
    ----------
    timeout : seconds after which the code is interrupted.

    Raises
    ------
    UserError
        The kernel died, the code ended it, or the timeout passed.
    """
    client.session.metadata = dict(
        metadata or {}
    )  # what the front ends send along; `client.execute` has no word for it
    request = client.execute(code, silent, not silent, allow_stdin=False, stop_on_error=False)
    deadline = time.monotonic() + timeout if timeout else None
    while True:
        try:
            reply = client.get_shell_msg(timeout=1)
        except queue.Empty:
            if not client.parent.is_alive():
                raise UserError("the kernel died; see whether the notebook ends it or runs out of memory") from None
            if deadline and time.monotonic() > deadline:
                client.parent.interrupt_kernel()
                raise UserError(f"it took longer than {timeout:g} s (give more with --timeout)") from None
            _drain(client)
            continue
        if reply["parent_header"].get("msg_id") == request:
            break
    _drain(client)
    answer = reply["content"]
    if any(payload.get("source") == "ask_exit" for payload in answer.get("payload") or ()):
        raise UserError("it ends the kernel with exit() or quit(): take that out of it")
    if answer["status"] == "ok":
        return ""
    words = (answer.get("ename", "Error"), answer.get("evalue", ""))
    return ": ".join(" ".join(str(word).split()) for word in words if word)[:500]


def _drain(client: Any) -> None:
    """Discard the output of cells, so that it cannot fill the channel."""
    while True:
        try:
            client.get_iopub_msg(timeout=0)
        except queue.Empty:
            return


def _ask(client: Any, question: str, wish: Mapping[str, Any], answer: Path) -> None:
    code = (
        f"from mlops_jupyter.surfaces.magics.headless import {question} as _mlops_answer\n"
        f"_mlops_answer(get_ipython(), {json.dumps(wish)!r}, {str(answer)!r})"
    )
    fault = execute(client, code, silent=True)
    if fault:
        raise RuntimeError(f"the kernel could not answer: {fault}")
