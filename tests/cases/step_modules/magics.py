"""Magics, shell lines, scripts and displays, as plain Python."""

from __future__ import annotations

from tests.cases.step_modules.row import row

MAGICS = (
    row(
        "a magic that serves the screen",
        "A magic that only serves the screen is left out.",
        """
        %%pipeline load
        %who
        rows = [3, 1, 2]
        """,
        load="""
        def load():
            rows = [3, 1, 2]
            return rows
        """,
    ),
    row(
        "%time",
        "A magic that runs code keeps the code.",
        """
        %%pipeline load
        %time rows = sorted([3, 1, 2])
        """,
        load="""
        def load():
            rows = sorted([3, 1, 2])
            return rows
        """,
    ),
    row(
        "%%capture",
        "A cell magic that keeps what a cell prints leaves the cell's code.",
        """
        %%capture printed
        rows = [3, 1, 2]
        print(rows)
        """,
        prepare="""
        def prepare():
            rows = [3, 1, 2]
            print(rows)
            return rows
        """,
    ),
    row(
        "%%capture that is read",
        "What a cell prints is kept where a later cell reads it.",
        """
        %%capture printed
        import json
        rows = [3, 1, 2]
        print(json.dumps(rows))
        # %%
        %%pipeline join
        text = printed.stdout.strip()
        """,
        prepare="""
        import json

        from play.runtime.step.captured import captured


        def prepare():
            with captured() as printed:
                rows = [3, 1, 2]
                print(json.dumps(rows))
            return printed, rows
        """,
        join="""
        def join(printed):
            text = printed.stdout.strip()
            return text
        """,
    ),
    row(
        "%cd - after %cd",
        "The folder before the last `%cd` is written out where the cells tell which one it is.",
        """
        import os
        os.makedirs("raw/new", exist_ok=True)
        # %%
        %cd raw/new
        # %%
        %cd -
        there = os.path.isdir("raw/new")
        """,
        prepare="""
        import os


        def prepare():
            os.makedirs("raw/new", exist_ok=True)

            os.chdir("raw/new")

            os.chdir("../..")
            there = os.path.isdir("raw/new")
            return there
        """,
    ),
    row(
        "%%writefile",
        "A file that a cell writes is code of the step, as any other file that is written.",
        """
        %%writefile rows.txt
        3 1 2
        # %%
        %%pipeline load
        rows = open("rows.txt").read().split()
        """,
        prepare="""
        from pathlib import Path


        def prepare():
            Path("rows.txt").write_text("3 1 2", encoding="utf-8")
        """,
        load="""
        def load():
            rows = open("rows.txt").read().split()
            return rows
        """,
    ),
    row(
        "a shell line",
        "A shell line becomes a checked call: the step stops where the command fails.",
        """
        %%pipeline load
        !echo three > out.txt
        rows = open("out.txt").read()
        """,
        load="""
        import subprocess


        def load():
            subprocess.run("echo three > out.txt", shell=True, check=True)
            rows = open("out.txt").read()
            return rows
        """,
    ),
    row(
        "a shell line that gives a value",
        "What a shell line printed is a list of lines.",
        """
        %%pipeline load
        names = !echo three; echo one
        n = len(names)
        """,
        load="""
        import subprocess


        def load():
            names = subprocess.run(
                "echo three; echo one",
                shell=True,
                check=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ).stdout.splitlines()
            n = len(names)
            return names, n
        """,
    ),
    row(
        "%run of a file that defines",
        "A file of definitions that `%run` brings is imported from the bundle's `scripts`.",
        """
        %run helpers_of_rows.py
        # %%
        %%pipeline load
        rows = [double(1), double(2)]
        """,
        files={"helpers_of_rows.py": "def double(number):\n    return number * 2\n"},
        load="""
        from play.scripts.helpers_of_rows import double


        def load():
            rows = [double(1), double(2)]
            return rows
        """,
    ),
    row(
        "%run of a program",
        "A program that `%run` brings is run as IPython runs it, and its names are bound.",
        """
        %%pipeline load
        %run program_of_rows.py
        total = sum(rows)
        """,
        files={"program_of_rows.py": "rows = [3, 1, 2]\nprint(rows)\n"},
        load="""
        from play.runtime.step.scripts import run_script


        def load():
            rows = run_script("program_of_rows", gives=["rows"])
            total = sum(rows)
            return rows, total
        """,
    ),
    row(
        "a last expression",
        "A last expression that a notebook would draw is displayed; one that it would print is left as it is.",
        """
        %%pipeline show
        import pandas as pd
        table = pd.DataFrame({"x": [3, 1, 2]})
        table
        # %%
        %%pipeline count
        n = len(table)
        n
        """,
        show="""
        import pandas as pd

        from play.runtime.step.display import display


        def show():
            table = pd.DataFrame({"x": [3, 1, 2]})
            display(table)
            return table
        """,
        count="""
        def count(table):
            n = len(table)
            return n
        """,
    ),
    row(
        "display",
        "`display` is the bundle's own.",
        """
        %%pipeline show
        table = "3 1 2"
        display(table)
        """,
        show="""
        from play.runtime.step.display import display


        def show():
            table = "3 1 2"
            display(table)
            return table
        """,
    ),
    row(
        "a table of our own magic",
        "What our own magics show serves the notebook: what is made with it is left out.",
        """
        %%pipeline load
        rows = [3, 1, 2]
        # %%
        steps = %pipeline
        # %%
        number = len(steps.rows)
        """,
        load="""
        def load():
            rows = [3, 1, 2]
            return rows
        """,
    ),
)
