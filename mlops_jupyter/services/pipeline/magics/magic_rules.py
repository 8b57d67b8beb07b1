"""The rule for each magic of IPython: translate it, leave it out, or refuse it with one line that says why.

The decisions behind it: ARCHITECTURE.md, "Plan".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from mlops_jupyter.analysis.cells import Segment
from mlops_jupyter.analysis.cells.interpolation import is_expression, parses
from mlops_jupyter.analysis.cells.magics import without_options
from mlops_jupyter.analysis.syntax.vocabulary import words
from mlops_jupyter.core.hidden_names import NUMPY_PRINT
from mlops_jupyter.services.pipeline.magics import run_scripts, shell_rules
from mlops_jupyter.services.pipeline.magics.translation import CellContext, Translation
from mlops_jupyter.services.pipeline.ports import MagicCode

Rule = Callable[[Segment, Translation, CellContext], None]

SHOWS = words(
    "alias alias_magic autoawait autocall autoindent automagic autoreload autosave bookmark cat clear colors config "
    "connect_info dhist dirs doctest_mode gui hist history killbgscripts ldir less lf lk ll load load_ext loadpy "
    "logoff logon logstart logstate logstop ls lsmagic lx magic man matplotlib mem memit more notebook page pastebin "
    "pdb pdef pdoc pfile pinfo pinfo2 pprint psearch psource pycat qtconsole quickref recall rehashx reload_ext rep "
    "reset reset_selective subshell tb timeit unalias unload_ext who who_ls whos xmode"
)
"""Line magics that only serve the person at the screen, or change how IPython works for that person."""

SHOWS_CELL = words("HTML SVG html javascript js latex markdown memit svg timeit")
"""Cell magics that only serve the person at the screen."""

KEEPS_BODY = words("capture debug lprun mprun prun time")
"""Cell magics whose body is plain code of the notebook."""

REFUSED = {
    "code_wrap": "changes how every cell after it runs: put what it wraps around them into the cells",
    "ed": "runs what was typed in an editor: put that into the cell",
    "edit": "runs what was typed in an editor: put that into the cell",
    "macro": "makes a macro of earlier input: write a function",
    "popd": "goes to a directory that IPython remembers: write `%cd` with its path",
    "pylab": "binds hundreds of names: import numpy and matplotlib.pyplot by name",
    "rerun": "runs earlier input again: put that into the cell",
    "save": "writes earlier input to a file: use %%writefile",
    "sc": "is out of use: write `name = !command`",
}
"""Magics that a bundle cannot keep -> the reason, and what to do instead."""

MEASURES = {"timeit": "holds a measurement of IPython", "memit": "holds a measurement of IPython"}


def nothing(piece: Segment, done: Translation, site: CellContext) -> None:
    """Leave a magic out; the name that its result was assigned to is lost."""
    done.lose(piece.assigned, MEASURES.get(piece.name, f"holds what %{piece.name} shows"))
    if piece.name in MEASURES:
        _measured(piece, done, site)


def _measured(piece: Segment, done: Translation, site: CellContext) -> None:
    """Refuse a measurement that changed values: it runs its code an unknown number of times."""
    changed = sorted(site.execution.mutated & set(re.findall(r"[^\W\d]\w*", piece.text)))
    if changed:
        raise site.refuse(piece, f"changes {changed[0]!r} an unknown number of times: measure a copy of it")
    if any(name.endswith("random") for name in site.execution.writes):
        done.note(f"%{piece.name} drew random numbers an unknown number of times: what is drawn after it may differ")


def refused(piece: Segment, done: Translation, site: CellContext) -> None:
    """Refuse a magic with the reason of `REFUSED`."""
    raise site.refuse(piece, REFUSED[piece.name])


def code(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate `%time x = f()` to the code on its line, run once; `%debug` alone has no code."""
    text = without_options(piece.rest, piece.name)
    if piece.assigned and not is_expression(text):
        raise site.refuse(piece, "gives nothing that could be assigned")
    if text and not parses(text):
        raise site.refuse(piece, "runs what is not plain Python: put that on a line of its own")
    if text:
        done.bind(piece.assigned, text)


def chdir(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate `%cd folder` and `%pushd folder`."""
    path = re.sub(r"^-q\s+", "", piece.rest.strip())
    back = site.previous_folder if path == "-" else None
    if path.startswith("-") and back is None:
        raise site.refuse(piece, f"{path} goes to a directory that IPython remembers: write its path")
    path = back or path
    done.lose(piece.assigned, f"holds what %{piece.name} gives, which is nothing")
    done.need("import os")
    path = path.strip("\"'")
    where = shell_rules.text_of(path or "~", site.known)
    done.add(
        MagicCode(f"os.chdir(os.path.expanduser({where}))" if not path or path[0] == "~" else f"os.chdir({where})")
    )


def pwd(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate `x = %pwd`."""
    if piece.assigned:
        done.need("import os")
        done.bind(piece.assigned, "os.getcwd()")


def env(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate `%env`, `x = %env X`, `%env X=value` and `%env X value`, with `$y` and `{expr}` in the value."""
    setting = re.match(r"(\w+)\s*(?:=|\s)\s*(.+)", piece.rest.strip(), re.DOTALL)
    done.need("import os")
    if setting:
        value = shell_rules.text_of(setting[2].strip(), site.known)
        done.add(MagicCode(f"os.environ[{setting[1]!r}] = {value}"))
        done.lose(piece.assigned, f"holds what %{piece.name} gives, which is nothing")
    elif piece.assigned and piece.rest:
        done.bind(piece.assigned, f"os.environ[{shell_rules.text_of(piece.rest.strip(), site.known)}]")
    elif piece.assigned:
        done.lose(piece.assigned, "holds a copy of the environment: use os.environ")


def installed(piece: Segment, done: Translation, site: CellContext) -> None:
    """Take requirements from `%pip install a b`, `%conda install a` and `%uv pip install a`."""
    found = re.match(r"(?:pip )?(?:-\S+ )*install\b(.*)", piece.rest)
    if found:
        shell_rules.requirements(found[1], done)


def precision(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate `%precision 3` to numpy's print option, if the magic set that too."""
    digits = re.match(r"%?\.?(\d+)", piece.rest)
    if any(name == NUMPY_PRINT for name in site.execution.writes):
        done.need("import numpy")
        done.add(MagicCode(f"numpy.set_printoptions(precision={digits[1] if digits else 8})"))
    done.lose(piece.assigned, "holds a number format of IPython")


def imported(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate `%aimport module`, of autoreload."""
    for name in re.split(r"[\s,]+", piece.rest):
        if name and not name.startswith("-"):
            done.add(MagicCode(f"import {name}"))


def deleted(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate `%xdel name`."""
    done.add(MagicCode(f"del {without_options(piece.rest, 'xdel')}"))


def stored(piece: Segment, done: Translation, site: CellContext) -> None:
    """Leave out `%store name`, which keeps a value for another notebook; refuse to read or write values with it."""
    if piece.rest.startswith("-r"):
        raise site.refuse(piece, "-r takes values that another notebook kept in IPython: read them from a file")
    if ">" in piece.rest:
        raise site.refuse(piece, "writes a value to a file as text: write the file in Python")


def called(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate `/f a b`, `,f a b` and `;f a b`: calls without parentheses."""
    name, _, rest = piece.rest.partition(" ")
    quoted = {"/": ", ".join(rest.split()), ",": ", ".join(map(repr, rest.split())), ";": repr(rest.strip())}
    done.bind(piece.assigned, f"{name}({quoted[piece.name]})")


def written(piece: Segment, done: Translation, site: CellContext) -> None:
    """Translate `%%writefile path` and `%%writefile -a path`."""
    words = piece.rest.split()
    appends = "-a" in words or "--append" in words
    path = " ".join(w for w in words if w not in ("-a", "--append")).strip("\"'")
    text, where = shell_rules.quoted(shell_rules.body(piece)), shell_rules.text_of(path, site.known)
    done.need("from pathlib import Path")
    if appends:
        done.add(MagicCode(f"with Path({where}).open('a', encoding='utf-8') as _file:\n    _file.write({text})"))
    else:
        done.add(MagicCode(f"Path({where}).write_text({text}, encoding='utf-8')"))


LINES: Mapping[str, Rule] = {
    **dict.fromkeys(SHOWS, nothing),
    **dict.fromkeys(REFUSED, refused),
    **dict.fromkeys(("debug", "lprun", "mprun", "prun", "time"), code),
    **dict.fromkeys(("cp", "mkdir", "mv", "rm", "rmdir"), shell_rules.alias),
    **dict.fromkeys(("pip", "conda", "mamba", "micromamba", "uv"), installed),
    **dict.fromkeys(("sx", "system"), shell_rules.line),
    **dict.fromkeys(("env", "set_env"), env),
    **dict.fromkeys(("cd", "pushd"), chdir),
    **dict.fromkeys("/,;", called),
    "aimport": imported,
    "precision": precision,
    "pwd": pwd,
    "run": run_scripts.run,
    "store": stored,
    "xdel": deleted,
}
"""Every line magic of IPython, its kernel and autoreload -> its rule."""

CELLS: Mapping[str, Rule] = {
    **dict.fromkeys(SHOWS_CELL, nothing),
    **dict.fromkeys(("code_wrap",), refused),
    **dict.fromkeys(
        ("bash", "perl", "pypy", "python", "python2", "python3", "ruby", "script", "sh"), shell_rules.script
    ),
    **dict.fromkeys(("!", "sx", "system"), shell_rules.cell),
    **dict.fromkeys(("file", "writefile"), written),
}
"""Every cell magic of IPython and its kernel -> its rule, but those of `KEEPS_BODY`."""
