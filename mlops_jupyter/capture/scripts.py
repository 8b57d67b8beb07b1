"""The files that `%run` runs: which, how, and what their text says of the notebook's names."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlops_jupyter.analysis.cells import Segment, SegmentKind, segments, split_headers, to_python
from mlops_jupyter.analysis.cells.magics import RUNS_HERE
from mlops_jupyter.analysis.cells.outline import outline
from mlops_jupyter.analysis.facts.extract import ParseError, SourceFacts, extract_facts
from mlops_jupyter.analysis.syntax.parsing import LINE_END

OPTIONS = re.compile(r"-[neitpdGm]+")


@dataclass(frozen=True)
class ScriptCall:
    """One `%run` line.

    Attributes
    ----------
    path : as written, its `.py` added where that was left out.
    arguments : what the file finds in `sys.argv`.
    options : letters, as in "in".
    """

    path: Path
    arguments: tuple[str, ...]
    options: str

    @property
    def inside(self) -> bool:
        """Whether the file runs among the notebook's variables, as if it stood in the cell."""
        return "i" in self.options or self.path.suffix in (".ipynb", ".ipy")


def parse(line: str) -> ScriptCall:
    """Read what follows `%run`.

    Raises
    ------
    ValueError
        The line names no file, or its quotes do not match.

    Examples
    --------
    >>> parse("-i prepare.py --n 3")
    ScriptCall(path=PosixPath('prepare.py'), arguments=('--n', '3'), options='i')
    """
    words, options = shlex.split(line), ""
    while words and OPTIONS.fullmatch(words[0]):
        options += words.pop(0)[1:]
    if not words:
        raise ValueError("no file is named")
    path = Path(words[0]).expanduser()
    if not path.is_file() and not path.suffix:
        path = path.with_suffix(".py")
    return ScriptCall(path, tuple(words[1:]), options)


def sources(path: Path) -> tuple[str, ...]:
    """Return the text of a script, or of each code cell of a notebook; our own headers are taken off.

    Raises
    ------
    OSError, ValueError
        It cannot be read, or is no notebook.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return (text,)
    try:
        return tuple(split_headers(cell.source)[1] for cell in outline(json.loads(text)))
    except (KeyError, TypeError, AttributeError) as fault:
        raise ValueError(f"{path.name} is no notebook") from fault


def seen(body: str) -> SourceFacts:
    """Return the facts of a cell with those of the files that it runs: what these bind, and what their functions reach.

    Raises
    ------
    ParseError
        The cell is not Python.
    """
    text, apart = _inlined(body)
    found = extract_facts(to_python(text))
    for other in apart:
        found = replace(
            found,
            writes=found.writes | other.writes,
            definitions=found.definitions | other.definitions,
            deferred_reads={**found.deferred_reads, **other.deferred_reads},
            deferred_writes={**found.deferred_writes, **other.deferred_writes},
            statements=(*found.statements, *other.statements),
        )
    return found


def _inlined(body: str) -> tuple[str, list[SourceFacts]]:
    """Put the text of files that run inside in the place of their lines; return the facts of the others apart."""
    cut, apart = list(segments(body)), list[SourceFacts]()
    for number, piece in enumerate(cut):
        if piece.kind is SegmentKind.LINE_MAGIC and piece.name == "run":
            try:
                run = parse(piece.rest)
                texts = sources(run.path)
                if run.inside:
                    cut[number] = replace(piece, text=_joined(piece, texts))
                else:
                    apart += [extract_facts(to_python(text)) for text in texts]
            except (OSError, ValueError, ParseError):
                continue  # IPython says what is wrong with it, or it is told from what the names became
        elif piece.kind is SegmentKind.CELL_MAGIC and piece.name in RUNS_HERE:
            found = LINE_END.search(piece.text)
            cut_at = found.end() if found else len(piece.text)
            header, rest = piece.text[:cut_at], piece.text[cut_at:]
            inner, more = _inlined(rest)
            cut[number] = replace(piece, text=f"{header}{inner}")
            apart += more
    return "".join(piece.text for piece in cut), apart


def _joined(piece: Segment, texts: Sequence[str]) -> str:
    plain = "\n".join(to_python(text) for text in texts) + "\n"
    extract_facts(plain)  # what is not Python stays out
    return plain if piece.text.startswith("%") else piece.text
