"""What may make a cell's values differ in another process: found where it is, silent where it is not."""

from __future__ import annotations

import pytest

from mlops_jupyter.analysis.facts.extract import NondeterminismKind, extract_facts

FOUND = {
    "x = np.random.rand(3)": NondeterminismKind.UNSEEDED,
    "import numpy\nnumpy.random.shuffle(a)": NondeterminismKind.UNSEEDED,
    "import random as r\nr.choice(a)": NondeterminismKind.UNSEEDED,
    "from random import shuffle as mix\nmix(a)": NondeterminismKind.UNSEEDED,
    "from numpy import random\nrandom.normal(0, 1)": NondeterminismKind.UNSEEDED,
    "torch.randn(3)": NondeterminismKind.UNSEEDED,
    "train_test_split(X, y)": NondeterminismKind.UNSEEDED,
    "train_test_split(X, y, random_state=None)": NondeterminismKind.UNSEEDED,
    "RandomForestClassifier(n_estimators=10)": NondeterminismKind.UNSEEDED,
    "KFold(5, shuffle=True)": NondeterminismKind.UNSEEDED,
    "df.sample(frac=1)": NondeterminismKind.UNSEEDED,
    "random.seed(1)\nnp.random.rand()": NondeterminismKind.UNSEEDED,
    "np.random.seed()": NondeterminismKind.ENTROPY,
    "import random\nrandom.Random(None)": NondeterminismKind.ENTROPY,
    "import uuid\nuuid.uuid4().hex": NondeterminismKind.ENTROPY,
    "uuid4()": NondeterminismKind.ENTROPY,
    "os.urandom(8)": NondeterminismKind.ENTROPY,
    "secrets.token_hex()": NondeterminismKind.ENTROPY,
    "time.time()": NondeterminismKind.CLOCK,
    "from time import perf_counter as now\nnow()": NondeterminismKind.CLOCK,
    "datetime.now()": NondeterminismKind.CLOCK,
    "import datetime as dt\ndt.datetime.utcnow()": NondeterminismKind.CLOCK,
    "from datetime import date as d\nd.today()": NondeterminismKind.CLOCK,
    "pd.Timestamp.now()": NondeterminismKind.CLOCK,
    "pd.to_datetime('today')": NondeterminismKind.CLOCK,
    "np.datetime64('now')": NondeterminismKind.CLOCK,
    "time.strftime('%Y')": NondeterminismKind.CLOCK,
    "requests.get(url)": NondeterminismKind.NETWORK,
    "from requests import get\nget(url)": NondeterminismKind.NETWORK,
    "urllib.request.urlopen(u)": NondeterminismKind.NETWORK,
    "pd.read_csv('https://example.org/a.csv')": NondeterminismKind.NETWORK,
    "pd.read_parquet(f's3://{bucket}/a')": NondeterminismKind.NETWORK,
    "fetch_openml('titanic')": NondeterminismKind.NETWORK,
    "os.environ['HOME']": NondeterminismKind.ENVIRONMENT,
    "os.environ.get('HOME')": NondeterminismKind.ENVIRONMENT,
    "os.getcwd()": NondeterminismKind.ENVIRONMENT,
    "Path.home()": NondeterminismKind.ENVIRONMENT,
    "sys.argv[1]": NondeterminismKind.ENVIRONMENT,
    "os.listdir(a)": NondeterminismKind.ORDER,
    "[p for p in Path('.').glob('*')]": NondeterminismKind.ORDER,
    "list(set(a))": NondeterminismKind.ORDER,
    "for x in set(a) - b: pass": NondeterminismKind.ORDER,
    "[x for x in {'a', b}]": NondeterminismKind.ORDER,
    "', '.join(set(a))": NondeterminismKind.ORDER,
    "s = {a, b}\nfor x, y in zip(rows, s): pass": NondeterminismKind.ORDER,
    "s = set(a).union(b)\n[x for x in s]": NondeterminismKind.ORDER,
    "s: set = {a, b}\nlist(s)": NondeterminismKind.ORDER,
    "hash('a')": NondeterminismKind.ADDRESS,
    "id(a)": NondeterminismKind.ADDRESS,
    "for f in as_completed(fs): pass": NondeterminismKind.CONCURRENCY,
    "input('name')": NondeterminismKind.INPUT,
    "getpass.getpass()": NondeterminismKind.INPUT,
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
    assert [cause.kind for cause in extract_facts(source).causes] == [FOUND[source]]


def test_a_set_that_another_cell_made() -> None:
    made, taken = extract_facts("s = {a, b}"), extract_facts("for x in s: pass")
    assert [cause.kind for cause in taken.causes_with(made.sets)] == [NondeterminismKind.ORDER]
    assert taken.causes_with(frozenset({"t"})) == ()


@pytest.mark.parametrize("source", SILENT)
def test_silent(source: str) -> None:
    assert extract_facts(source).causes == ()


def test_where_and_how_it_is_written() -> None:
    source = "x = 1\ndef f():\n    ä = 'é' + str(\n        time.time() ** 2)\nnp.random.choice(\n    x)\n"
    assert [(c.line, c.text) for c in extract_facts(source).causes] == [(4, "time.time()"), (5, "np.random.choice(")]
