"""Which executions count: order, repetition, edits, failures; and where steps come from."""

from __future__ import annotations

from tests.cases.step_modules.row import row

CELLS = (
    row(
        "out of order",
        "The order of steps is the order in which cells ran, not that of the file.",
        """
        %%pipeline add
        total = sum(rows)
        # %%
        %%pipeline load
        rows = [3, 1, 2]
        """,
        order=(1, 0),
        load="""
        def load():
            rows = [3, 1, 2]
            return rows
        """,
        add="""
        def add(rows):
            total = sum(rows)
            return total
        """,
    ),
    row(
        "run again",
        "A cell that ran twice stands once if its second run needs nothing of the first.",
        """
        %%pipeline load
        rows = [3, 1, 2]
        # %%
        %%pipeline add
        total = sum(rows)
        """,
        order=(0, 1, 0, 1),
        load="""
        def load():
            rows = [3, 1, 2]
            return rows
        """,
        add="""
        def add(rows):
            total = sum(rows)
            return total
        """,
    ),
    row(
        "run again on its own result",
        "A cell that ran twice stands twice if its second run took what the first made.",
        """
        %%pipeline load
        n = 1
        # %%
        %%pipeline double
        n = n * 2
        """,
        order=(0, 1, 1),
        load="""
        def load():
            n = 1
            return n
        """,
        double="""
        def double(n):
            n = n * 2

            n = n * 2
            return n
        """,
    ),
    row(
        "a cell that failed",
        "A cell that failed and that nobody needs is left out.",
        """
        %%pipeline load
        rows = [3, 1, 2]
        # %%
        %%pipeline oops
        rows.sort_()
        # %%
        %%pipeline add
        total = sum(rows)
        """,
        load="""
        def load():
            rows = [3, 1, 2]
            return rows
        """,
        add="""
        def add(rows):
            total = sum(rows)
            return total
        """,
    ),
    row(
        "steps without names",
        "Cells without a name make steps by what they do.",
        """
        rows = [3, 1, 2]
        # %%
        rows = sorted(rows)
        # %%
        text = open("in.txt").read()
        """,
        files={"in.txt": "some text"},
        prepare="""
        def prepare():
            rows = [3, 1, 2]

            rows = sorted(rows)
            return rows
        """,
        load="""
        def load():
            text = open("in.txt").read()
            return text
        """,
    ),
    row(
        "a cell that only comments",
        "What is neither run nor defined leaves no step.",
        """
        # rows of the shop
        # %%
        %%pipeline load
        rows = [3, 1, 2]
        """,
        load="""
        def load():
            rows = [3, 1, 2]
            return rows
        """,
    ),
    row(
        "comments stay",
        "Comments above a statement and inside a cell stay where the author put them.",
        """
        %%pipeline load
        # what the shop sold
        rows = [3, 1, 2]  # in pieces
        """,
        load="""
        def load():
            # what the shop sold
            rows = [3, 1, 2]  # in pieces
            return rows
        """,
    ),
)
