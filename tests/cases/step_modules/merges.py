"""Values that no other process can have, and cells that are more than a function's body."""

from __future__ import annotations

from tests.cases.step_modules.row import row

MERGES = (
    row(
        "what cannot cross",
        "A value that no other process can have, as a generator, merges the steps that hand it on.",
        """
        %%pipeline load
        numbers = (n for n in range(3))
        # %%
        %%pipeline add
        total = sum(numbers)
        """,
        load="""
        def load():
            numbers = (n for n in range(3))

            total = sum(numbers)
            return total
        """,
    ),
    row(
        "what cannot cross, with a step between",
        "What lies between two steps that are merged is merged with them.",
        """
        %%pipeline load
        numbers = (n for n in range(3))
        # %%
        %%pipeline name
        title = "numbers"
        # %%
        %%pipeline add
        total = sum(numbers)
        """,
        load="""
        def load():
            numbers = (n for n in range(3))

            title = "numbers"

            total = sum(numbers)
            return title, total
        """,
    ),
    row(
        "a closure",
        "A function that another one made is a value that no other process can have: the steps are merged.",
        """
        def scaler(factor):
            def scaled(number):
                return number * factor
            return scaled
        # %%
        %%pipeline make
        triple = scaler(3)
        # %%
        %%pipeline use
        rows = [triple(1), triple(2)]
        """,
        make="""
        def scaler(factor):
            def scaled(number):
                return number * factor

            return scaled


        def make():
            triple = scaler(3)

            rows = [triple(1), triple(2)]
            return triple, rows
        """,
    ),
    row(
        "views of one array",
        "Arrays that share memory cross together, as any two names for one object do.",
        """
        %%pipeline load
        import numpy as np
        rows = np.zeros(4)
        head = rows[:2]
        # %%
        %%pipeline fill
        head[:] = 1
        rows[3] = 2
        """,
        load="""
        import numpy as np


        def load():
            rows = np.zeros(4)
            head = rows[:2]
            return rows, head
        """,
        fill="""
        def fill(head, rows):
            head[:] = 1
            rows[3] = 2
            return head, rows
        """,
    ),
    row(
        "names that only running tells",
        "A cell whose names cannot be seen runs in a scope of its own inside its step.",
        """
        %%pipeline load
        for name in ["low", "high"]:
            globals()[name] = len(name)
        # %%
        %%pipeline join
        span = high - low
        """,
        load=r'''
        SOURCE = """\
        for name in ["low", "high"]:
            globals()[name] = len(name)
        """


        def load():
            scope = {
                "__name__": "__main__",
            }
            exec(compile(SOURCE, "<step load>", "exec"), scope)  # its cells bind names as they run
            return scope["name"], scope["low"], scope["high"]
        ''',
        join="""
        def join(high, low):
            span = high - low
            return span
        """,
    ),
    row(
        "await",
        "A step that waits is a coroutine, which the pipeline runs.",
        """
        %%pipeline load
        import asyncio
        rows = await asyncio.sleep(0, [3, 1, 2])
        """,
        load="""
        import asyncio


        async def load():
            rows = await asyncio.sleep(0, [3, 1, 2])
            return rows
        """,
    ),
    row(
        "__name__",
        "A notebook's `__name__` is `__main__`, and so is the step's.",
        """
        %%pipeline load
        rows = []
        if __name__ == "__main__":
            rows = [3, 1, 2]
        """,
        load="""
        def load():
            __name__ = "__main__"  # as in the notebook
            rows = []
            if __name__ == "__main__":
                rows = [3, 1, 2]
            return rows
        """,
    ),
)
