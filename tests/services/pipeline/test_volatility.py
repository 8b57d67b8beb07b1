"""What a step takes from the outside world, told from its text and from that of the local modules it may reach."""

from __future__ import annotations

import pytest

from mlops_jupyter.services.pipeline.steps.volatility import outside_world

VOLATILE = {
    "import time\nt = time.time()": "reads the clock: `time.time()`",
    "import uuid\nrun = uuid.uuid4()": "draws from the operating system's randomness: `uuid.uuid4()`",
    "import requests\nr = requests.get('https://a.b')": "reads from the network: `requests.get('https://a.b')`",
    "import subprocess\nsubprocess.run(['ls'])": "runs another program: `subprocess.run(['ls'])`",
    "import os\nos.system('ls')": "runs another program: `os.system('ls')`",
    "import sqlite3\nc = sqlite3.connect('a.db')": "asks a database: `sqlite3.connect('a.db')`",
    "import pandas as pd\ndf = pd.read_sql(q, c)": "asks a database: `pd.read_sql(q, c)`",
    "import time\nt = time.strftime('%Y')": "reads the clock: `time.strftime('%Y')`",
    "import subprocess\nsubprocess.run(\n    ['ls']\n)": "runs another program: `subprocess.run( …`",
}

STEADY = (
    "import numpy as np\nx = np.random.default_rng(0).normal()",
    "import numpy as np\nx = np.random.normal()",
    "import pandas as pd\ndf = pd.read_csv('a.csv')",
    "import time\nt = time.strftime('%Y', moment)",
    "import os\npath = os.path.join('a', 'b')",
)


@pytest.mark.parametrize(("text", "reason"), VOLATILE.items())
def test_what_no_cache_key_can_hold(text: str, reason: str) -> None:
    assert outside_world({"": text}, {}).volatile == (reason,)


@pytest.mark.parametrize("text", STEADY)
def test_what_comes_out_the_same(text: str) -> None:
    assert outside_world({"": text}, {}).volatile == ()


VARIABLES = {
    "os.environ['MODE']": ("~environ:MODE",),
    "os.environ.get('MODE', 'a')": ("~environ:MODE",),
    "os.getenv('MODE')": ("~environ:MODE",),
    "getenv('MODE')": ("~environ:MODE",),
    "'MODE' in os.environ": ("~environ:MODE",),
    "environ['B'] + environ['A']": ("~environ:A", "~environ:B"),
    "settings.get('MODE')": (),
}


@pytest.mark.parametrize(("text", "variables"), VARIABLES.items(), ids=VARIABLES)
def test_environment_variables(text: str, variables: tuple[str, ...]) -> None:
    assert outside_world({"": f"x = {text}"}, {}).variables == variables


LOCAL = {
    "clock.py": "import time\n\ndef now():\n    return time.time()\n\ndef steady():\n    return 1\n",
    "fetch.py": "from clock import now\n\ndef stamp():\n    return now()\n",
    "mode.py": "import os\n\nMODE = os.environ['MODE']\n",
}


@pytest.mark.parametrize(
    ("text", "volatile", "variables"),
    [
        ("from clock import steady\nx = steady()", (), ("~environ:MODE",)),
        ("from clock import now\nx = now()", ("reads the clock: `time.time()` (clock.py)",), ("~environ:MODE",)),
        ("import fetch\nx = fetch.stamp()", ("reads the clock: `time.time()` (clock.py)",), ("~environ:MODE",)),
    ],
    ids=["a function beside it", "the function", "a function of another module that calls it"],
)
def test_local_modules(text: str, volatile: tuple[str, ...], variables: tuple[str, ...]) -> None:
    outside = outside_world({"": text}, LOCAL)
    assert outside.volatile == volatile
    assert outside.variables == variables
