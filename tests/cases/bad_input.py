"""Small notebooks, each with something bad in it: cells that fail, values that misbehave, names that collide.

A row is exported after its cells have run, each in a section of its own. What comes of it is a refusal in one line, or a
bundle that gives the notebook's values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bad:
    """One notebook: its `cells`, the `names` to deliver ("" for all that can be), and the cells that must fail.

    Attributes
    ----------
    refused : what the refusal says; "" if there is none.
    note : what one of the notes says; "" if that does not matter.
    """

    name: str
    names: str
    cells: tuple[str, ...]
    fails: tuple[int, ...] = ()
    refused: str = ""
    note: str = ""


def bad(name: str, names: str, *cells: str, fails: Sequence[int] = (), refused: str = "", note: str = "") -> Bad:
    return Bad(name, names, cells, tuple(fails), refused, note)


SLOW = """
import time
class Slow:
    def __init__(self): self.n = 1
    def __eq__(self, other): time.sleep(3600)
    def __repr__(self): return "slow"
    def __reduce_ex__(self, protocol):
        time.sleep(0.7)
        return Slow, ()
"""
RAISES = """
class Bad:
    def __init__(self): self.n = 1
    def _no(self, *args): raise ValueError("no")
    __eq__ = __repr__ = __str__ = __bool__ = __len__ = __iter__ = __format__ = __dir__ = _no
    __hash__ = None
"""

FAILING = (
    bad("syntax error, then mended", "y", "x = 1", "y = (x + ", "y = x + 1", fails=[1]),
    bad("fails half way, and its change is used", "n", "rows = []", "rows.append(1)\n1 / 0", "n = len(rows)", fails=[1],
        refused="cell 2 (Part b) failed half way (ZeroDivisionError: division by zero) and changed 'rows', which later cells use"),
    bad("fails half way, and nobody uses its change", "m", "rows, other = [], 5", "rows.append(1)\n1 / 0", "m = other", fails=[1]),
    bad("fails half way, then mended", "n", "rows = []", "rows.append(1)\n1 / 0", "rows = []", "rows.append(2)\nn = len(rows)",
        fails=[1]),
    bad("fails after it bound a name anew", "n", "k = 1", "k = 2\nraise ValueError", "n = k", fails=[1],
        refused="cell 2 (Part b) failed half way (ValueError) and changed 'k'"),
    bad("one statement of several does not compile", "n", "rows = []", "rows.append(1)\nreturn 5", "n = len(rows)", fails=[1],
        refused="cell 2 (Part b) failed half way (SyntaxError"),
    bad("sys.exit", "n", "import sys\nrows = []", "rows.append(1)\nsys.exit(3)", "n = len(rows)", fails=[1],
        refused="cell 2 (Part b) failed half way (SystemExit: 3) and changed 'rows'"),
    bad("sys.exit that changed nothing", "n", "import sys\nrows = []", "sys.exit()", "n = len(rows)", fails=[1]),
    bad("KeyboardInterrupt half way", "n", "rows = []", "rows.append(1)\nraise KeyboardInterrupt", "n = len(rows)", fails=[1],
        refused="cell 2 (Part b) failed half way (KeyboardInterrupt) and changed 'rows'"),
    bad("a fault whose text ends the process", "n", "class Fault(Exception):\n    def __str__(self):\n        raise SystemExit\nrows = []",
        "def f():\n    raise Fault", "try:\n    f()\nexcept Fault as fault:\n    rows.append(1)", "n = len(rows)"),
    bad("our own line mistyped, then mended", "y", "%%pipeline class\nx = 1", "%%pipeline\nx = 1", "%%track --nope\nx = 1",
        "%%pipeline one --nope\nx = 1", "%%pipeline one\nx = 1", "%%pipeline two\ny = x + 2", fails=[0, 1, 2, 3]),
)  # fmt: skip

VALUES = (
    bad("a dict that holds itself", "d n", "d = {'a': 1}\nd['me'] = d", "d['b'] = 2", "n = len(d['me'])"),
    bad("nested 100,000 deep", "k", "deep = []\nfor _ in range(100_000):\n    deep = [deep]", "inner = deep[0][0]",
        "inner.append(7)", "k = len(deep[0][0])", note="'deep' cannot be compared"),
    bad("a chain of 100,000 objects", "v", "class Link:\n    def __init__(self, v, after):\n        self.v, self.after = v, after\n"
        "head = None\nfor n in range(100_000):\n    head = Link(n, head)", "far = head\nfor _ in range(99_000):\n    far = far.after",
        "far.v = -5", "v, each = 0, head\nwhile each:\n    v, each = min(v, each.v), each.after"),
    bad("everything raises", "n s", RAISES, "s = Bad()", "s.n += 1", "n = s.n"),
    bad("__getattr__ raises", "n s", "class Bad:\n    def __init__(self):\n        self.__dict__['n'] = 1\n"
        "    def __getattr__(self, name):\n        raise ValueError(name)", "s = Bad()", "t = s.n", "n = t"),
    bad("a stand-in that asks for what it does not have yet", "n", "class Proxy:\n    def __init__(self, inner):\n        self.inner = inner\n"
        "    def __getattr__(self, name):\n        return getattr(self.inner, name)", "p = Proxy([1])", "p.append(2)", "n = len(p.inner)"),
    bad("__class__ raises", "n", "class Bad:\n    @property\n    def __class__(self):\n        raise ValueError", "s = Bad()",
        "s.m = 3", "n = s.m"),
    bad("says that it is a number", "n", "class Sly:\n    __class__ = int\ns = Sly()\ns.rows = []", "s.rows.append(1)",
        "n = len(s.rows)"),
    bad("__getattribute__ ends the process", "n", "class Bad:\n    def __getattribute__(self, name):\n        raise SystemExit",
        "s = Bad()", "t = [s]", "n = len(t)"),
    bad("a class that cannot be looked at", "n", "class Meta(type):\n    def __getattribute__(cls, name):\n        raise SystemExit\n"
        "class Bad(metaclass=Meta):\n    pass", "n = 2",
        refused="what cell 1 (Part a) changed is not known (looking at its values raised SystemExit): restart the kernel"),
    bad("__reduce__ raises", "n s", "class Bad:\n    n = 1\n    def __reduce__(self):\n        raise ValueError", "s = Bad()",
        "n = s.n", refused="the output 's' cannot be saved"),
    bad("__reduce__ raises, in a step's middle", "n", "class Bad:\n    n = 1\n    def __reduce__(self):\n        raise ValueError",
        "s = Bad()", "s.n = 3", "n = s.n"),
    bad("slow to compare and to take apart", "n", SLOW, "s = [Slow()]", "t = s[0]", "t.n += 1", "n = s[0].n"),
    bad("ten gigabytes in a file", "w", "import numpy as np\nbig = np.memmap('big', dtype='f8', mode='w+', shape=(1_250_000_000,))",
        "big[7] = 3.0", "v = float(big[7])", "w = v + 1", note="'big' cannot be compared: it took longer than 0.5 s"),
    bad("ten gigabytes in one number", "s", "import numpy as np\nbig = np.broadcast_to(np.float64(2), (10, 10**9))",
        "s = float(big[0, 0])"),
    bad("a sparse matrix of 10**18 places", "m t", "from scipy.sparse import coo_array\n"
        "m = coo_array(([1.0], ([5], [6])), shape=(10**9, 10**9))", "m = m * 2", "t = float(m.sum())"),
    bad("a million dicts", "m k", "rows = [{'n': n, 'x': str(n)} for n in range(1_000_000)]", "rows[5]['n'] = -1", "k = len(rows)",
        "first = rows[0]", "first['n'] = 77", "m = rows[0]['n'] + rows[5]['n']"),
)  # fmt: skip

NAMES = (
    bad("builtins shadowed", "out n m open exit sum", "out = []\nprint = out.append\nlist, id, sum, open, len, dict = [1], 5, 3, 4, 9, 2\n"
        "exit = quit = [1]", "print(id + sum + open)\nn = list[0] + len + dict", "exit.append(n)\nm = quit[1]\nsum = sum + 1"),
    bad("a builtin shadowed, then found again", "k n m", "len = 3\nlist = [len]", "k = len + 1\ndel len, list\nn = len(list('ab'))",
        "m = len('abc')"),
    bad("steps named like variables", "train k", "%%pipeline train\ntrain = [1]", "%%pipeline test\ntest = train + [2]",
        "%%pipeline k\nk = sum(test)"),
    bad("steps named like modules", "x y", "%%pipeline numpy\nimport numpy\nx = numpy.ones(2)", "%%pipeline json\nimport json\n"
        "y = json.dumps(x.tolist())", "%%pipeline runtime\nz = y"),
    bad("steps named like builtins and like our own files", "e", "%%pipeline print\na = 1", "%%pipeline list\nb = list([a])",
        "%%pipeline definitions\nc = b", "%%pipeline __main__\nd = c", "%%pipeline pipeline\ne = d"),
    bad("names in other scripts", "größe имя 数 r", "größe = 3\nданные = [1, 2]", "имя = größe + len(данные)",
        "数 = имя * 2\ndef функция(x):\n    return x + größe", "r = функция(数)"),
    bad("names that Python takes for others", "x y fi", "ﬁ = 3\ndef ﬀ(x):\n    return x + 1\nclass ℌ:\n    ﬃ = 3", "x = ff(fi) + H.ffi",
        "fi += 1", "import json as ﬁle\ny = file.dumps(ﬁ + x)"),
    bad("outputs of one name from two steps", "x w", "%%pipeline one --out x\nx = [1]", "%%pipeline two --out x\nx = x + [2]",
        "%%pipeline three\nw = len(x)"),
    bad("values of one name, each taken", "x w", "%%pipeline one\nx = 1\ny = x", "%%pipeline two\nx = 2\nz = x + y",
        "%%pipeline three\nw = x + y + z"),
)  # fmt: skip

LINES = (
    bad("line ends of Windows", "a b c d", "a = 1\r\nb = '''x\r\ny'''\r\n", "if a:\r\n    c = len(b)\r\n", "%%time\r\nd = c + 1\r\n"),
    bad("line ends of the first Macintosh", "a b c d", "a = 1\rb = '''x\ry'''\r", "if a:\r    c = len(b)\r", "%%time\rd = c + 1\r"),
    bad("what looks like a line end to others", "a b d e", "a = 'x\u2028y'\nb = 'p\x0cq'\n# a \u2028 comment\nd = 4",
        "e = len(a) + len(b) + d"),
    bad("cells without code", "x", "", "  \n", "# nothing", "pass", "x = 1"),
)  # fmt: skip
