"""Our cutting against IPython's own transformer: both find magics, shell lines and questions in the same places."""

from __future__ import annotations

import re

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from mlops_jupyter.analysis.cells import SegmentKind, segments

FORMS = {
    SegmentKind.LINE_MAGIC: r"run_line_magic\('(?!pinfo|psearch)",
    SegmentKind.CELL_MAGIC: r"run_cell_magic\(",
    SegmentKind.SHELL: r"\.(?:system|getoutput)\(",
    SegmentKind.HELP: r"run_line_magic\('(?:pinfo|psearch)|show_usage\(",
}

CELLS = [
    "%matplotlib inline\nimport a\n!ls\nb = !pwd\nc = %env HOME\nb?\n?c\nc??\n",
    "if a:\n    %time b = 1\n    !ls\n    c = !ls\nelse:\n    d?\n",
    "a = (b\n % c)\n%time d\n",
    "a = b \\\n % c\n%time d\n",
    "a = '''\n%time x\n!ls\ny?\n'''\n!ls\n",
    "a = r'\\'' + '''%'''\n%time b\n",
    "def f(a, b={'k': '%s'}):\n    '''doc\n    %x\n    '''\n    %time a\n    return a % b\n",
    "a = 5 % 3  # %time\n# %time\n# b?\n!ls\n",
    "!ls \\\n  -la\n%time \\\n  f()\na = !ls \\\n -l\n",
    "%%bash\nls\n%time x\n",
    "\n\n%%time\na = 1\n",
    "  a = 1\n  %time b\n",
    "a = [\n    1,\n    # comment's\n    2,\n]\n%time b\n",
    "a['%x'] = 1\nb = f('!', c='?')\n!ls\n",
    "a = b = 3\nf(x=3)\nc = {1: 2}[1]\nd = !ls\n",
    "lst[0] = !ls\nobj.attr = %pwd\na, b = !ls\n",
    "%time?\n%%time?\n",
    "a.b.c?\na[0]??\n*int*?\n",
    "x: list = !ls\n",
    "a == b\na <= b\na != b\na -= b\n!ls\n",
    "f'{a!r}'\nf'''{b\n!r}'''\n!ls\n",
    "%time a = '''\n",
    "@decorator\ndef f(): pass\n!ls\n",
    "a = 1;\n%time b\n",
    "for i in range(3):\n\n    # x\n    !echo $i\n\n%time b\n",
    "print('%d' % 3)\n%timeit -n 3 f(a)\n",
]


@pytest.mark.parametrize("cell", CELLS)
def test_the_same_places(cell: str) -> None:
    theirs = TransformerManager().transform_cell(cell)
    ours = segments(cell)
    for kind, form in FORMS.items():
        assert sum(piece.kind is kind for piece in ours) == len(re.findall(form, theirs)), kind
    python = "".join(piece.text for piece in ours if piece.kind is SegmentKind.PYTHON)
    assert [line.strip() for line in python.splitlines() if line.strip()] == [
        line.strip() for line in theirs.splitlines() if line.strip() and "get_ipython()" not in line
    ]
