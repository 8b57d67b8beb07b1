"""What flows: arguments, returned values, names that share an object, names that are bound again or deleted."""

from __future__ import annotations

from tests.cases.step_modules.row import row

FLOW = (
    row(
        "an argument",
        "What one step makes and another takes is returned by the one and an argument of the other.",
        """
        %%pipeline load
        rows = [3, 1, 2]
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
        "several arguments",
        "Arguments and returned values stand in the order in which the code first mentions them.",
        """
        %%pipeline load
        low = 1
        high = 9
        # %%
        %%pipeline join
        span = high - low
        """,
        load="""
        def load():
            low = 1
            high = 9
            return low, high
        """,
        join="""
        def join(high, low):
            span = high - low
            return span
        """,
    ),
    row(
        "nothing crosses",
        "A step that takes nothing has no arguments; a last value that no step takes is delivered.",
        """
        %%pipeline one
        a = 1
        # %%
        %%pipeline two
        b = 2
        """,
        one="""
        def one():
            a = 1
            return a
        """,
        two="""
        def two():
            b = 2
            return b
        """,
    ),
    row(
        "a helper value stays inside",
        "A value that only its own step takes is no argument; a name with an underscore is not delivered.",
        """
        %%pipeline load
        _half = 2
        # %%
        %%pipeline load
        size = _half * 2
        """,
        load="""
        def load():
            _half = 2

            size = _half * 2
            return size
        """,
    ),
    row(
        "two cells of one step",
        "Cells of one name make one function, in the order in which they ran.",
        """
        %%pipeline load
        rows = [3, 1, 2]
        # %%
        %%pipeline load
        rows.sort()
        # %%
        %%pipeline add
        total = sum(rows)
        """,
        load="""
        def load():
            rows = [3, 1, 2]

            rows.sort()
            return rows
        """,
        add="""
        def add(rows):
            total = sum(rows)
            return total
        """,
    ),
    row(
        "a name bound again by another step",
        "A step that makes a name anew takes the one before as its argument and returns the new one.",
        """
        %%pipeline load
        rows = [3, 1, 2]
        # %%
        %%pipeline prepare
        rows = sorted(rows)
        # %%
        %%pipeline add
        total = sum(rows)
        """,
        load="""
        def load():
            rows = [3, 1, 2]
            return rows
        """,
        prepare="""
        def prepare(rows):
            rows = sorted(rows)
            return rows
        """,
        add="""
        def add(rows):
            total = sum(rows)
            return total
        """,
    ),
    row(
        "changed in place by another step",
        "A step that changes what it takes returns it, for each step has a copy of its own.",
        """
        %%pipeline load
        rows = [3, 1, 2]
        # %%
        %%pipeline grow
        rows.append(4)
        # %%
        %%pipeline add
        total = sum(rows)
        """,
        load="""
        def load():
            rows = [3, 1, 2]
            return rows
        """,
        grow="""
        def grow(rows):
            rows.append(4)
            return rows
        """,
        add="""
        def add(rows):
            total = sum(rows)
            return total
        """,
    ),
    row(
        "an alias that matters",
        "Two names for one object that a later step changes cross together; both are arguments of that step.",
        """
        %%pipeline load
        rows = [3, 1, 2]
        same = rows
        # %%
        %%pipeline grow
        same.append(4)
        # %%
        %%pipeline add
        total = sum(rows)
        """,
        load="""
        def load():
            rows = [3, 1, 2]
            same = rows
            return rows, same
        """,
        grow="""
        def grow(same, rows):
            same.append(4)
            return same, rows
        """,
        add="""
        def add(rows):
            total = sum(rows)
            return total
        """,
    ),
    row(
        "an alias that does not matter",
        "Two names for one object that nobody changes go their own ways.",
        """
        %%pipeline load
        rows = [3, 1, 2]
        same = rows
        # %%
        %%pipeline add
        total = sum(same)
        """,
        load="""
        def load():
            rows = [3, 1, 2]
            same = rows
            return rows, same
        """,
        add="""
        def add(same):
            total = sum(same)
            return total
        """,
    ),
    row(
        "deleted",
        "A name that its step deletes does not leave it.",
        """
        %%pipeline load
        text = "3 1 2"
        rows = text.split()
        del text
        # %%
        %%pipeline count
        n = len(rows)
        """,
        load="""
        def load():
            text = "3 1 2"
            rows = text.split()
            del text
            return rows
        """,
        count="""
        def count(rows):
            n = len(rows)
            return n
        """,
    ),
    row(
        "a loop",
        "The name of a loop is a value like any other, which the last round leaves behind.",
        """
        %%pipeline load
        rows = []
        for number in range(3):
            rows.append(number)
        # %%
        %%pipeline add
        total = sum(rows) + number
        """,
        load="""
        def load():
            rows = []
            for number in range(3):
                rows.append(number)
            return rows, number
        """,
        add="""
        def add(rows, number):
            total = sum(rows) + number
            return total
        """,
    ),
    row(
        "only on some paths",
        "A name that a step may leave as it was is an argument of that step as well.",
        """
        %%pipeline load
        rows = [3, 1, 2]
        label = "few"
        # %%
        %%pipeline judge
        if len(rows) > 5:
            label = "many"
        """,
        load="""
        def load():
            rows = [3, 1, 2]
            label = "few"
            return rows, label
        """,
        judge="""
        def judge(rows, label):
            if len(rows) > 5:
                label = "many"
            return label
        """,
    ),
    row(
        "back to a step",
        "A cell of an earlier step that needs a later one makes a second step, for steps have an order.",
        """
        %%pipeline load
        rows = [3, 1, 2]
        # %%
        %%pipeline count
        n = len(rows)
        # %%
        %%pipeline load
        half = rows[:n // 2]
        """,
        load="""
        def load():
            rows = [3, 1, 2]
            return rows
        """,
        count="""
        def count(rows):
            n = len(rows)
            return n
        """,
        load_2="""
        def load_2(rows, n):
            half = rows[: n // 2]
            return half
        """,
    ),
    row(
        "a change that did not happen",
        "What a cell may change in place on some path is handed on, though the recorded run did not take that path.",
        """
        %%pipeline load
        rows = [1, 2]
        limit = 5
        # %%
        %%pipeline clean
        if len(rows) > limit:
            rows.clear()
        # %%
        %%pipeline report
        total = sum(rows)
        """,
        load="""
        def load():
            rows = [1, 2]
            limit = 5
            return rows, limit
        """,
        clean="""
        def clean(rows, limit):
            if len(rows) > limit:
                rows.clear()
            return rows
        """,
        report="""
        def report(rows):
            total = sum(rows)
            return total
        """,
    ),
    row(
        "a look that changes nothing",
        "A step that only looks at a value does not hand it on.",
        """
        %%pipeline load
        rows = [1, 2]
        # %%
        %%pipeline look
        size = len(rows)
        # %%
        %%pipeline report
        total = sum(rows) / size
        """,
        load="""
        def load():
            rows = [1, 2]
            return rows
        """,
        look="""
        def look(rows):
            size = len(rows)
            return size
        """,
        report="""
        def report(rows, size):
            total = sum(rows) / size
            return total
        """,
    ),
)
