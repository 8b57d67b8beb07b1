"""What an export looks like, word for word: `GOLDEN=write pytest tests/golden` after a change that is meant.

Left out: what depends on the versions installed (the lock, pyproject.toml, the first lines of pipeline.yaml's
requirements), where a random state stood before the notebook began, and the runtime, which has tests of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from ruff import find_ruff_bin  # type: ignore[import-untyped]

from mlops_jupyter.services.export.run.verify import verify
from tests.services.export.recorded import Cell, export

HERE = Path(__file__).parent / "bundles"

NOTEBOOKS: dict[str, tuple[list[Cell], dict[str, object]]] = {
    "linear": (
        [
            "import numpy as np\nimport pandas as pd\nfrom pathlib import Path",
            ("# Weather\n## Load\nThe station's readings, one row a day.", "days = pd.DataFrame({'day': range(6), 'rain': [0, 3.5, None, 1, 0, 2]})"),
            ("## Clean", "# a missing reading was a dry day\ndays['rain'] = days['rain'].fillna(0.0)\ndays.head()"),
            ("## Summarise\nHow much fell, and on how many days.", "def wet(frame):\n    \"\"\"Days with rain.\"\"\"\n    return int((frame['rain'] > 0).sum())\n\ntotal = float(days['rain'].sum())\nwet_days = wet(days)"),
        ],
        {"schedule": "0 6 * * 1", "timezone": "Europe/Berlin"},
    ),
    "diamond": (
        [
            "from statistics import mean",
            "%%pipeline load --params size=4\nrows = list(range(size))",
            "%%pipeline left --params factor=2\nleft = [r * factor for r in rows]",
            "%%pipeline right\nright = [r + 10 for r in rows]",
            "%%pipeline join\nscore = mean(left) + mean(right)\nprint(f'the score is {score}')",
        ],
        {"outputs": ["score"], "targets": ["python"]},
    ),
    "shared": (
        [
            ("# State\n## Start", "import numpy as np\nbox = {'values': [1, 2]}\nvalues = box['values']\nnp.random.seed(4)"),
            ("## Change", "values.append(3)\ndraw = np.random.rand(2)"),
            ("## Use", "def total(scale=1):\n    return sum(box['values']) * scale + bonus\n\nbonus = 5\nresult = total() + float(draw.sum())"),
            ("## Use again", "bonus = 6\nagain = total(2)"),
        ],
        {},
    ),
    "sections": (
        [
            ("# Digits\nHow well a forest tells irises apart.", "# what we need\nimport numpy as np\nimport pandas as pd\nfrom sklearn.datasets import load_iris\nfrom sklearn.ensemble import RandomForestClassifier\nfrom sklearn.metrics import accuracy_score\nfrom sklearn.model_selection import train_test_split\n%load_ext autoreload\n%autoreload 2"),
            ("## Load the data\nFour measures of 150 flowers.", "iris = load_iris(as_frame=True)\nflowers = iris.frame\nflowers.head()"),
            "flowers.columns = [name.split(' (')[0].replace(' ', '_') for name in flowers.columns]",
            ("## Prepare", "# the last quarter is for the test\nX = flowers.drop(columns='target')\ny = flowers['target']\nX_train, X_test, y_train, y_test = train_test_split(X, y, random_state=4)"),
            ("## Train\nTwenty trees are enough.", "n_estimators = 20", "parameters"),
            "forest = RandomForestClassifier(n_estimators=n_estimators, random_state=4)\nforest.fit(X_train, y_train)",
            ("## Evaluate", "predicted = forest.predict(X_test)\naccuracy = accuracy_score(y_test, predicted)\nprint(f'accuracy: {accuracy:.3f}')\naccuracy"),
        ],
        {"outputs": ["accuracy"]},
    ),
    "unmarked": (
        [
            "import pandas as pd\nfrom sklearn.linear_model import LinearRegression",
            "homes = pd.read_csv('homes.csv')",
            "homes.shape",
            "# price per square metre\nhomes['rate'] = homes['price'] / homes['area']\nhomes = homes[homes['rate'] < 10]",
            "model = LinearRegression()\nmodel.fit(homes[['area']], homes['price'])",
            "score = model.score(homes[['area']], homes['price'])\nslope = float(model.coef_[0])",
        ],
        {},
    ),
    "shell": (
        [
            ("# Words\n## Fetch", "folder = 'texts'\n!mkdir -p {folder}\n!echo 'one two two' > $folder/a.txt"),
            ("", "%%bash\n# a second text\necho 'two three' > texts/b.txt\n"),
            ("## Count", "%%time\nfrom collections import Counter\nfrom pathlib import Path\n\n%run counting.py\n"),
            "%env LC_ALL=C\nnames = !ls {folder}\nwords = Counter(word for name in names for word in words_of(Path(folder) / name))",
            ("## Report", "%timeit -n 1 -r 1 words.most_common(2)\nwords.most_common?\ntop = words.most_common(1)[0]\n%time length = sum(words.values())"),
        ],
        {},
    ),
    "kale": (
        [
            ("", "import numpy as np", "imports"),
            ("", "def scaled(values, by):\n    \"\"\"Values over their largest, times a factor.\"\"\"\n    return values / values.max() * by", "functions"),
            ("", "size = 5\nfactor = 2.0", "pipeline-parameters"),
            ("", "print(np.__version__)", "skip"),
            ("# Data", "values = np.linspace(1, 9, size)", "step:load"),
            ("", "left = scaled(values, factor)", "step:left", "prev:load"),
            ("", "right = scaled(values[::-1], 1)", "step:right", "prev:load"),
            ("", "# together they are level\nlevel = left + right", "step:join", "prev:left", "prev:right"),
            ("", "spread = float(level.max() - level.min())", "step:join"),
            ("", "print(spread)", "pipeline-metrics"),
        ],
        {},
    ),
    "plots": (
        [
            ("# Waves", "import matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd\nfrom IPython.display import display"),
            ("## Signal", "time = np.linspace(0, 1, 50)\nsignal = pd.DataFrame({'time': time, 'value': np.sin(2 * np.pi * time)})\nsignal.describe()"),
            ("## Look at it\nOne period of a sine.", "fig, ax = plt.subplots()\nax.plot(signal['time'], signal['value'])\nax.set_xlabel('time')\nplt.show()"),
            "plt.hist(signal['value'])\nplt.title('values')",
            ("## Peak?", "peak = signal.loc[signal['value'].idxmax()]\ndisplay(signal.tail(3))\nhighest = float(peak['value'])"),
        ],
        {"outputs": ["highest"]},
    ),
    "series": (
        [
            ("# Sales\n## Setup", "from dataclasses import dataclass\n\nimport numpy as np\nimport pandas as pd\n\npd.set_option('display.precision', 2)\nrng = np.random.default_rng(7)"),
            ("### Helpers", "@dataclass\nclass Trend:\n    \"\"\"A straight line through a series.\"\"\"\n\n    slope: float\n    start: float\n\n    def at(self, day):\n        return self.start + self.slope * day\n\n\ndef smooth(series, window=7):\n    # the first days have no full window\n    return series.rolling(window, min_periods=1).mean()"),
            ("## Load", "days = pd.date_range('2024-01-01', periods=60, freq='D')\nsales = pd.Series(np.arange(60) * 0.5 + rng.normal(size=60), index=days, name='sales')"),
            ("## Fit\nA line through the smoothed values.", "level = smooth(sales)\nslope, start = np.polyfit(np.arange(len(level)), level.to_numpy(), 1)\ntrend = Trend(float(slope), float(start))"),
            ("## Forecast", "forecast = [trend.at(day) for day in range(60, 67)]\nweek = sum(forecast)"),
        ],
        {"outputs": ["week", "level"]},
    ),
}  # fmt: skip

FILES = {
    "unmarked": {"homes.csv": "area,price\n50,150\n80,260\n120,370\n60,900\n"},
    "shell": {"counting.py": '"""Words of a text."""\n\n\ndef words_of(path):\n    """Return them in lower case."""\n    return path.read_text().lower().split()\n'},
}  # fmt: skip


def comparable(bundle: Path) -> dict[str, str]:
    found = {}
    for path in sorted(bundle.rglob("*")):
        name = path.relative_to(bundle).as_posix()
        if path.is_file() and not re.search(r"^\.bundle\.json|runtime/|initial/numpy.random|requirements.lock|pyproject.toml|tests/expected/|initial/~|initial/numpy|__pycache__", name):
            text = path.read_text()
            found[name] = re.sub(r'  - "?[\w.-]+==.*\n', "", text) if name == "pipeline.yaml" else text
    return found


@pytest.fixture(scope="module")
def fresh() -> Iterator[ProcessPoolExecutor]:
    """A process in which no other test has run: what a step reads of hidden state depends on how that stands."""
    with pytest.MonkeyPatch.context() as here:
        here.setenv("MPLBACKEND", "Agg")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield pool


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_bundle(name: str, tmp_path: Path, fresh: ProcessPoolExecutor) -> None:
    cells, wish = NOTEBOOKS[name]
    wish = dict(wish)
    names = wish.pop("outputs", None)
    for path, text in FILES.get(name, {}).items():
        (tmp_path / path).write_text(text)
    answer = fresh.submit(export, tmp_path, cells, names, name=name, **wish).result()  # type: ignore[arg-type]
    assert "fault" not in answer, answer
    found = comparable(tmp_path / "out")
    if os.environ.get("GOLDEN") == "write":
        for path, text in found.items():
            (HERE / name / path).parent.mkdir(parents=True, exist_ok=True)
            (HERE / name / path).write_text(text)
    kept = comparable(HERE / name)
    assert found.keys() == kept.keys()
    for path, text in found.items():
        assert text == kept[path], path
    assert verify(tmp_path / "out").status == "identical"
    for words in (["check", "--select", "E4,E7,E9,F,I,B006,PLW1510"], ["format", "--check"]):  # by its own settings
        command = [find_ruff_bin(), *words, "--no-cache", "."]
        done = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
