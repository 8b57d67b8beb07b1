"""Generated Python made readable by ruff: unused imports out, the rest sorted, one format."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from ruff import find_ruff_bin  # type: ignore[import-untyped]

RULES = "F401,I001"
KEEP = "  # noqa: F401 keep"
"""At the end of an import that must stay though its name is never used; taken out again."""

USED = re.compile(r"^__all__ = .*  # in strings$\n", re.MULTILINE)
"""What `using` writes: ruff counts names of `__all__` as used."""

UNSORTED = "# isort: skip_file\n"
"""At the top of a text whose imports must stay in their order; taken out again."""

LINE_LENGTH = 100

OPTIONS = ("--isolated", "--quiet", "--line-length", f"{LINE_LENGTH}", "--no-cache")


def format_all(texts: Mapping[str, str], package: str) -> dict[str, str]:
    """Return each text formatted; keys are kept. One call of ruff for all, so 1,000 cells cost as one.

    Parameters
    ----------
    package : the bundle's own, whose imports come last.

    Raises
    ------
    RuntimeError
        Ruff does not read what we wrote: a fault of ours, with its message.
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
    """Return what is put under a text whose strings may use names: their imports stay. It is taken out again."""
    used = sorted(names)
    return f"__all__ = {used!r}  # in strings\n" if used else ""


def _numbered(texts: Mapping[str, str]) -> str:
    return "\n".join(f"# {name}\n{text}" for name, text in texts.items())
