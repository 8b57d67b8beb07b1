"""What is beside the values: parameters, what an author declares, and state that no name holds."""

from __future__ import annotations

from tests.cases.step_modules.row import row

STATE = (
    row(
        "a parameter",
        "A parameter is a keyword argument with the notebook's value as its default.",
        """
        %%pipeline load --params size=3
        rows = list(range(size))
        """,
        load="""
        def load(size=3):
            rows = list(range(size))
            return rows
        """,
    ),
    row(
        "a parameter that another step takes",
        "A parameter is an argument of every step that uses it.",
        """
        %%pipeline load --params size=3
        rows = list(range(size))
        # %%
        %%pipeline check
        full = len(rows) == size
        """,
        load="""
        def load(size=3):
            rows = list(range(size))
            return rows
        """,
        check="""
        def check(rows, size=3):
            full = len(rows) == size
            return full
        """,
    ),
    row(
        "a parameter that is a list",
        "A list is no default, for all calls would share it: the pipeline holds its first value.",
        """
        %%pipeline load --params columns=['a','b']
        chosen = [name.upper() for name in columns]
        """,
        load="""
        def load(columns):
            chosen = [name.upper() for name in columns]
            return chosen
        """,
    ),
    row(
        "--out",
        "A step with `--out` gives nothing but what it names.",
        """
        %%pipeline load --out rows
        text = "3 1 2"
        rows = text.split()
        """,
        load="""
        def load():
            text = "3 1 2"
            rows = text.split()
            return rows
        """,
    ),
    row(
        "--in",
        "A step with `--in` takes what it names, seen to be read or not.",
        """
        %%pipeline load
        rows = [3, 1, 2]
        # %%
        %%pipeline check --in rows
        ready = True
        """,
        load="""
        def load():
            rows = [3, 1, 2]
            return rows
        """,
        check="""
        def check(rows):
            ready = True
            return ready
        """,
    ),
    row(
        "random numbers",
        "A random state is no argument: the pipeline sets it before a step and takes it after; the code stays.",
        """
        %%pipeline seed
        import random
        random.seed(3)
        # %%
        %%pipeline draw
        number = random.random()
        """,
        seed="""
        import random


        def seed():
            random.seed(3)
        """,
        draw="""
        import random


        def draw():
            number = random.random()
            return number
        """,
    ),
    row(
        "an environment variable",
        "A variable of the environment that one cell sets is set for the steps after it; the code stays as it is.",
        """
        %%pipeline setup
        import os
        os.environ["SHOP"] = "north"
        # %%
        %%pipeline name
        shop = os.environ["SHOP"]
        """,
        setup="""
        import os


        def setup():
            os.environ["SHOP"] = "north"
        """,
        name="""
        import os


        def name():
            shop = os.environ["SHOP"]
            return shop
        """,
    ),
    row(
        "a file between steps",
        "A file that one step writes and another reads is laid there by the pipeline; the code stays as it is.",
        """
        %%pipeline save
        n = open("rows.txt", "w").write("3 1 2")
        # %%
        %%pipeline load
        rows = open("rows.txt").read().split()
        """,
        save="""
        def save():
            n = open("rows.txt", "w").write("3 1 2")
            return n
        """,
        load="""
        def load():
            rows = open("rows.txt").read().split()
            return rows
        """,
    ),
    row(
        "a setting of a library",
        "What a cell sets up in a library is repeated by every later step.",
        """
        %%pipeline setup
        import logging
        logging.disable(logging.INFO)
        # %%
        %%pipeline load
        rows = [3, 1, 2]
        """,
        load="""
        import logging


        def load():
            logging.disable(logging.INFO)
            rows = [3, 1, 2]
            return rows
        """,
    ),
)
