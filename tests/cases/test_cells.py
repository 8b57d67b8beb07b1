"""Magics, shell lines, questions and our own headers: how a cell's text is cut and what analysis sees of it."""
# ruff: noqa: E501 (a table: one row a line)

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.analysis.cells import SegmentKind, segments, split_headers, to_python
from mlops_jupyter.analysis.facts.extract import extract_facts
from mlops_jupyter.analysis.syntax.parsing import LINE_END

PYTHON, LINE, CELL, SHELL, HELP = SegmentKind


@dataclass(frozen=True)
class Cut:
    """A cell, its pieces that are not Python as (kind, name, line, assigned, rest), and what `to_python` makes of it."""

    name: str
    body: str
    pieces: tuple[tuple[SegmentKind, str, int, str | None, str], ...]
    python: str
    reads: str = ""
    writes: str = ""


def line(name: str, number: int = 1, assigned: str | None = None, rest: str = "") -> tuple:
    return (LINE, name, number, assigned, rest)


CUTS = (
    Cut("python", "a = b % c\n", (), "a = b % c\n", "b c", "a"),
    Cut("line magic", "%matplotlib inline\na = 1", (line("matplotlib", rest="inline"),), "pass  # %matplotlib inline\na = 1", "", "a"),
    Cut("time", "%time a = f(b)", (line("time", rest="a = f(b)"),), "a = f(b)", "f b", "a"),
    Cut("time in a block", "if a:\n    %time b = 1\n", (line("time", 2, rest="b = 1"),), "if a:\n    b = 1\n", "a", "b"),
    Cut("time of no Python", "%time !ls", (line("time", rest="!ls"),), "pass"),
    Cut("prun with options", "%prun -l 10 -s time f(a)", (line("prun", rest="-l 10 -s time f(a)"),), "f(a)", "f a"),
    Cut("timeit", "%timeit -n 10 -r3 f(a)", (line("timeit", rest="-n 10 -r3 f(a)"),), '__magic__("timeit", lambda: (f(a)))', "f a"),
    Cut("timeit keeps names to itself", "%timeit a = f(b)", (line("timeit", rest="a = f(b)"),), "class __timeit__: a = f(b)", "f b"),
    Cut("timeit's answer", "t = %timeit -o f(a)", (line("timeit", 1, "t", "-o f(a)"),), 't = __magic__("timeit", lambda: (f(a)))', "f a", "t"),
    Cut("time's answer", "t = %time f(a)", (line("time", 1, "t", "f(a)"),), 't = __magic__("time", (f(a)))', "f a", "t"),
    Cut("magic assigned", "a = %env HOME", (line("env", 1, "a", "HOME"),), 'a = __magic__("env")', "", "a"),
    Cut("magic assigned to an item", "a[i] = %env HOME", (line("env", 1, "a[i]", "HOME"),), 'a[i] = __magic__("env")', "a i"),
    Cut("unknown magic", "%foo {a} $b.c", (line("foo", rest="{a} $b.c"),), '__magic__("foo", a, b.c, text=\'{a} $b.c\')', "a b"),
    Cut("xdel", "%xdel a", (line("xdel", rest="a"),), "del a", "a"),
    Cut("store back", "%store -r a b", (line("store", rest="-r a b"),), 'a = b = __magic__("store")', "", "a b"),
    Cut("store away", "%store a", (line("store", rest="a"),), '__magic__("store", a)', "a"),
    Cut("SQL into a name", "%sql a << select 1", (line("sql", rest="a << select 1"),), 'a = __magic__("sql", text=\'a << select 1\')', "", "a"),
    Cut("track log", "%track log auc=f(a, b) loss=c --step 3", (line("track", rest="log auc=f(a, b) loss=c --step 3"),), '__magic__("track", f(a, b), c)', "f a b c"),
    Cut("track start", "%track start base -e churn", (line("track", rest="start base -e churn"),), "pass  # %track start base -e churn"),
    Cut("track start assigned", "r = %track start base", (line("track", 1, "r", "start base"),), 'r = __magic__("track")', "", "r"),
    Cut("register", "%register m --name churn --data X,y", (line("register", rest="m --name churn --data X,y"),), '__magic__("register", m, X, y)', "m X y"),
    Cut("drift", "%drift a b", (line("drift", rest="a b"),), '__magic__("drift", a, b)', "a b"),
    Cut("pipeline", "%pipeline run", (line("pipeline", rest="run"),), "pass  # %pipeline run"),
    Cut("shell", "!ls -la\na = 1", ((SHELL, "!", 1, None, "ls -la"),), "pass  # !ls -la\na = 1", "", "a"),
    Cut("shell twice", "!!ls", ((SHELL, "!!", 1, None, "ls"),), "pass  # !!ls"),
    Cut("shell assigned", "a = !ls", ((SHELL, "!", 1, "a", "ls"),), 'a = __magic__("!")', "", "a"),
    Cut("shell assigned to two", "a, b = !ls", ((SHELL, "!", 1, "a, b", "ls"),), 'a, b = __magic__("!")', "", "a b"),
    Cut("shell assigned to targets on two lines", "(a,\n b) = !ls\n", ((SHELL, "!", 1, "(a,\n b)", "ls"),), '(a,\n b) = __magic__("!")\n', "", "a b"),
    Cut("shell reads", "!cp {a / 'x'} $b $$c {{d}}", ((SHELL, "!", 1, None, "cp {a / 'x'} $b $$c {{d}}"),), "__magic__(\"!\", a / 'x', b)", "a b"),
    Cut("shell's own braces", "!awk '{print $1}' {a}", ((SHELL, "!", 1, None, "awk '{print $1}' {a}"),), '__magic__("!", a)', "a"),
    Cut("shell over lines", "!ls \\\n  -la\na = 1", ((SHELL, "!", 1, None, "ls   -la"),), "pass  # !ls \\\n\na = 1", "", "a"),
    Cut("shell in a function", "def f(p):\n    !ls {p} {q}\n    return p\n", ((SHELL, "!", 2, None, "ls {p} {q}"),), 'def f(p):\n    __magic__("!", p, q)\n    return p\n', "", "f"),
    Cut("question", "a?", ((HELP, "a", 1, None, ""),), "pass  # a?"),
    Cut("two questions", "x = 1\na.b[0]??\n", ((HELP, "a.b[0]", 2, None, ""),), "x = 1\npass  # a.b[0]??\n", "", "x"),
    Cut("question first", "?a.b", ((HELP, "a.b", 1, None, ""),), "pass  # ?a.b"),
    Cut("question of a magic", "%time?", ((HELP, "%time", 1, None, ""),), "pass  # %time?"),
    Cut("question of a cell magic", "%%time?", ((HELP, "%%time", 1, None, ""),), "pass  # %%time?"),
    Cut("question at a shell line's end", "!ls a?", ((HELP, "a", 1, None, ""),), "pass  # !ls a?"),
    Cut("question after an expression", "a = b?", ((HELP, "b", 1, None, ""),), "pass  # a = b?"),
    Cut("autocall", "/f a b", (line("/", rest="f a b"),), "f(a, b)", "f a b"),
    Cut("autocall quoting", ",f a b", (line(",", rest="f a b"),), "f(['a', 'b'])", "f"),
    Cut("automagic", "pip install a", (line("pip", rest="install a"),), "pass  # pip install a"),
    Cut("cell magic", "%%time\na = b\n", ((CELL, "time", 1, None, ""),), "pass  # %%time\na = b\n", "b", "a"),
    Cut("cell magic after blank lines", "\n \n%%time\na = b", ((CELL, "time", 3, None, ""),), "\n \npass  # %%time\na = b", "b", "a"),
    Cut("capture", "%%capture --no-stderr out\na = b", ((CELL, "capture", 1, None, "--no-stderr out"),), 'out = __magic__("capture")\na = b', "b", "out a"),
    Cut("stacked", "%%capture out\n%%time\na = b", ((CELL, "capture", 1, None, "out"),), 'out = __magic__("capture")\npass  # %%time\na = b', "b", "out a"),
    Cut("magic inside a cell magic", "%%time\n%matplotlib inline\na = !ls {b}", ((CELL, "time", 1, None, ""),), 'pass  # %%time\npass  # %matplotlib inline\na = __magic__("!", b)', "b", "a"),
    Cut("timeit over a cell", "%%timeit -n 3 k = s(1)\na = b\nif a:\n    c = k", ((CELL, "timeit", 1, None, "-n 3 k = s(1)"),), 'class __timeit__(__magic__("timeit", lambda: ( s(1)))):\n a = b\n if a:\n     c = k', "s b k"),
    Cut("timeit over nothing", "%%timeit\n# a\n", ((CELL, "timeit", 1, None, ""),), "pass  # %%timeit\n# a\n"),
    Cut("bash", "%%bash --out o --err e\nls $a\nexit", ((CELL, "bash", 1, None, "--out o --err e"),), 'o = e = __magic__("bash")\n# ls $a\n# exit', "", "o e"),
    Cut("file written", "%%writefile {p}\nimport a\n", ((CELL, "writefile", 1, None, "{p}"),), '__magic__("writefile", p)\n# import a\n', "p"),
    Cut("unknown cell magic", "%%foo\nbar baz", ((CELL, "foo", 1, None, ""),), '__magic__("foo", text=\'\\nbar baz\')\n# bar baz'),
    Cut("modulo over lines", "a = (b\n % c)\nd = [\n!x]\n", (), "a = (b\n % c)\nd = [\n!x]\n"),
    Cut("modulo after a backslash", "a = b \\\n% c\n", (), "a = b \\\n% c\n", "b c", "a"),
    Cut("percent in a string", "a = '''\n%time x\n!ls\n'''\n", (), "a = '''\n%time x\n!ls\n'''\n", "", "a"),
    Cut("percent in a raw string", "a = r'\\''\n%time b = 1\n", (line("time", 2, rest="b = 1"),), "a = r'\\''\nb = 1\n", "", "a b"),
    Cut("percent in a bytes string", 'a = rb"""\n%x\n"""\n%time b = 1', (line("time", 4, rest="b = 1"),), 'a = rb"""\n%x\n"""\nb = 1', "", "a b"),
    Cut("quote in a comment", "a = 1  # it's\n%time b = 1", (line("time", 2, rest="b = 1"),), "a = 1  # it's\nb = 1", "", "a b"),
    Cut("bracket in a string", "a = '('\n%time b = 1", (line("time", 2, rest="b = 1"),), "a = '('\nb = 1", "", "a b"),
    Cut("question in a comment", "a = 1  # what?\n", (), "a = 1  # what?\n", "", "a"),
    Cut("question in a string", "a = 'b?'\n", (), "a = 'b?'\n", "", "a"),
    Cut("default with a percent", "def f(a='%x', b=1): return a % b\n", (), "def f(a='%x', b=1): return a % b\n", "", "f"),
    Cut("unequal", "a = b != c\nd = b == (\n c)\n", (), "a = b != c\nd = b == (\n c)\n", "b c", "a d"),
    Cut("string over a backslash", "a = 'b\\\n%c'\n", (), "a = 'b\\\n%c'\n", "", "a"),
    Cut("indented text", "  a = 1\n  %time b = a\n", (line("time", 2, rest="b = a"),), "a = 1\nb = a\n", "", "a b"),
    Cut("Windows line ends", "%time a = 1\r\n!ls\r\nb = a\r\n", (line("time", rest="a = 1"), (SHELL, "!", 2, None, "ls")), "a = 1\r\npass  # !ls\r\nb = a\r\n", "", "a b"),
    Cut("nothing", "", (), ""),
)  # fmt: skip

NO_PYTHON = {"modulo over lines"}


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.name)
def test_cuts(cut: Cut) -> None:
    found = segments(cut.body)
    assert "".join(piece.text for piece in found) == cut.body
    assert tuple((p.kind, p.name, p.line, p.assigned, p.rest) for p in found if p.kind is not PYTHON) == cut.pieces
    python = to_python(cut.body)
    assert python == cut.python
    if cut.name not in NO_PYTHON:
        said = extract_facts(python)
        assert (said.reads, said.writes) == (set(cut.reads.split()), set(cut.writes.split()))


@dataclass(frozen=True)
class Top:
    """A cell, its headers as (name, line, number), and the rest."""

    name: str
    raw: str
    headers: tuple[tuple[str, str, int], ...]
    body: str


TOPS = (
    Top("none", "a = 1\n%%pipeline x\n", (), "a = 1\n%%pipeline x\n"),
    Top("one", "%%pipeline load --params n=1\nn = 1\n", (("pipeline", "load --params n=1", 1),), "n = 1\n"),
    Top("stacked", "%%track\n%%pipeline load\nn = 1", (("track", "", 1), ("pipeline", "load", 2)), "n = 1"),
    Top("blank lines", "\n  \n%%track  \n\n%%pipeline a\n\nb", (("track", "", 3), ("pipeline", "a", 5)), "\nb"),
    Top("another's below", "%%pipeline load\n%%time\nn = 1", (("pipeline", "load", 1),), "%%time\nn = 1"),
    Top("another's above", "%%time\n%%pipeline load\nn = 1", (), "%%time\n%%pipeline load\nn = 1"),
    Top("comment above", "# note\n%%pipeline load\n", (), "# note\n%%pipeline load\n"),
    Top("indented", "  %%pipeline load\n  n = 1", (("pipeline", "load", 1),), "  n = 1"),
    Top("question", "%%pipeline?", (), "%%pipeline?"),
    Top("longer name", "%%pipelines load\n", (), "%%pipelines load\n"),
    Top("line magic", "%pipeline run\n", (), "%pipeline run\n"),
    Top("alone", "%%track", (("track", "", 1),), ""),
    Top("Windows line ends", "%%track a\r\nb = 1\r\n", (("track", "a", 1),), "b = 1\r\n"),
    Top("tab", "%%pipeline\tload\nx", (("pipeline", "load", 1),), "x"),
    Top("nothing", "", (), ""),
)


@pytest.mark.parametrize("top", TOPS, ids=lambda top: top.name)
def test_headers(top: Top) -> None:
    headers, body = split_headers(top.raw)
    assert tuple((h.name, h.line, h.number) for h in headers) == top.headers
    assert body == top.body


FRAGMENTS = st.sampled_from(
    [*"a= %!?'\"()#{}$\t,/;", "\n", "\r\n", '"""', "\\\n", "%%", "%time b = 1\n", "!ls {a}\n", "a = !ls\n", "if a:\n", "    ", "%timeit ", "%%capture o\n", "b?\n"]
)  # fmt: skip


@given(st.lists(FRAGMENTS, max_size=14).map("".join))
@settings(max_examples=400, deadline=None, derandomize=True, database=None)
def test_any_text_keeps_its_lines(body: str) -> None:
    assert "".join(piece.text for piece in segments(body)) == body
    assert len(LINE_END.findall(to_python(body))) == len(LINE_END.findall(body))
    headers, rest = split_headers(body)
    assert body.endswith(rest)
    assert headers or rest == body
