"""Files that cells may write on other days, as their text tells, and the later cells that would find them."""

from __future__ import annotations

import ast

import pytest

from mlops_jupyter.analysis.mutations.collect import collect
from mlops_jupyter.analysis.mutations.possible_files import possible_files
from mlops_jupyter.analysis.mutations.summaries import Module, MutationSummaries
from mlops_jupyter.core.executions import Execution
from mlops_jupyter.core.ids import ExecutionId

READ = "text = open('a.csv').read()"

CELLS = {
    "open": (("if flag: open('a.csv', 'w').write('')", READ), {"a.csv"}),
    "open to append": (("if flag: open('a.csv', mode='a')", READ), {"a.csv"}),
    "open in a mode that is not known": (("open('a.csv', mode)", READ), {"a.csv"}),
    "open to read": (("if flag: open('a.csv')", READ), set()),
    "a method of the frame": (("if flag: df.to_csv('a.csv')", READ), {"a.csv"}),
    "a keyword": (("if flag: df.to_parquet(path='a.csv')", READ), {"a.csv"}),
    "a method of the path": (("if flag: Path('a.csv').write_text('')", READ), {"a.csv"}),
    "open of the path": (("if flag: Path('a.csv').open('w')", READ), {"a.csv"}),
    "a removal": (("if flag: os.remove('a.csv')", READ), {"a.csv"}),
    "a variable": (("path = 'a.csv'", "if flag: df.to_csv(path)", "open('a.csv')"), {"a.csv"}),
    "a path that is put together": (("if flag: df.to_csv(folder / 'a.csv')", READ), {"a.csv"}),
    "a pattern": (("for n in range(k): df.to_csv(f'part_{n}.csv')", "open('part_7.csv')"), {"part_7.csv"}),
    "listed": (("if flag: df.to_csv('out/a.csv')", "glob('out/*.csv')"), {"out/a.csv"}),
    "patterns on both sides, which no name is known of": (("df.to_csv(f'{n}.csv')", "glob('*.csv')"), set()),
    "a function": (("def save(df): df.to_csv('a.csv')", "if flag: save(df)", READ), {"a.csv"}),
    "a function's parameter": (("def save(to): df.to_csv(to)", "if flag: save('a.csv')", READ), {"a.csv"}),
    "a reader's variable": (("if flag: df.to_csv('a.csv')", "path = 'a.csv'", "open(path)"), {"a.csv"}),
    "another file": (("if flag: df.to_csv('b.csv')", READ), set()),
    "a later writer": ((READ, "if flag: df.to_csv('a.csv')"), set()),
    "outside of the folder": (("if flag: df.to_csv('/tmp/a.csv')", "open('/tmp/a.csv')"), set()),
    "no file at all": (("name.replace('a', 'b')", "open('b')"), set()),
}


@pytest.mark.parametrize(("sources", "wanted"), CELLS.values(), ids=CELLS)
def test_the_text_tells_what_may_be_written(sources: tuple[str, ...], wanted: set[str]) -> None:
    cells = [collect(ast.parse(source)) for source in sources]
    module = Module({})
    summaries = MutationSummaries((cell, module) for cell in cells)
    uses = {position: summaries.of_cell(cell, module).files for position, cell in enumerate(cells)}
    found = possible_files(uses, cells, [Execution(ExecutionId(n), source, source) for n, source in enumerate(sources)])
    assert set().union(*(files.written for files in found.values())) == wanted
    assert found[len(cells) - 1].read == wanted
