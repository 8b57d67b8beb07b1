"""Histories, and exactly the statements that made a value. A row: a name, the variable, its statements, the cells."""
# ruff: noqa: E501 (a table: one row a line)

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sliced:
    """One history: its `cells`, the `order` in which they ran if not top to bottom, what a slice of `of` must hold."""

    name: str
    of: str
    statements: tuple[str, ...]
    cells: tuple[str, ...]
    order: tuple[int, ...] | None = None


def case(name: str, of: str, statements: str, *cells: str, order: tuple[int, ...] | None = None) -> Sliced:
    return Sliced(name, of, tuple(statements.split("\n")), cells, order)


HISTORIES = (
    case("others are left out", "b", "a = 1\nb = a + 1", "a = 1", "x = 5", "b = a + 1", "c = b + x"),
    case("run again", "b", "a = 1\na = a + 1\na = a + 1\nb = a", "a = 1", "a = a + 1", "b = a", order=(0, 1, 1, 2, 1)),
    case("out of order", "a", "b = 1\na = b + 1", "a = b + 1", "b = 1", order=(1, 0)),
    case("made with what was made with the same function", "c", "class Box:\n    def __init__(self, x):\n        self.x = x\ndef f(x):\n    return x + 1\na = Box(f(1))\nb = Box(f(2) + a.x)\nc = f(b.x)",
         "class Box:\n    def __init__(self, x):\n        self.x = x\ndef f(x):\n    return x + 1", "a = Box(f(1))", "b = Box(f(2) + a.x)", "a.x = 5", "c = f(b.x)"),
    case("function kept by what another was made of", "c", "k = 3\nclass Box:\n    def __init__(self, f):\n        self.f = f\na = Box(lambda x: x + k)\nb = Box(a.f)\nk = 4\nc = b.f(1)",
         "k = 3", "class Box:\n    def __init__(self, f):\n        self.f = f", "a = Box(lambda x: x + k)", "b = Box(a.f)", "k = 4", "c = b.f(1)"),
    case("edited since", "b", "a = 2\nb = a", "a = 1", "a = 2", "b = a"),
    case("an edit that came too late", "b", "a = 1\nb = a", "a = 1", "b = a", "a = 2"),
    case("its cell was run again with other input", "rows", "n = 5\nrows = [n]", "n = 1", "rows = [n]", "n = 5", order=(0, 1, 2, 1)),
    case("made again after it was deleted", "v", "w = 1\nv = w + 10", "v = 1", "w = 1", "del v", "v = w + 10"),
    case("a name that was gone", "y", "x = 1\ny = x\ndel x\ntry:\n    y = x\nexcept NameError:\n    y = [y]", "x = 1", "y = x", "del x", "try:\n    y = x\nexcept NameError:\n    y = [y]"),
    case("a builtin that was hidden for a time", "n", "max = 3\nk = max\ndel max\nn = max([k, 2])", "max = 3", "k = max", "del max", "n = max([k, 2])"),
    case("a cell that failed half way", "rows", "rows = []\ntry:\n    rows.append(1)\n    rows.append(none)\nexcept NameError:  # as in the notebook\n    pass\nelse:\n    raise AssertionError('this cell failed in the notebook')", "rows = []", "rows.append(1)\nrows.append(none)"),
    case("a cell that failed and made nothing of it", "a", "a = 1", "a = 1", "a.b", "b = 1 / 0"),
    case("a loop that went round", "x", "for x in [1, 2]:\n    pass", "x = 0", "for x in [1, 2]:\n    pass"),
    case("a loop that ends where the last one did", "x", "n = 3\nfor x in [1, 2]:\n    k = x + n", "for x in [1, 2]:\n    k = x", "n = 3\nfor x in [1, 2]:\n    k = x + n"),
    case("a loop that does nothing beside a function that does", "x", "x = 0\ndef f():\n    global k\n    k = 5\nf()\nfor x in []:\n    k = x", "x = 0\ndef f():\n    global k\n    k = 5", "f()\nfor x in []:\n    k = x"),
    case("a loop that did not go round", "x", "x = 0\nfor x in []:\n    pass", "x = 0", "for x in []:\n    pass"),
    case("a loop that went round and changed it", "x", "rows = [[1], [2]]\nfor x in rows:\n    x.append(3)", "x = []", "rows = [[1], [2]]\nfor x in rows:\n    x.append(3)"),
    case("an import of its own", "x", "import math\nx = math.pi", "import math\nimport json", "x = math.pi"),
)  # fmt: skip
"""Which executions."""

STATEMENTS = (
    case("numbers and text", "b", "a = 1\nb = a * 2", "a = 1\nc = 'x'\nd = f'{a}-{c}'\nb = a * 2\ne = -a if b > 1 else abs(b)"),
    case("several names at once", "a", "a, b = 1, 2", "a, b = 1, 2\nc, d = 3, 4"),
    case("on one line", "b", "a = 1\nb = a", "a = 1; c = 2; b = a"),
    case("bound anew before it is read", "a", "a = 2", "a = 1\na = 2"),
    case("bound anew of itself", "a", "a = 1\na += 2", "a = 1\nb = 1\nb += 2\na += 2"),
    case("an alias", "a", "a = [1]\na.append(2)", "a = [1]\nb = a\na.append(2)"),
    case("changed through an alias", "a", "a = [1]\nb = a\nb.append(2)", "a = [1]\nb = a\nc = [b]\nb.append(2)"),
    case("an alias that only looks on", "a", "a = [1]\na.append(2)", "a = [1]", "b = a", "a.append(2)"),
    case("a container that holds it", "a", "a = [1]\na.append(2)", "a = [1]", "box = {'a': a}", "a.append(2)"),
    case("an object in a container", "box", "a = [1]\nbox = {'a': a}\na.append(2)", "a = [1]", "box = {'a': a}", "a.append(2)"),
    case("functions", "r", "def f(x):\n    return x + 1\nr = f(1)", "def f(x):\n    return x + 1\ndef g(x):\n    return f(x)\nh = lambda: g(1)", "r = f(1)"),
    case("a function's own names", "r", "k = 2\ndef f(x):\n    return x * k\nr = f(1)", "k = 2\nn = 3\ndef f(x):\n    return x * k\nm = 4", "r = f(1)"),
    case("a function's name that changed", "r", "def f(x):\n    return x * k\nk = 5\nr = f(10)", "k = 2\ndef f(x):\n    return x * k", "k = 5", "r = f(10)"),
    case("a function called in the cell that binds its name", "r", "def f():\n    return k\nk = 5\nr = f()", "def f():\n    return k", "k = 5\nr = f()"),
    case("a function that may do anything", "r", "def f():\n    print('x')\nr = 1\nf()\ns = f()", "def f():\n    print('x')", "r = 1\nf()\ns = f()"),
    case("a default", "r", "n = 4\ndef f(x, m=n):\n    return x * m\nr = f(2)", "n = 4\ndef f(x, m=n):\n    return x * m\nn = 100", "r = f(2)"),
    case("a decorated function", "a", "import functools\na = 1\n@functools.cache\ndef f():\n    return 1", "import functools\na = 1\n@functools.cache\ndef f():\n    return 1"),
    case("classes", "p", "class P:\n    '''one'''\n    n = 1\n    def m(self):\n        return self.n\np = P().m()", "class P:\n    '''one'''\n    n = 1\n    def m(self):\n        return self.n\nclass Q:\n    pass", "p = P().m()"),
    case("imports that nothing reads", "x", "import math\nx = math.sqrt(4.0)", "import json, re\nfrom pathlib import Path\nimport math\nimport numpy as np", "x = math.sqrt(4.0)"),
    case("an import for what it does", "x", "from sklearn.experimental import enable_iterative_imputer\nfrom sklearn.impute import IterativeImputer\nx = str(IterativeImputer())", "from sklearn.experimental import enable_iterative_imputer\nimport re", "from sklearn.impute import IterativeImputer", "x = str(IterativeImputer())"),
    case("looking", "n", "import pandas as pd\ndf = pd.DataFrame({'x': [1, 2]})\nn = len(df)", "import pandas as pd\ndf = pd.DataFrame({'x': [1, 2]})\ndf.head()\nprint(df.shape, df['x'].sum())", "df.describe()\nn = len(df)\ndf"),
    case("looking beside a change", "df", "import pandas as pd\ndf = pd.DataFrame({'x': [1, 2]})\ndf['y'] = 1\nprint(df.x.sum())", "import pandas as pd\ndf = pd.DataFrame({'x': [1, 2]})", "df['y'] = 1\nprint(df.x.sum())"),
    case("data of others", "a", "import numpy as np\na = np.arange(3)", "import numpy as np\na = np.arange(3)\nb = np.zeros((2, 2))\nc = b.sum()"),
    case("a name that a library reads in text", "small", "import pandas as pd\ndf = pd.DataFrame({'x': [1, 9]})\nlimit = 6\nsmall = df.query('x < @limit')", "import pandas as pd\ndf = pd.DataFrame({'x': [1, 9]})", "limit = 6\nother = 7\nsmall = df.query('x < @limit')"),
    case("a loop", "t", "t = 0\nfor i in [1, 2]:\n    t += i", "t = 0\nu = 0\nfor i in [1, 2]:\n    t += i"),
    case("a condition", "flag", "flag = 'kept'\nready = False\nif ready:\n    flag = 'changed'", "flag = 'kept'\nready = False\nother = 1", "if ready:\n    flag = 'changed'"),
    case("a builtin with another meaning", "a", "a = 1\nlen = print\nn = len('x')", "a = 1\nlen = print\nn = len('x')"),
    case("an option that a value is shown with", "t", "import pandas as pd\npd.set_option('display.precision', 2)\ns = pd.Series([1 / 3])\nt = str(s)", "import pandas as pd\npd.set_option('display.precision', 2)", "n = 1", "s = pd.Series([1 / 3])\nt = str(s)"),
    case("a number that no option changes", "n", "n = 1", "import pandas as pd\npd.set_option('display.precision', 2)", "n = 1"),
    case("a part of a module", "x", "import math\nmath.tau = 6\nx = math.floor(math.tau)", "import math", "math.tau = 6", "y = 1", "x = math.floor(math.tau)"),
    case("a method given to a class", "x", "class A:\n    pass\nA.v = lambda self: 7\nx = A().v()", "class A:\n    pass", "A.v = lambda self: 7", "x = A().v()"),
    case("a setting of a library", "x", "import decimal\ndecimal.getcontext().prec = 4\nx = str(decimal.Decimal(1) / 3)", "import decimal", "decimal.getcontext().prec = 4", "x = str(decimal.Decimal(1) / 3)"),
)  # fmt: skip
"""Which statements of an execution."""

STATES = (
    case("random, seeded again", "y", "import random\nrandom.seed(2)\ny = random.random()", "import random", "random.seed(1)", "x = random.random()", "random.seed(2)", "y = random.random()"),
    case("random, drawn before", "y", "import random\nrandom.seed(1)\nx = random.random()\ny = random.random()", "import random\nrandom.seed(1)", "x = random.random()", "y = random.random()"),
    case("random, two states", "y", "import random\nimport numpy as np\nrandom.seed(1); np.random.seed(1)\ny = np.random.rand()", "import random\nimport numpy as np", "x = random.random()", "random.seed(1); np.random.seed(1)", "z = random.random()", "y = np.random.rand()"),
    case("a file written anew", "n", "open('f', 'w').write('abc')\nn = open('f').read()", "open('f', 'w').write('a')", "open('f', 'w').write('abc')", "n = open('f').read()"),
    case("a file added to", "n", "open('f', 'w').write('a')\nopen('f', 'a').write('b')\nn = open('f').read()", "open('f', 'w').write('a')", "open('f', 'a').write('b')", "n = open('f').read()"),
    case("a folder looked into", "n", "import os\nopen('f', 'w').write('a')\nn = os.listdir('.').count('f')", "import os", "open('f', 'w').write('a')", "x = 1", "n = os.listdir('.').count('f')"),
    case("a folder made", "n", "import os\nos.makedirs('sub', exist_ok=True)\nopen('sub/f', 'w').write('ab')\nn = len(open('sub/f').read())", "import os", "os.makedirs('sub', exist_ok=True)", "open('sub/f', 'w').write('ab')", "n = len(open('sub/f').read())"),
    case("the environment", "v", "import os\nos.environ['SLICE_MODE'] = 'fast'\nv = os.environ.get('SLICE_MODE')", "import os", "os.environ['SLICE_MODE'] = 'fast'", "u = 1", "v = os.environ.get('SLICE_MODE')"),
    case("a figure beside one that is open", "n", "import matplotlib.pyplot as plt\nplt.switch_backend('agg')\nfigure = plt.figure(2, figsize=(2, 2))\nn = len(figure.axes)", "import matplotlib.pyplot as plt\nplt.switch_backend('agg')", "plt.figure(1)\nlines = plt.plot([1, 2])", "figure = plt.figure(2, figsize=(2, 2))\nn = len(figure.axes)", "plt.close('all')"),
    case("the figure of a number", "n", "import matplotlib.pyplot as plt\nplt.figure(1)\nlines = plt.plot([1, 2])\nfigure = plt.figure(num=1)\nn = len(figure.axes)\nplt.close('all')", "import matplotlib.pyplot as plt", "plt.figure(1)\nlines = plt.plot([1, 2])", "figure = plt.figure(num=1)\nn = len(figure.axes)\nplt.close('all')"),
    case("the current figure", "n", "import matplotlib.pyplot as plt\nlines = plt.plot([1, 2])\nn = len(plt.gcf().axes)\nplt.close('all')", "import matplotlib.pyplot as plt", "lines = plt.plot([1, 2])", "x = 1", "n = len(plt.gcf().axes)\nplt.close('all')"),
    case("a generator", "rest", "g = (i for i in range(4))\nfirst = next(g)\nrest = list(g)", "g = (i for i in range(4))", "first = next(g)", "n = 1", "rest = list(g)"),
    case("a generator that a statement only names", "n", "g = (i for i in [1])\nn = next(g)", "g = (i for i in [1])", "box = [g]", "n = next(g)"),
    case("an iterator over a list that grew", "out", "rows = [1]\nit = iter(rows)\nrows.append(2)\nout = list(it)", "rows = [1]", "it = iter(rows)", "rows.append(2)", "out = list(it)"),
    case("a function without a name that somebody keeps", "r", "k = 1\nclass H:\n    def __init__(s, f): s.f = f\nh = H(lambda: k)\nk = 2\nr = h.f()", "k = 1", "class H:\n    def __init__(s, f): s.f = f", "h = H(lambda: k)", "k = 2", "r = h.f()"),
    case("a function that remembers", "r", "import functools\nk = 1\n@functools.lru_cache\ndef f():\n    return k\nf()\nk = 2\nr = f()", "import functools\nk = 1\n@functools.lru_cache\ndef f():\n    return k", "f()", "k = 2", "r = f()"),
    case("a method that changes something else", "n", "log = []\nclass T:\n    def mean(s):\n        log.append(1)\nt = T()\nt.mean()\nn = len(log)", "log = []\nclass T:\n    def mean(s):\n        log.append(1)\nt = T()", "t.mean()", "n = len(log)"),
    case("a file that was closed", "n", "f = open('a', 'w')\nf.write('x')\nf.close()\nn = open('a').read()", "f = open('a', 'w')\nf.write('x')", "f.close()", "n = open('a').read()"),
    case("a file that was let go of", "n", "f = open('a', 'w')\nw = f.write('x')\nf = None\nn = open('a').read()", "f = open('a', 'w')\nw = f.write('x')", "f = None", "n = open('a').read()", "f = 2"),
    case("a class by another name", "r", "class A:\n    def m(s): return 1\nB = A\nB.m = lambda s: 2\nr = A().m()", "class A:\n    def m(s): return 1", "B = A", "B.m = lambda s: 2", "r = A().m()"),
    case("a class that counts", "n", "class P:\n    made = 0\n    def __init__(s): P.made += 1\np = P()\nq = P()\nn = P.made", "class P:\n    made = 0\n    def __init__(s): P.made += 1", "p = P()", "q = P()", "n = P.made"),
    case("an object whose looks change it", "n", "class T:\n    n = 0\n    @property\n    def v(s):\n        s.n += 1\n        return s.n\nt = T()\nt.v\nprint(t.v)\nn = t.n", "class T:\n    n = 0\n    @property\n    def v(s):\n        s.n += 1\n        return s.n\nt = T()\nt.v", "print(t.v)", "n = t.n"),
    case("a step's parameter", "x", "n = 3\nx = n + 1", "%%pipeline s --params n=3\nx = n + 1"),
    case("a cell that is tracked", "x", "x = 2", "%%track\nx = 2\n%track log n=x"),
)  # fmt: skip
"""What has no name of its own."""
