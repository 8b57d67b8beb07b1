"""Format generated Python with ruff: remove unused imports, sort the rest, and lay out the code.

The decisions behind it: ARCHITECTURE.md, "Plan".
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from ruff import find_ruff_bin  # type: ignore[import-untyped]

RULES = "F401,I001"
KEEP = "  # noqa: F401 keep"
"""Comment that keeps an import whose name is never used; removed again after formatting."""

USED = re.compile(r"^__all__ = .*  # in strings$\n", re.MULTILINE)
"""The line that `using` writes: ruff counts the names in `__all__` as used."""

UNSORTED = "# isort: skip_file\n"
"""Comment at the top of a text whose imports must keep their order; removed again after sorting."""

LINE_LENGTH = 100

OPTIONS = ("--isolated", "--quiet", "--line-length", f"{LINE_LENGTH}", "--no-cache")


def format_all(texts: Mapping[str, str], package: str) -> dict[str, str]:
    """Return all texts formatted, under the same keys. Ruff runs once for all of them, so 1,000 cells cost as one.

    Parameters
    ----------
    package : the bundle's own package, whose imports come last.

    Raises
    ------
    RuntimeError
        If ruff cannot read a generated text: a fault of ours.
    """
    own = f'lint.isort.known-first-party = ["{package}"]'
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{number}.py" for number, name in enumerate(texts)}
        for name, path in paths.items():
            path.write_text(texts[name], encoding="utf-8", newline="\n")
        _ruff(["check", "--fix", "--select", RULES, "--exit-zero", "--config", own, folder], texts)
        for path in (paths[name] for name, text in texts.items() if UNSORTED in text or USED.search(text)):
            text = USED.sub("", path.read_text(encoding="utf-8")).replace(UNSORTED, "")
            path.write_text(text, encoding="utf-8", newline="\n")
        _ruff(["format", folder], texts)
        return {name: path.read_text(encoding="utf-8").replace(KEEP, "") for name, path in paths.items()}


def _ruff(words: list[str], texts: Mapping[str, str]) -> None:
    done = subprocess.run([find_ruff_bin(), *words, *OPTIONS], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"ruff {words[0]} refused generated code:\n{done.stderr}\n{_numbered(texts)}")


def using(names: Iterable[str]) -> str:
    """Return a line to append to a text whose strings may use names, so that their imports stay while formatting."""
    used = sorted(names)
    return f"__all__ = {used!r}  # in strings\n" if used else ""


def _numbered(texts: Mapping[str, str]) -> str:
    return "\n".join(f"# {name}\n{text}" for name, text in texts.items())
