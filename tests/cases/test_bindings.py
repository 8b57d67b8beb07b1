"""Every form in which Python's grammar binds or deletes a name, at a cell's top level."""

from __future__ import annotations

from tests.cases.case import Case, rows

ASSIGNMENTS = (
    Case("assign", "a = b", "b", "a"),
    Case("assign to several", "a = b = c", "c", "a b"),
    Case("assign a tuple", "a, b = c", "c", "a b"),
    Case("assign nested targets", "(a, [b, c]), d = e", "e", "a b c d"),
    Case("starred target", "a, *b, c = d", "d", "a b c"),
    Case("starred value", "a = [*b, *c]", "b c", "a"),
    Case("read, then bind", "a = a + 1", "a", "a"),
    Case("bind, then read", "a = 1\nb = a", "", "a b"),
    Case("swap", "a, b = b, a", "a b", "a b"),
    Case("to an attribute", "a.b = c", "a c"),
    Case("to an item", "a[i] = c", "a i c"),
    Case("to a slice", "a[i:j, ::k] = c", "a i j k c"),
    Case("to an attribute of an item", "a[i].b.c = d", "a i d"),
    Case("to a name and its own item", "a = a[0] = b", "b", "a"),
    Case("augmented", "a += b", "a b", "a"),
    Case("augmented attribute", "a.b += c", "a c"),
    Case("augmented item", "a[i] -= c", "a i c"),
    Case("augmented with itself", "a @= a", "a", "a"),
    Case("annotated with a value", "a: T = b", "T b", "a"),
    Case("annotated without a value", "a: T", "T"),
    Case("annotated attribute", "a.b: T", "a T"),
    Case("annotated attribute with a value", "a.b: T = c", "a T c"),
    Case("annotation reads what was just bound", "a: a = 1", "", "a"),
    Case("annotations as text", "from __future__ import annotations\na: T = b", "b", "annotations a"),
    Case("walrus", "(a := b)", "b", "a"),
    Case("walrus in a call", "f(a := b, a)", "f b", "a"),
    Case("walrus in a list comprehension", "[a := x for x in b]", "b", "a", sure=""),
    Case("walrus in a nested comprehension", "[[a := y for y in x] for x in b]", "b", "a", sure=""),
    Case("walrus read in its comprehension", "[a for x in b if (a := f(x))]", "b f", "a", sure=""),
    Case("walrus behind `and`", "b and (a := c)", "b c", "a", sure=""),
    Case("walrus before `and`", "(a := b) and c", "b c", "a"),
    Case("walrus in a chain", "x < (a := b) < (c := d)", "x b d", "a c", sure="a"),
    Case("walrus in one arm", "(a := b) if c else d", "b c d", "a", sure=""),
    Case("walrus in both arms", "(a := b) if c else (a := d)", "b c d", "a"),
    Case("walrus in a lambda is the lambda's", "f(lambda: (a := b) + a)", "f b"),
    Case("walrus in an f-string", 'f"{(a := b)} {a}"', "b", "a"),
    Case("walrus in an assertion's message", "assert b, (a := c)", "b c", "a", sure=""),
)

IMPORTS = (
    Case("import", "import a", "", "a"),
    Case("import a submodule", "import a.b.c", "", "a"),
    Case("import a submodule under a name", "import a.b as c", "", "c"),
    Case("import several", "import a, b.c, d as e", "", "a b e"),
    Case("from", "from a import b", "", "b"),
    Case("from under a name", "from a.b import c as d", "", "d"),
    Case("from a relative module", "from . import a\nfrom ..b import c", "", "a c"),
    Case("star", "from a import *"),
    Case("future", "from __future__ import annotations", "", "annotations"),
    Case("import, or else", "try:\n    import a\nexcept ImportError:\n    a = None", "ImportError", "a"),
)

DEFINITIONS = (
    Case("def", "def f(): pass", "", "f", late={"f": ""}),
    Case("async def", "async def f(): pass", "", "f", late={"f": ""}),
    Case("class", "class C: pass", "", "C", late={"C": ""}),
    Case("lambda", "f = lambda x: x + k", "", "f", late={"f": "k"}),
    Case("annotated lambda", "f: T = lambda x: x + k", "T", "f", late={"f": "k"}),
    Case("lambda under two names", "f = g = lambda: k", "", "f g", late={"f": "k", "g": "k"}),
)

LOOPS = (
    Case("for", "for a in b: pass", "b", "a", sure=""),
    Case("for with a tuple", "for i, (a, *b) in c: pass", "c", "i a b", sure=""),
    Case("for over an item", "for a[i] in b: pass", "a i b"),
    Case("for over a display", "for a in [1, 2]: c = a", "", "a c"),
    Case("for over a starred display", "for a in [*b]: c = a", "b", "a c", sure=""),
    Case("for over a range", "for a in range(3): pass", "range", "a"),
    Case("for over an empty range", "for a in range(3, 3): pass", "range", "a", sure=""),
    Case("for over an unknown range", "for a in range(n): pass", "range n", "a", sure=""),
    Case("for over wrapped text", "for i, a in enumerate('ab'): pass", "enumerate", "i a"),
    Case("for reads what an earlier turn bound", "for x in b:\n    print(a)\n    a = x", "b print a", "x a", sure=""),
    Case("for, else", "for a in b:\n    pass\nelse:\n    c = 1", "b", "a c", sure="c"),
    Case(
        "for, break, else",
        "for a in b:\n    if a:\n        c = 1\n        break\nelse:\n    c = 2\nc",
        "b",
        "a c",
        sure="c",
    ),
    Case("for, break without a binding", "for a in b:\n    if a: break\nelse:\n    c = 2\nc", "b c", "a c", sure=""),
    Case("for, continue", "for a in [1]:\n    if a: continue\n    c = 1", "", "a c", sure="a"),
    Case("while", "while a:\n    b = a", "a", "b", sure=""),
    Case("while with a walrus", "while (a := f()):\n    b = a", "f", "a b", sure="a"),
    Case("while, else", "while a:\n    pass\nelse:\n    b = 1", "a", "b"),
    Case("while true", "while True:\n    b = a\n    if b: break", "a", "b"),
    Case("while true, break first", "while True:\n    if a: break\n    b = 1", "a", "b", sure=""),
)

BLOCKS = (
    Case("if", "if a:\n    b = 1", "a", "b", sure=""),
    Case("if, else", "if a:\n    b = 1\nelse:\n    b = 2\nb", "a", "b"),
    Case("if, elif without else", "if a:\n    b = 1\nelif c:\n    b = 2\nb", "a c b", "b", sure=""),
    Case("if one arm leaves", "if a:\n    raise E\nelse:\n    b = 1\nb", "a E", "b"),
    Case("if true", "if True:\n    b = 1\nb", "", "b"),
    Case("with", "with a as b: pass", "a", "b"),
    Case("with several", "with a as b, b.c() as (d, e): f = d", "a", "b d e f"),
    Case("with to an item", "with a as b[i]: pass", "a b i"),
    Case("with that swallows", "with suppress(E):\n    b = a\nb", "suppress E a b", "b", sure=""),
    Case("with an opened file", "with open(p) as h:\n    b = h.read()\nb", "open p", "h b"),
    Case("try", "try:\n    a = b\nexcept E:\n    pass\na", "b E a", "a", sure=""),
    Case("try with a handler that binds", "try:\n    a = b\nexcept E:\n    a = 1\na", "b E", "a"),
    Case("try with a handler that raises", "try:\n    a = b\nexcept E:\n    raise\na", "b E", "a"),
    Case("try, else", "try:\n    b\nexcept E:\n    a = 1\nelse:\n    a = 2\na", "b E", "a"),
    Case("try, finally", "try:\n    b\nfinally:\n    a = 1\na", "b", "a"),
    Case("handler reads what the body may have bound", "try:\n    a = b()\nexcept E:\n    a", "b E a", "a", sure=""),
    Case("except as", "try:\n    b\nexcept E as a:\n    print(a)", "b E print", "a", sure="", deletes="a"),
    Case("except group", "try:\n    b\nexcept* E as a:\n    a", "b E", "a", sure="", deletes="a"),
    Case(
        "bound before a handler takes it away",
        "a = 1\ntry:\n    b\nexcept E as a:\n    pass",
        "b E",
        "a",
        sure="",
        deletes="a",
    ),
)

MATCHES = (
    Case("match a capture", "match a:\n    case b: pass", "a", "b"),
    Case("match a wildcard", "match a:\n    case _: b = 1", "a", "b"),
    Case("match a value", "match a:\n    case b.c: d = 1", "a b", "d", sure=""),
    Case("match a literal", "match a:\n    case 1 | 'x' | None: pass", "a"),
    Case("match a sequence", "match a:\n    case [b, *c]: pass", "a", "b c", sure=""),
    Case("match a sequence without a name", "match a:\n    case [b, *_]: pass", "a", "b", sure=""),
    Case("match a mapping", "match a:\n    case {'k': b, **c}: pass", "a", "b c", sure=""),
    Case("match a class", "match a:\n    case C(b, x=c): pass", "a C", "b c", sure=""),
    Case("match with as", "match a:\n    case (1 | 2) as b: pass", "a", "b", sure=""),
    Case("match all with as", "match a:\n    case _ as b: pass", "a", "b"),
    Case("match alternatives", "match a:\n    case [b] | (b, _): pass", "a", "b", sure=""),
    Case("match with a guard", "match a:\n    case b if b > c: pass", "a c", "b", sure=""),
    Case("match in every case", "match a:\n    case 1: b = 1\n    case _: b = 2\nb", "a", "b"),
)

DELETES = (
    Case("del", "del a", "a", deletes="a"),
    Case("del several", "del a, (b, c)", "a b c", deletes="a b c"),
    Case("del an attribute", "del a.b", "a"),
    Case("del an item", "del a[i]", "a i"),
    Case("bind, then del", "a = 1\ndel a", "", "a", sure="", deletes="a"),
    Case("del, then bind", "del a\na = 1", "a", "a", deletes="a"),
    Case("read after del", "a = 1\ndel a\na", "", "a", sure="", deletes="a"),
    Case("del on one path", "a = 1\nif b:\n    del a", "b", "a", sure="", deletes="a"),
    Case("del in a loop", "for a in b:\n    del a", "b", "a", sure="", deletes="a"),
)

ASYNC = (
    Case("await", "a = await b", "b", "a"),
    Case("async for", "async for a in b: pass", "b", "a", sure=""),
    Case("async with", "async with a as b: pass", "a", "b"),
    Case("async comprehension", "a = [x async for x in b if await c]", "b c", "a"),
)

ODDITIES = (
    Case("non-ASCII names", "größe = naïve + 变量", "naïve 变量", "größe"),
    Case("names in compatibility form are one", "ﬁ = 1\nx = fi", "", "fi x"),
    Case("Windows line ends", "a = 1\r\nif b:\r\n    c = a\r\n", "b", "a c", sure="a"),
    Case("old Macintosh line ends", "a = 1\rb = a\r", "", "a b"),
    Case("form feed", "a = 1\n\x0cb = a\n", "", "a b"),
    Case("builtin shadowed", "print = log\nprint(1)", "log", "print"),
    Case("builtin read, then shadowed", "list(a)\nlist = 1", "list a", "list"),
    Case("nothing", ""),
    Case("comments alone", "# a = b\n\n# c"),
    Case("docstring", '"""df @limit"""'),
    Case("semicolons", "a = 1; b = a; c = d", "d", "a b c"),
    Case("global at the top level", "global a\na = b", "b", "a"),
    Case("raise ends the cell", "raise E(a) from b", "E a b"),
    Case("double underscores", "__a = __b", "__b", "__a"),
    Case("ellipsis and slices", "a[..., 1:] ", "a"),
    Case("f-string with format", "f'{a:{b}.{c}} {d!r} {e=}'", "a b c d e"),
    Case("keyword arguments", "f(*a, b=c, **d)", "f a c d"),
    Case("conditional import and use", "if a:\n    import b\nb.c()", "a b", "b", sure=""),
)


@rows(ASSIGNMENTS + IMPORTS + DEFINITIONS + LOOPS + BLOCKS + MATCHES + DELETES + ASYNC + ODDITIES)
def test_bindings(case: Case) -> None:
    assert case.found() == case.expected()
