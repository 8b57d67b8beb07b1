"""Print how long the export of a notebook as a pipeline takes: `export.py ours|soorgeon CELLS [TARGETS]`."""

import json
import sys
import time

SECTION = 10
"""Cells between two headings."""


def cells(count: int) -> list[str]:
    """Return the cells of a notebook that loads rows, derives columns and sums them up, section after section."""
    sources = ["import pandas as pd\n\nframe0 = pd.DataFrame({'a': range(100), 'b': 1.0})"]
    for i in range(1, count):
        before = f"frame{(i - 1) // SECTION}"
        if i % SECTION == 0:
            sources.append(f"frame{i // SECTION} = {before}.assign(total={before}['a'] + {i})")
        else:
            name = f"frame{i // SECTION}"
            sources.append(f"limit_{i} = {i}\nsize_{i} = int(({name}['a'] > limit_{i}).sum())")
    return sources


def ours(sources: list[str], targets: str = "python") -> float:
    """Run the cells as steps and export them; return the seconds of the export."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "mlops_jupyter")
    for i, source in enumerate(sources):
        marked = f"%%pipeline part_{i // SECTION}\n{source}"
        shell.run_cell(marked, store_history=True).raise_error()
    start = time.perf_counter()
    shell.run_cell(f"%pipeline export --output bundle --to {targets}", store_history=True).raise_error()
    return time.perf_counter() - start


def soorgeon(sources: list[str]) -> float:
    """Write the cells as a notebook and refactor it with soorgeon; return the seconds of the refactoring."""
    import nbformat
    from soorgeon import export

    book = nbformat.v4.new_notebook()
    for i, source in enumerate(sources):
        if i % SECTION == 0:
            book.cells.append(nbformat.v4.new_markdown_cell(f"## Part {i // SECTION}"))
        book.cells.append(nbformat.v4.new_code_cell(source))
    nbformat.write(book, "book.ipynb")
    start = time.perf_counter()
    export.refactor(
        "book.ipynb", None, product_prefix=None, df_format=None, single_task=False, file_format=None, serializer=None
    )
    return time.perf_counter() - start


def main(side: str, count: str, *targets: str) -> list[float]:
    """Measure a side."""
    return [{"ours": ours, "soorgeon": soorgeon}[side](cells(int(count)), *targets)]


print("\n" + json.dumps(main(*sys.argv[1:])), flush=True)
