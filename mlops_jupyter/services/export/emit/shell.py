"""Parts of the POSIX shell programs that run a bundle: its folder, its interpreter, its secrets."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_jupyter.services.export.emit.python import identifier

START = """\
set -u
home=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) && cd "$home" || exit 2
python=$home/.venv/bin/python
[ -x "$python" ] || python=python3
export PYTHONPATH="$home/src"
"""
"""The first lines of a program in a folder of the bundle: they take its own interpreter, or else the machine's."""


def secrets(names: Iterable[str], folder: str) -> str:
    """Return lines that set environment variables from files of their names; they exit if one cannot be read.

    The program must have a function `say` that prints an error.

    Parameters
    ----------
    names : names of the environment variables.
    folder : the folder of the files, as a word of the shell.
    """
    words = " ".join(identifier(name, "secret") for name in names)
    if not words:
        return ""
    return f"""\
for name in {words}; do
  file={folder}/$name
  value=$(cat -- "$file" 2>/dev/null) || {{ say "secret $name: write it to $file"; exit 2; }}
  export "$name=$value"
done
"""


def keeping(package: str, names: Iterable[str]) -> str:
    """Return commands by which a person writes secrets to files in `~/.config/PACKAGE/secrets`; "" without secrets."""
    files = "".join(
        f"(umask 077; cat > ~/.config/{package}/secrets/{name})    # then type it, and Ctrl-D\n" for name in names
    )
    return f"install -d -m 700 ~/.config/{package}/secrets\n{files}" if files else ""
