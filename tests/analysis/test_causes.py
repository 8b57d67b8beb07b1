"""What may make a cell's values differ in another process: found where it is, silent where it is not."""

from __future__ import annotations

import pytest

from mlops_jupyter.analysis.facts import CauseKind, facts

FOUND = {
    "x = np.random.rand(3)": CauseKind.UNSEEDED,
    "import numpy\nnumpy.random.shuffle(a)": CauseKind.UNSEEDED,
    "import random as r\nr.choice(a)": CauseKind.UNSEEDED,
    "from random import shuffle as mix\nmix(a)": CauseKind.UNSEEDED,
    "from numpy import random\nrandom.normal(0, 1)": CauseKind.UNSEEDED,
    "torch.randn(3)": CauseKind.UNSEEDED,
    "train_test_split(X, y)": CauseKind.UNSEEDED,
    "train_test_split(X, y, random_state=None)": CauseKind.UNSEEDED,
    "RandomForestClassifier(n_estimators=10)": CauseKind.UNSEEDED,
    "KFold(5, shuffle=True)": CauseKind.UNSEEDED,
    "df.sample(frac=1)": CauseKind.UNSEEDED,
    "random.seed(1)\nnp.random.rand()": CauseKind.UNSEEDED,
    "np.random.seed()": CauseKind.ENTROPY,
    "import random\nrandom.Random(None)": CauseKind.ENTROPY,
    "import uuid\nuuid.uuid4().hex": CauseKind.ENTROPY,
    "uuid4()": CauseKind.ENTROPY,
    "os.urandom(8)": CauseKind.ENTROPY,
    "secrets.token_hex()": CauseKind.ENTROPY,
    "time.time()": CauseKind.CLOCK,
    "from time import perf_counter as now\nnow()": CauseKind.CLOCK,
    "datetime.now()": CauseKind.CLOCK,
    "import datetime as dt\ndt.datetime.utcnow()": CauseKind.CLOCK,
    "from datetime import date as d\nd.today()": CauseKind.CLOCK,
    "pd.Timestamp.now()": CauseKind.CLOCK,
    "pd.to_datetime('today')": CauseKind.CLOCK,
    "np.datetime64('now')": CauseKind.CLOCK,
    "time.strftime('%Y')": CauseKind.CLOCK,
    "requests.get(url)": CauseKind.NETWORK,
    "from requests import get\nget(url)": CauseKind.NETWORK,
    "urllib.request.urlopen(u)": CauseKind.NETWORK,
    "pd.read_csv('https://example.org/a.csv')": CauseKind.NETWORK,
    "pd.read_parquet(f's3://{bucket}/a')": CauseKind.NETWORK,
    "fetch_openml('titanic')": CauseKind.NETWORK,
    "os.environ['HOME']": CauseKind.ENVIRONMENT,
    "os.environ.get('HOME')": CauseKind.ENVIRONMENT,
    "os.getcwd()": CauseKind.ENVIRONMENT,
    "Path.home()": CauseKind.ENVIRONMENT,
    "sys.argv[1]": CauseKind.ENVIRONMENT,
    "os.listdir(a)": CauseKind.ORDER,
    "[p for p in Path('.').glob('*')]": CauseKind.ORDER,
    "list(set(a))": CauseKind.ORDER,
    "for x in set(a) - b: pass": CauseKind.ORDER,
    "[x for x in {'a', b}]": CauseKind.ORDER,
    "', '.join(set(a))": CauseKind.ORDER,
    "s = {a, b}\nfor x, y in zip(rows, s): pass": CauseKind.ORDER,
    "s = set(a).union(b)\n[x for x in s]": CauseKind.ORDER,
    "s: set = {a, b}\nlist(s)": CauseKind.ORDER,
    "hash('a')": CauseKind.ADDRESS,
    "id(a)": CauseKind.ADDRESS,
    "for f in as_completed(fs): pass": CauseKind.CONCURRENCY,
    "input('name')": CauseKind.INPUT,
    "getpass.getpass()": CauseKind.INPUT,
}

SILENT = [
    "np.random.seed(0)\nnp.random.rand(3)",
    "random.seed(0)\nrandom.shuffle(a)",
    "set_seed(1)\nnp.random.rand()\nrandom.random()\ntorch.randn(2)",
    "np.random.seed(0)\ndf.sample(3)",
    "np.random.default_rng(0)",
    "np.random.default_rng(seed)",
    "np.random.default_rng()",
    "rng.normal(0, 1)",
    "rng.shuffle(a)",
    "train_test_split(X, y, random_state=0)",
    "RandomForestClassifier(**params)",
    "KFold(5)",
    "df.sample(3, random_state=rng)",
    "from sklearn.utils import shuffle\nshuffle(X, random_state=1)",
    "a.get(b)",
    "model.now()",
    "pd.read_csv('data/a.csv')",
    "time.strftime('%Y', t)",
    "time.sleep(1)",
    "sorted(os.listdir(a))",
    "sorted(p.name for p in Path('.').glob('*'))",
    "len(set(a))",
    "s = {a, b}\nsorted(s)\nlen(s)\nfor x in sorted(s): pass",
    "for x in s: pass",
    "sorted(set(a))",
    "for x in sorted(set(a)): pass",
    "list(dict.fromkeys(a))",
    "a.id",
    "x = 1",
]


@pytest.mark.parametrize("source", FOUND)
def test_found(source: str) -> None:
    assert [cause.kind for cause in facts(source).causes] == [FOUND[source]]


def test_a_set_that_another_cell_made() -> None:
    made, taken = facts("s = {a, b}"), facts("for x in s: pass")
    assert [cause.kind for cause in taken.causes_with(made.sets)] == [CauseKind.ORDER]
    assert taken.causes_with(frozenset({"t"})) == ()


@pytest.mark.parametrize("source", SILENT)
def test_silent(source: str) -> None:
    assert facts(source).causes == ()


def test_where_and_how_it_is_written() -> None:
    source = "x = 1\ndef f():\n    ä = 'é' + str(\n        time.time() ** 2)\nnp.random.choice(\n    x)\n"
    assert [(c.line, c.text) for c in facts(source).causes] == [(4, "time.time()"), (5, "np.random.choice(")]
