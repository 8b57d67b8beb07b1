"""Run cells of one kind in an IPython shell, with or without an extension; print the seconds of each as JSON."""

import json
import sys
import time

from IPython.core.interactiveshell import InteractiveShell

FRAME = "frame = pd.DataFrame(np.random.default_rng(0).random((1_000_000, 10)), columns=list('abcdefghij'))"
IMPORTS = "import numpy as np\nimport pandas as pd"

SETUP = {
    "ordinary": [IMPORTS, "small = pd.DataFrame({'a': range(1000), 'b': 1.5})", "values = list(range(100))"],
    "beside": [IMPORTS, FRAME, "rows = len(frame)"],
    "inplace": [IMPORTS, FRAME],
    "loops": ["def step(x):\n    return (x * 31 + 7) % 1009"],
}
CELLS = {
    "ordinary": (
        "x{i} = {i}\ny{i} = [x{i}] * 3",
        "values.append({i})\ntotal = sum(values)",
        "def scale{i}(v):\n    return v * {i}\nscaled = [scale{i}(v) for v in values[:10]]",
        "small['c{m}'] = small['a'] * {i}\nmean = small['c{m}'].mean()",
        "label = f'run-{i}'\nsettings = {{'name': label, 'depth': {i}}}",
    ),
    "beside": ("part = frame['a'].iloc[:{i}].sum()", "top = frame.iloc[{i}]['b']", "note = 'cell {i} of ' + str(rows)"),
    "inplace": ("frame.iloc[{i}, 0] = {i}.5", "frame['b'].to_numpy()\nframe.loc[{i}, 'c'] = -1.0"),
    "loops": ("n{i} = 0\nfor k in range(20_000):\n    n{i} = step(n{i} + k)",),
}
COUNT = {"ordinary": 200, "beside": 60, "inplace": 40, "loops": 30}


def main(extension: str, kind: str) -> list[float]:
    """Run the cells of a kind; return the seconds of each."""
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False  # its thread would write each cell's text while the next one is measured
    if extension != "plain":
        shell.run_line_magic("load_ext", extension)
    for cell in SETUP[kind]:
        shell.run_cell(cell, store_history=True).raise_error()
    seconds = []
    for i in range(COUNT[kind]):
        cells = CELLS[kind]
        source = cells[i % len(cells)].format(i=i + 1, m=i % 7)
        start = time.perf_counter()
        result = shell.run_cell(source, store_history=True)
        seconds.append(time.perf_counter() - start)
        result.raise_error()
    return seconds


print("\n" + json.dumps(main(*sys.argv[1:])), flush=True)
