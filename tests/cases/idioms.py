"""Small notebooks, each with one thing in it that breaks exporters: every cell is a section of its own.

A row is a name, the cells, and the names whose final values the pipeline must deliver.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Idiom:
    """One notebook: its `cells`, the `names` that count, and the `order` of execution if it is not top to bottom."""

    name: str
    cells: tuple[str, ...]
    names: tuple[str, ...]
    order: tuple[int, ...] | None = None


def idiom(name: str, names: str, *cells: str, order: tuple[int, ...] | None = None) -> Idiom:
    return Idiom(name, cells, tuple(names.split()), order)


IDIOMS = (
    idiom("alias then append", "a b", "a = [1]", "b = a", "b.append(2)", "n = len(a)"),
    idiom("object in a container", "box n", "row = [1, 2]", "box = {'row': row}", "row.append(3)", "n = len(box['row'])"),
    idiom("array view", "a s", "import numpy as np\na = np.zeros(6)", "v = a[2:4]", "v[:] = 7", "s = float(a.sum())"),
    idiom("array that lies in a file", "s back", "import numpy as np\nm = np.memmap('m', dtype='f4', mode='w+', shape=(4,))\nv = m[1:3]", "v[0] = 5", "m[3] = 2", "m.flush()\ns = float(m.sum())\nback = np.fromfile('m', dtype='f4')"),
    idiom("frame changed in place", "df t", "import pandas as pd\ndf = pd.DataFrame({'x': [1, 2, 3]})", "df['y'] = df['x'] * 2",
          "df.drop(columns='x', inplace=True)", "t = int(df['y'].sum())"),
    idiom("what cannot cross, deleted or bound anew since", "n m", "from sklearn.preprocessing import FunctionTransformer\nimport numpy as np\nt = FunctionTransformer(lambda x: x + 1)\nu = FunctionTransformer(lambda x: x * 2)", "a = t.fit_transform(np.ones(2))\nb = u.fit_transform(a)", "n = a.sum()\ndel t", "m = b.sum()\nu = None"),
    idiom("changed inside a library call", "model score", "import numpy as np\nfrom sklearn.linear_model import LinearRegression\n"
          "X = np.arange(10.0).reshape(-1, 1)\ny = X[:, 0] * 3", "model = LinearRegression()", "model.fit(X, y)", "score = model.score(X, y)"),
    idiom("function whose global changes later", "r1 r2", "k = 2\ndef f(x):\n    return x * k", "r1 = f(10)", "k = 5", "r2 = f(10)"),
    idiom("function that binds a global", "count", "count = 0\ndef step():\n    global count\n    count += 1", "step()", "step()\nstep()", "total = count"),
    idiom("closure over a loop variable", "out", "fs = []\nfor i in range(3):\n    fs.append(lambda: i)", "out = [f() for f in fs]"),
    idiom("seed set in an earlier cell", "x y", "import numpy as np\nnp.random.seed(3)", "x = np.random.rand(4)", "y = np.random.rand(4)"),
    idiom("no seed at all", "x y z", "import random\nimport numpy as np", "x = np.random.rand(3)", "y = random.random()", "z = np.random.normal(size=2)"),
    idiom("environment variable", "v", "import os\nos.environ['IDIOM_MODE'] = 'fast'", "v = os.environ.get('IDIOM_MODE', 'slow')"),
    idiom("arguments set for a parser", "n", "import argparse\nimport sys\nsys.argv = ['run', '--n', '4']", "def asked():\n    parser = argparse.ArgumentParser()\n    parser.add_argument('--n', type=int)\n    return parser.parse_args()", "n = asked().n"),
    idiom("pandas option", "text", "import pandas as pd\npd.set_option('display.precision', 2)", "s = pd.Series([1 / 3])", "text = str(s)"),
    idiom("scikit-learn option", "columns", "import pandas as pd\nimport sklearn\nfrom sklearn.preprocessing import StandardScaler\nsklearn.set_config(transform_output='pandas')", "table = pd.DataFrame({'a': [1.0, 2.0]})", "columns = list(StandardScaler().fit_transform(table).columns)"),
    idiom("parquet written and read", "total", "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2, 3]})", "df.to_parquet('x.parquet')", "def load(name):\n    return pd.read_parquet(name)", "back = load('x' + '.parquet')\ntotal = int(back['a'].sum())"),
    idiom("loops over what cannot cross", "both", "import threading\nn = 0\nfor lock in [threading.Lock()]:\n    with lock:\n        n += 1", "m = 0\nfor lock in [threading.Lock(), threading.Lock()]:\n    with lock:\n        m += 1", "both = n + m"),
    idiom("a module after a function of its name", "a b c", "from copy import copy\na = copy([1])", "import copy\nb = copy.deepcopy([2])", "from copy import copy\nc = copy([3])"),
    idiom("looks for a function in its callers when it is read back", "n", "import sys\nclass Model:\n    def __init__(self, function):\n        self.function = function\n        self.found = self.find()\n    def find(self):\n        frame = sys._getframe(1)\n        while frame is not None and self.function not in frame.f_globals:\n            frame = frame.f_back\n        return frame.f_globals[self.function](1)\n    def __setstate__(self, state):\n        self.__dict__.update(state)\n        self.find()", "def double(x):\n    return 2 * x\nmodel = Model('do' + 'uble')\nd = double(2)", "n = model.found"),
    idiom("names in strings", "counts", "import numpy as np\nimport pandas as pd", "# Load\ndf = pd.DataFrame({'a': [1, 4, 9]})\ndef double(x):\n    return 2 * x\ndef above(frame):\n    return frame.query('a > @np.sqrt(9)', engine='python')", "# Count\nn = len(df.query('a > @double(3)'))", "# Ask\nm = len(df.query('a > @double(0)'))\nk = len(above(df))", "# All\ncounts = [n, m, k, eval('np.sqrt(16)')]"),
    idiom("a class made by a call", "p r", "from collections import namedtuple\nP = namedtuple('P', 'a b')", "p = [P(1, 2)]", "p.append(P(3, p[0].a))", "r = p[1].a + p[1].b"),
    idiom("a class made by a call with a value", "r", "from collections import namedtuple\nfields = ['a', 'b']\nP = namedtuple('P', fields)", "p = P(1, 2)", "r = p.a + p.b"),
    idiom("names for types", "r", "from typing import Generic, NewType, TypeVar\nT = TypeVar('T')\nId = NewType('Id', int)", "class Box(Generic[T]):\n    def __init__(self, v: T):\n        self.v = v",
          "box = Box(Id(5))", "r = box.v + 1"),
    idiom("a number of a class made by a call", "r", "from enum import IntEnum\nLevel = IntEnum('Level', 'LOW HIGH')", "found = [Level.HIGH]", "r = found[0] is Level.HIGH"),
    idiom("names between underscores", "r", "__version__ = '1.2'\n_k: int = 3", "__all__ = [__version__]", "r = (__all__[0], _k, __name__)"),
    idiom("a folder that a shell line looks into", "n", "import os\nos.makedirs('data/raw')\nopen('data/raw/a.txt', 'w').write('one')", "import time\nk = 1", "found = !ls ./data/raw/", "n = len(found) + k"),
    idiom("a function that alone binds a global name", "z q", "z = 1\ndef main():\n    global q\n    q = z + 4", "main()", "r = q"),
    idiom("function that makes a global in the cell that defines it", "a b", "def show(k=3):\n    global last\n    last = k * 2\n    return last\nshow()", "a = last\nb = show(5)", "def start(how):\n    how()\ndef how():\n    global np, n\n    import numpy as np\n    n = 2\nstart(how)", "c = float(np.sqrt(n * 2))", "b = [a, c]"),
    idiom("function that makes a global", "total fresh", "n = 0\ndef bump():\n    global n, fresh  # both\n    n += 1\n    fresh = n * 10", "bump()", "total = fresh + n"),
    idiom("star imports beside what uses them", "a b c", "import statistics\nfrom math import *\na = sqrt(16)\ndef root(x):\n    return sqrt(x)", "b = root(9)", "c = type(log1p(0)).__name__"),
    idiom("star imports of the same names", "a b", "from numpy import *\nfrom math import *\na = type(sqrt(2)).__name__", "import statistics\nb = [type(sqrt(2)).__name__, type(linspace(0, 1, 3)).__name__]"),
    idiom("two imports of one name", "a b", "from numpy import floor, sqrt", "from math import floor, ceil", "a = [floor(2.5), sqrt(4), ceil(2.5)]", "from numpy import floor\nfrom math import floor\nb = floor(2.5)"),
    idiom("star imports that hide each other", "a b c", "from numpy import *\nfrom math import *", "a = floor(2.5)", "from numpy import *  # again\nb = floor(2.5)", "from math import floor\nfrom numpy import *\nc = [floor(3.5), float(pi)]"),
    idiom("star import over a value", "a b n", "pi = 3\ndata = [1]", "a = pi\nfrom math import *\ndata.append(floor(2.5))\nb = pi * 2", "n = len(data)"),
    idiom("import over a value, and the other way round", "a b", "from math import e, pi", "# Part x\na = e * 2 + pi\ne = 5\nb = e"),
    idiom("function whose import changes later", "a b", "from numpy import floor\ndef up(x):\n    return floor(x)", "a = up(2.5)", "from math import floor", "b = up(2.5)"),
    idiom("asks whether it is the main program", "result", "def main():\n    return 7", "if __name__ == '__main__':\n    result = main()"),
    idiom("import that may fail", "text", "try:\n    import no_such_json as json\nexcept ImportError:\n    import json", "text = json.dumps({'a': 1})"),
    idiom("database", "value", "import sqlite3\nbase = sqlite3.connect('d.db')\nbase.execute('create table t (x)')\nbase.execute('insert into t values (5)')\nbase.commit()\nbase.close()", "import sqlite3\nbase = sqlite3.connect('d.db')\nvalue = base.execute('select x from t').fetchone()[0]\nbase.close()"),
    idiom("file renamed", "n", "import os\nfrom pathlib import Path\nPath('t.csv').write_text('abc')", "os.rename('t.csv', 'f.csv')", "n = len(open('f.csv').read())"),
    idiom("file written and read", "back", "from pathlib import Path\nPath('note.txt').write_text('kept')", "back = Path('note.txt').read_text()"),
    idiom("working directory", "here", "import os\nos.makedirs('sub', exist_ok=True)\nos.chdir('sub')", "here = os.path.basename(os.getcwd())"),
    idiom("generator half used", "first rest", "g = (i * i for i in range(5))", "first = next(g)", "rest = list(g)"),
    idiom("lock in an object", "n", "import threading\nclass Counter:\n    def __init__(self):\n        self.n = 0\n        self.lock = threading.Lock()\n"
          "    def up(self):\n        with self.lock:\n            self.n += 1", "c = Counter()", "c.up(); c.up()", "n = c.n"),
    idiom("star import", "r", "from math import *", "r = sqrt(16) + floor(2.5)"),
    idiom("instance of a class of the notebook", "p q", "class Point:\n    def __init__(self, x):\n        self.x = x\n    def __eq__(self, o):\n        return self.x == o.x",
          "p = Point(3)", "p.x += 1", "q = p.x"),
    idiom("class redefined", "a b", "class A:\n    def v(self):\n        return 1", "old = A()", "class A:\n    def v(self):\n        return 2", "a = old.v()\nb = A().v()"),
    idiom("decorated function", "r", "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def g(x):\n        return f(f(x))\n    return g",
          "@twice\ndef inc(x):\n    return x + 1", "r = inc(5)"),
    idiom("default computed from data", "r", "n = 4", "def f(x, m=n):\n    return x * m", "n = 100", "r = f(2)"),
    idiom("comprehension scope", "x ys", "x = 'outer'", "ys = [x for x in range(3)]", "x = x + '!'"),
    idiom("name deleted and made again", "v", "v = 1\nw = v", "del v", "v = w + 10"),
    idiom("builtin shadowed", "list out", "list = [3, 1, 2]", "out = sorted(list)", "list = tuple(list)"),
    idiom("builtin shadowed by its own result", "out", "max = max([1, 5, 2])", "out = max + 1"),
    idiom("cell magics", "t s", "%%time\nt = 2 + 3", "%time s = t * 2", "%timeit -n1 -r1 t"),
    idiom("shell line", "files", "n = 2\n!echo one > a.txt", "files = !ls *.txt"),
    idiom("captured cell", "x y", "%%capture out\nprint(1)\ny = [2]", "y.append(3)", "x = len(y)"),
    idiom("query that names a variable", "small", "import pandas as pd\ndf = pd.DataFrame({'x': [1, 5, 9]})", "limit = 6", "small = df.query('x < @limit')"),
    idiom("augmented on an alias", "a b", "import numpy as np\na = np.ones(3)\nb = a", "a += 1", "b = b * 2"),
    idiom("conditional binding", "flag", "flag = 'kept'\nready = False", "if ready:\n    flag = 'changed'", "flag = flag + '!'"),
    idiom("try import", "have", "try:\n    import json as codec\nexcept ImportError:\n    codec = None", "have = codec is not None and codec.dumps([1])"),
    idiom("exec", "z", "w = 20", "exec('z = w + 1')", "z = z * 2"),
    idiom("walrus and augmented", "n m", "n = 1\nif (m := n + 1) > 1:\n    n += m", "n *= 10"),
    idiom("top-level await", "r", "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 7", "r = await f()"),
    idiom("lambda in an estimator", "out", "from sklearn.preprocessing import FunctionTransformer\nimport numpy as np", "scale = 3\nt = FunctionTransformer(lambda x: x * scale)",
          "out = t.transform(np.ones((2, 2)))"),
    idiom("warning filter", "caught", "import warnings\nwarnings.simplefilter('error')",
          "try:\n    warnings.warn('x')\n    caught = False\nexcept UserWarning:\n    caught = True"),
    idiom("numpy print options", "t", "import numpy as np\nnp.set_printoptions(precision=2)", "t = str(np.array([1 / 3]))"),
    idiom("multi-line string kept as it is", "t", "t = '''a\n  b\n    c'''", "t = t + '!'"),
    idiom("unicode names", "größe", "größe = 3", "größe = größe * 2"),
    idiom("held function with a mutable default", "y", "def double(x, settings={}):\n    return x * settings.get('k', 2)", "box = [double, []]", "box[1].append(box[0](3))", "y = box[0](box[1][0])"),
    idiom("mutable default", "out", "def f(x, seen=[]):\n    seen.append(x)\n    return list(seen)", "a = f(1)", "out = f(2)"),
    idiom("run again with other input", "rows total", "n = 1", "rows = [n]", "total = sum(rows)", "n = 5", order=(0, 1, 2, 3, 1)),
    idiom("counted on after use", "count seen", "count = 0", "count += 1", "seen = count", order=(0, 1, 2, 1, 1)),
    idiom("appended to after use", "rows k", "rows = []", "rows.append(len(rows))", "k = len(rows)", order=(0, 1, 1, 2, 1)),
    idiom("from bottom to top", "a b c", "a = b + 1", "b = 1", "c = a + b", order=(1, 0, 2)),
    idiom("one step in two places", "x y", "%%pipeline s\nx = 1", "%%pipeline t\ny = x", "%%pipeline s\nx = 2"),
    idiom("the pipeline was looked at", "x y", "%%pipeline s\nx = 1", "table = %pipeline", "print(table.steps[0].name)", "y = x + 1"),
    idiom("function of a function of a value", "total other", "rng = [0]\ndef draw():\n    rng[0] += 1\n    return rng[0]", "def twice():\n    return draw() + draw()", "total = twice()", "other = twice() + draw()"),
    idiom("estimator with such a function", "out", "from sklearn.preprocessing import FunctionTransformer\nfactor = 3", "def scale(x):\n    return x * factor", "def apply(x):\n    return scale(x)", "model = FunctionTransformer(apply)", "import numpy as np\nout = model.transform(np.array([[1.0]]))"),
    idiom("what cannot cross shares with what can", "data n", "class Fit:\n    def __init__(self, data):\n        self.data, self.shape = data, lambda x: x + 1",
          "data = [1, 2]\nfit = Fit(data)", "fit.n = fit.shape(len(data))", "fit.data.append(fit.n)", "n = fit.n + len(data)"),
    idiom("generator without a seed", "a b c", "import numpy as np\nrng = np.random.default_rng()", "a = rng.random(3)", "b = np.random.default_rng().integers(100, size=3)\nc = np.random.RandomState(5).rand()"),
    idiom("class with its import in one cell", "area", "from abc import ABC, abstractmethod\nclass Shape(ABC):\n    @abstractmethod\n    def area(self): ...", "class Square(Shape):\n    def __init__(self, side):\n        self.side = side\n    def area(self):\n        return self.side**2", "square = Square(3)", "area = square.area()"),
    idiom("library changed by the notebook", "total", "import pandas as pd\ndef double(self):\n    return self * 2", "pd.DataFrame.double = double", "table = pd.DataFrame({'a': [1, 2]}).double()", "total = int(table.double()['a'].sum())"),
    idiom("library extended by a decorator", "n", "import pandas as pd\n@pd.api.extensions.register_dataframe_accessor('tiny')\nclass Tiny:\n    def __init__(self, table):\n        self.table = table\n    def rows(self):\n        return len(self.table)", "table = pd.DataFrame({'a': [1, 2]})", "n = table.tiny.rows()"),
    idiom("library set up with a value", "level", "import logging\nwanted = logging.ERROR", "logging.getLogger('idiom').setLevel(wanted)", "level = logging.getLogger('idiom').level"),
    idiom("interpreter set up", "text", "from decimal import Decimal, getcontext\ngetcontext().prec = 5", "third = Decimal(1) / Decimal(3)", "text = str(third)"),
    idiom("pyplot's figure drawn on later", "n", "import matplotlib.pyplot as plt\nplt.figure()\nplt.plot([1, 2])", "plt.plot([2, 3])", "n = len(plt.gca().lines)"),
    idiom("file asked after", "there gone", "from pathlib import Path\nPath('one.txt').write_text('1')\nPath('two.txt').write_text('2')", "import os\nos.remove('two.txt')", "import os\nthere, gone = os.path.exists('one.txt'), os.path.exists('two.txt')"),
    idiom("attribute made when it is looked at", "keys", "import functools\nclass Lazy:\n    @functools.cached_property\n    def span(self):\n        return 3", "lazy = Lazy()\nlazy.span", "keys = list(vars(lazy))"),
    idiom("submodule that another cell imported", "text", "import xml.dom.minidom as dom\nimport xml", "document = dom.parseString('<a/>')", "text = xml.dom.minidom.parseString('<b/>').documentElement.tagName"),
    idiom("section named like a builtin", "n", "# Filter\nwords = ['a', '', 'b']", "kept = list(filter(None, words))", "n = len(kept)"),
    idiom("function extended after it was defined twice", "out", "from functools import singledispatch\n@singledispatch\ndef f(x):\n    return 'first'", "before = f(1)", "@singledispatch\ndef f(x):\n    return 'any'\n@f.register(int)\ndef _(x):\n    return 'int'", "out = f(1) + f('a') + before"),
    idiom("class given a method later", "n", "class A:\n    def f(self):\n        return 1", "a = A()", "A.f = lambda self: 5", "n = a.f()"),
    idiom("function with an attribute", "a b", "def f():\n    return f.k\nf.k = 3", "a = f()", "f.k = 4", "b = f()"),
    idiom("functions registered by a decorator", "out", "reg = {}\ndef registered(function):\n    reg[function.__name__] = function\n    return function", "@registered\ndef a(x):\n    return x + 1", "out = {name: f(3) for name, f in reg.items()}"),
    idiom("import whose failure matters", "word", "try:\n    import no_such_module_at_all\n    have = True\nexcept ImportError:\n    have = False", "word = 'yes' if have else 'no'"),
    idiom("function that its decorator calls", "v n", "v = []\ndef now(function):\n    function()\n    return function", "@now\ndef f():\n    v.append(1)", "n = len(v)", "f()", "m = len(v)"),
    idiom("random default", "x y", "import random\ndef f(n, extra=random.random()):\n    return n + extra", "x = f(1)", "y = f(2)"),
    idiom("builtin replaced by a function", "n", "out = []\n_print = print\ndef print(*words):\n    out.append(words)", "print('x')", "n = len(out)"),
    idiom("annotations of the future", "same", "from __future__ import annotations\nclass Node:\n    def itself(self) -> Node:\n        return self", "node = Node()", "same = node.itself() is node"),
    idiom("view of a dict", "n", "d = {'a': 1}\nkeys = d.keys()", "d['b'] = 2", "n = len(keys)"),
    idiom("magics as a script has them", "n words", "get_ipython().run_line_magic('env', 'IDIOM_SAID=b')\nimport math, os", "get_ipython().run_line_magic('time', 'n = math.floor(4.5)')  # quick", "words = get_ipython().getoutput('echo a b')\nget_ipython().system('true')\nwords = list(words)", "m = os.environ['IDIOM_SAID'] + str(n)"),
    idiom("function with a global value in other processes", "r", "from multiprocessing import Pool\nk = 3", "def f(x):\n    return x * k\nwith Pool(2) as pool:\n    r = pool.map(f, [1, 2])", "total = sum(r)"),
    idiom("instance that is pickled where its class uses a value", "v", "import pickle\nk = 3", "class P:\n    def __init__(self):\n        self.v = k\nwith open('p.pkl', 'wb') as file:\n    pickle.dump(P(), file)\nwith open('p.pkl', 'rb') as file:\n    v = pickle.load(file).v"),
    idiom("semicolon and a comment", "n", "rows = [1, 2]", "rows;  # not shown", "n = len(rows)"),
    idiom("two imports of one name", "a b", "from collections import Counter as Box\na = len(Box('aab'))", "from types import SimpleNamespace as Box\nb = Box(k=2)", "b = b.k + Box(k=1).k"),
    idiom("cached function", "calls", "calls = []\nimport functools\n@functools.lru_cache\ndef f(x):\n    calls.append(x)\n    return x", "f(1)", "f(1); f(2)"),
    idiom("generator that is loaded before another is made", "b c", "import numpy as np\nrng = np.random.default_rng()\na = rng.normal()", "b = rng.normal()\nc = np.random.default_rng().normal()", "d = b + c"),
)  # fmt: skip
