"""What the facts say beside the names: imports, literals, text, doubts, statements; and that no text breaks them."""

from __future__ import annotations

import pickle
import sys
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.analysis.facts.extract import ParseError, Span, StatementKind, extract_facts, normalized_source

IMPORTS = {
    "plain": ("import a", {"a": "import a"}),
    "submodule": ("import a.b.c", {"a": "import a.b.c"}),
    "submodules of one": ("import a.b\nimport a.c, a.b", {"a": "import a.b\nimport a.c"}),
    "module and submodule": ("import a\nimport a.b", {"a": "import a\nimport a.b"}),
    "the same twice": ("import a.b\nimport a.b", {"a": "import a.b"}),
    "under a name": ("import a.b as c", {"c": "import a.b as c"}),
    "several": ("import a as b, c", {"b": "import a as b", "c": "import c"}),
    "from": ("from a.b import c, d as e", {"c": "from a.b import c", "e": "from a.b import d as e"}),
    "relative": ("from .. import a\nfrom .b import c", {"a": "from .. import a", "c": "from .b import c"}),
    "last wins": ("import a as x\nimport b as x", {"x": "import b as x"}),
    "in a block": ("try:\n    import a\nexcept ImportError:\n    pass", {"a": "import a"}),
    "in a function": ("def f():\n    import a", {}),
}


@pytest.mark.parametrize("name", IMPORTS)
def test_imports(name: str) -> None:
    source, expected = IMPORTS[name]
    assert extract_facts(source).imports == expected


def test_star_imports_are_each_named_once() -> None:
    assert extract_facts("from a import *\nfrom .b import *\nfrom a import *").star_imports == ("a", ".b")


LITERALS = {
    "numbers": ("a = 1\nb = -2.5\nf = 1_000\ng = +3", {"a": 1, "b": -2.5, "f": 1000, "g": 3}),
    "scalars": ("c = 'x'\nd = None\ne = True", {"c": "x", "d": None, "e": True}),
    "containers": ("a = [1, (2, 'x')]\nb = {'k': [None, -1]}", {"a": [1, (2, "x")], "b": {"k": [None, -1]}}),
    "several targets": ("a = b = 3", {"a": 3, "b": 3}),
    "annotated": ("a: float = 3", {"a": 3}),
    "joined text": ("a = 'x' 'y'", {"a": "xy"}),
    "bound twice": ("a = 1\na = 2", {}),
    "bound again in a block": ("a = 1\nif b:\n    a = 2", {}),
    "changed by augmentation": ("a = 1\na += 1", {}),
    "deleted": ("a = 1\ndel a", {}),
    "bound by a function": ("a = 1\ndef f():\n    global a\n    a = 2", {}),
    "bound by a loop": ("a = 1\nfor a in b: pass", {}),
    "in a block": ("if b:\n    a = 1", {}),
    "no literals": ("a = 1 + 1\nb = x\nc = f()\nd = b'x'\ne = {1}\nf = 1j\ng = ...\nh = [x]", {}),
    "no literals, either": ("i = {**x}\nj = f'x'\nk = -True\nl = not 1", {}),
    "unhashable key": ("a = {[]: 1}", {}),
    "tuple target": ("a, b = 1, 2", {}),
    "read later": ("a = 1\nb = a", {"a": 1}),
}  # fmt: skip


@pytest.mark.parametrize("name", LITERALS)
def test_literals(name: str) -> None:
    source, expected = LITERALS[name]
    found = extract_facts(source).literals
    assert found == expected
    assert [type(value) for value in found.values()] == [type(value) for value in expected.values()]


TEXT = {
    "query": ("df.query('x > @limit and y < @other.value')", "limit other"),
    "query without variables": ("df.query('x > 3')", ""),
    "query built in a variable": ("q = 'x > @limit'", "limit"),
    "query in an f-string": ("df.query(f'x > @limit and y == {z}')", "limit"),
    "query of joined parts": ("df.query('x > @a' + ' and y > @b')", "a b"),
    "frame eval": ("df.eval('c = a + @b')", "b"),
    "pandas eval": ("pd.eval('a + b')", "a b"),
    "SQL": ("duckdb.sql('SELECT x FROM customers WHERE name = \\'smith\\'')", "SELECT x FROM customers WHERE name"),
    "formula": ("smf.ols('y ~ a + np.log(b)', data=df)", "y a np log b"),
    "formula as a keyword": ("smf.glm(formula='y ~ a', data=df)", "y a"),
    "one-sided formula": ("dmatrix('~ a + b', df)", "a b"),
    "formula in a variable": ("f = 'y ~ x + z'", "y x z"),
    "address": ("mail = 'me@example.org'", ""),
    "home": ("path = '~/data'", ""),
    "docstring": ("'uses @limit'\ndef f():\n    'and @other'", ""),
}


@pytest.mark.parametrize("name", TEXT)
def test_names_in_text(name: str) -> None:
    source, expected = TEXT[name]
    assert extract_facts(source).string_reads == frozenset(expected.split())


DOUBTS = {
    "exec": ("exec(code)", "line 1: exec() runs text that is known only when it runs"),
    "eval": ("x = 1\ny = eval(x)", "line 2: eval() runs text that is known only when it runs"),
    "globals": ("globals()['x'] = 1", "line 1: globals() can read and bind any name"),
    "globals in a function": ("def f():\n    return globals()", "line 2: globals() can read and bind any name"),
    "locals": ("print('%(a)s' % locals())", "line 1: locals() can read and bind any name"),
    "vars": ("vars()['x'] = 1", "line 1: vars() can read and bind any name"),
    "__import__": ("__import__(name)", "line 1: __import__() imports what is known only when it runs"),
    "import_module": ("importlib.import_module(n)", "line 1: import_module() imports what is known only when it runs"),
    "reload": ("importlib.reload(m)", "line 1: reload() changes a module that is already loaded"),
    "get_ipython": ("get_ipython().user_ns", "line 1: get_ipython() can read and bind any name"),
    "setattr on a module": ("import m\nsetattr(m, 'x', 1)", "line 2: changes an attribute of module 'm'"),
    "patched module": ("import m\nm.x = 1", "line 2: changes 'x' of module 'm'"),
    "main": ("import __main__", "line 1: the notebook's own namespace is imported as a module"),
    "thread": ("threading.Thread(target=f).start()", "line 1: a thread may go on after the cell has ended"),
    "task": ("asyncio.create_task(f())", "line 1: a task may go on after the cell has ended"),
    "magic": ("__magic__('foo')", "line 1: %foo is not Python: what it reads and binds is not known"),
}
SURE = {
    "exec of constant text": "exec('a = 1')",
    "exec in its own namespace": "exec(code, {})",
    "locals in a function": "def f():\n    return locals()",
    "vars of an object": "vars(a)",
    "a method called vars": "a.vars()",
    "constant module": "importlib.import_module('json')",
    "setattr on an object": "setattr(a, 'x', 1)",
    "attribute of an object": "a.x = 1",
    "known magic": "__magic__('env')",
    "shell": "__magic__('!', a)",
}


@pytest.mark.parametrize("name", DOUBTS)
def test_doubts(name: str) -> None:
    source, expected = DOUBTS[name]
    assert extract_facts(source).uncertain == (expected,)


@pytest.mark.parametrize("name", SURE)
def test_no_doubts(name: str) -> None:
    assert extract_facts(SURE[name]).uncertain == ()


def test_each_doubt_is_said_once() -> None:
    assert extract_facts("exec(code, globals())\nf(globals(), globals())").uncertain == (
        "line 1: exec() runs text that is known only when it runs",
        "line 1: globals() can read and bind any name",
        "line 2: globals() can read and bind any name",
    )


MADE = {
    "P = namedtuple('P', 'a b')": True,
    "P = collections.namedtuple('P', ['a', 'b'], defaults=(None,))": True,
    "T = TypeVar('T', bound=Shape)": True,
    "Id = NewType('Id', dict[str, int])": True,
    "P = namedtuple('P', fields())": False,
    "P = namedtuple('Q', 'a b')": False,
    "P = Q = namedtuple('P', 'a b')": False,
    "P = namedtuple(name, 'a b')": False,
    "P = other('P', 'a b')": False,
    "P: type = namedtuple('P', 'a b')": False,
}


@pytest.mark.parametrize("source", MADE)
def test_a_class_may_be_made_by_a_call(source: str) -> None:
    found = extract_facts(source)
    assert (found.statements[0].kind is StatementKind.DEFINITION) is MADE[source]
    assert bool(found.definitions) is MADE[source]


def test_translation_marks_are_no_facts() -> None:
    found = extract_facts("x = __magic__('env')\nclass __timeit__:\n    y = f(z)\n")
    assert (found.reads, found.writes, found.definitions) == ({"f", "z"}, {"x"}, frozenset())
    assert found.deferred_reads == {}
    assert found.statements[1].writes == frozenset()


SOURCE = """import os
x = 3

# about f
# in two lines
@cache
def f(a):
    return a  # inside

  # not f's: indented
y = f(x); z = 'ä' + y
# alone

print(z)
"""


def test_statements() -> None:
    found = extract_facts(SOURCE).statements
    assert [(s.kind, s.span) for s in found] == [
        (StatementKind.IMPORT, Span(1, 1, 0, 1, 9)),
        (StatementKind.LITERAL, Span(2, 2, 0, 2, 5)),
        (StatementKind.DEFINITION, Span(4, 6, 0, 8, 12)),
        (StatementKind.OTHER, Span(11, 11, 0, 11, 8)),
        (StatementKind.OTHER, Span(11, 11, 10, 11, 21)),
        (StatementKind.EXPRESSION, Span(14, 14, 0, 14, 8)),
    ]
    assert [(set(s.reads), set(s.writes)) for s in found[2:]] == [
        ({"cache"}, {"f"}),
        ({"f", "x"}, {"y"}),
        ({"y"}, {"z"}),
        ({"print", "z"}, set()),
    ]


def test_a_statement_is_read_by_itself() -> None:
    first, second = extract_facts("if a:\n    b = 1\ndel b, c").statements
    assert (first.writes, first.definite_writes) == ({"b"}, frozenset())
    assert (second.reads, second.deletes) == ({"b", "c"}, {"b", "c"})
    assert extract_facts("b = 1\ndf.query('x > @k')").statements[1].string_reads == {"k"}


@pytest.mark.parametrize(
    ("source", "spoken"),
    [
        ("df.query('x > @k')", "k"),
        ("def f(d):\n    return d.query('x > @k')", "k"),
        ("smf.ols('y ~ f(x)', d)", "y f x"),
        ("n = eval('np.sqrt(k)')", "np k"),
        ("exec('import m\\nn = m.pi')", "m n"),
        ("print('a b')", ""),
    ],
)
def test_what_strings_use(source: str, spoken: str) -> None:
    assert extract_facts(source).names_in_strings == set(spoken.split())


@pytest.mark.parametrize(
    ("source", "looped"),
    [
        ("for a in b:\n    pass", {"a": "a"}),
        ("for a in b:\n    c = a", {"a": "a c"}),
        ("for a, (b, *c) in d:\n    pass", {"a": "a b c", "b": "a b c", "c": "a b c"}),
        ("for a[i], b.c in d:\n    pass", {}),
        ("for a in b:\n    for c in a:\n        import d", {"a": "a c d"}),
        ("c = 1\nfor a in b:\n    c = a", {"a": "a"}),
        ("for a in b:\n    c = a\nelse:\n    c = 1\n    d = 2", {"a": "a"}),
        ("for a in (b := c):\n    d = b", {"a": "a d"}),
        ("def f():\n    global c\n    c = 1\nf()\nfor a in b:\n    c = a", {"a": "a"}),
        ("if b:\n    for a in b:\n        pass", {}),
        ("for a in b:\n    pass\ndel a", {}),
        ("while a:\n    b = 1", {}),
        ("async for a in b:\n    c = a", {"a": "a c"}),
        ("[a for a in b]", {}),
    ],
)
def test_what_a_loop_binds_each_time_round(source: str, looped: dict[str, str]) -> None:
    assert extract_facts(source).loop_bound == {name: set(bound.split()) for name, bound in looped.items()}


@pytest.mark.parametrize(
    ("source", "awaits"),
    [
        ("await a", True),
        ("if a:\n    b = await c", True),
        ("async with a: pass", True),
        ("async for a in b: pass", True),
        ("[x async for x in a]", True),
        ("async def f():\n    await a\n    [x async for x in a]", False),
        ("f()", False),
    ],
)
def test_awaits(source: str, awaits: bool) -> None:
    assert extract_facts(source).awaits is awaits


@pytest.mark.parametrize(
    ("source", "line"),
    [("a = ", 1), ("a = 1\nb = (\n", 2), ("if a:\nb", 2), ("%time x", 1), ("a = 1\n\tb", 2), ("\0", 0)],
)
def test_text_that_is_no_python(source: str, line: int) -> None:
    for reader in (extract_facts, normalized_source):
        with pytest.raises(ParseError) as caught:
            reader(source)
        assert (caught.value.line or line) == line
        assert caught.value.message in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.line, again.message) == (caught.value.line, caught.value.message)


@given(st.text(alphabet="ab=:()[]{}'\"\\\n\r\t #%!?.,@~\x0c\u2028é0", max_size=40))
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_any_text_is_facts_or_a_fault(source: str) -> None:
    try:
        found = extract_facts(source)
    except ParseError:
        return
    assert extract_facts(normalized_source(source)).reads == found.reads


@pytest.mark.parametrize(
    "source",
    [
        "x = " + " + ".join(["a"] * 900),
        "x = a" + ".b()" * 700,
        "x = " + "[" * 80 + "a" + "]" * 80,
        "\n".join(f"{'if' if i == 0 else 'elif'} a == {i}: x = {i}" for i in range(900)),
    ],
    ids=["sum", "chain", "brackets", "elif"],
)
def test_deep_text(source: str) -> None:
    usual = sys.getrecursionlimit()
    assert "a" in extract_facts(source).reads
    assert extract_facts(source).writes == {"x"}
    assert normalized_source(source)
    assert sys.getrecursionlimit() == usual


def test_the_parser_is_quiet() -> None:
    """IPython compiles the same text and warns by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert extract_facts(r"pattern = re.compile('\d+')").reads == {"re"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x=( 1 )  # one", "\n\nx = 1\n"),
        ("f(a,\n  b)", "f(a, b)"),
        ("x = 'a'", 'x = "a"'),
        ("if a: b", "if a:\n\n    # why\n    b\n"),
        ("a = 1; b = 2", "a = 1\r\nb = 2\r\n"),
        ("x = 1_000", "x = 1000"),
    ],
)
def test_normalised_text_is_the_same(one: str, other: str) -> None:
    assert normalized_source(one) == normalized_source(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("x = 1", "x = 2"), ("a = b", "b = a"), ("def f():\n    'one'", "def f():\n    'two'"), ("x = 1", "x = 1.0")],
)
def test_normalised_text_differs(one: str, other: str) -> None:
    assert normalized_source(one) != normalized_source(other)


def test_facts_are_remembered() -> None:
    assert extract_facts("remember = me") is extract_facts("remember = me")
