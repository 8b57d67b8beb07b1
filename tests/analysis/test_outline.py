"""A notebook's code cells with the headings and the prose above them."""

from __future__ import annotations

from mlops_jupyter.analysis.cells.outline import CodeCell, match, outline


def cell(kind: str, source: object, **more: object) -> dict[str, object]:
    return {"cell_type": kind, "source": source, "metadata": {}, **more}


def test_sections_prose_and_tags() -> None:
    notebook = {
        "cells": [
            cell("code", "import os"),
            cell("markdown", "# Title\nSome words."),
            cell("code", ["x = 1\n", "y = 2"], id="a", metadata={"tags": ["parameters"]}),
            cell("markdown", "More words.\n```\n# no heading\n```"),
            cell("code", "z = x"),
            cell("raw", "ignored"),
            cell("markdown", "## Load the data ##"),
            cell("code", "d = 1"),
        ]
    }
    assert outline(notebook) == (
        CodeCell(1, "", "import os"),
        CodeCell(2, "a", "x = 1\ny = 2", ("parameters",), 1, "Title", "Some words."),
        CodeCell(3, "", "z = x", (), 1, "Title", "More words.\n```\n# no heading\n```"),
        CodeCell(4, "", "d = 1", (), 2, "Load the data", ""),
    )


def test_executions_find_their_cells() -> None:
    cells = outline({"cells": [cell("code", "a = 1", id="1"), cell("code", "pass"), cell("code", "pass")]})
    found = match(cells, [("1", "a = 0  # since edited"), ("", "pass"), ("", "pass\n"), ("9", "gone")])
    assert [c.number if c else None for c in found] == [1, 2, 3, None]
