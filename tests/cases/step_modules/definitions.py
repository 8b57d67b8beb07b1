"""Definitions: functions, classes, decorators and defaults; at the top of a module, shared, or inside a step."""

from __future__ import annotations

from tests.cases.step_modules.row import row

DEFINITIONS = (
    row(
        "a function of one step",
        "A function that one step uses stands above the step's own function.",
        """
        def double(number):
            return number * 2
        # %%
        %%pipeline load
        rows = [double(1), double(2)]
        """,
        load="""
        def double(number):
            return number * 2


        def load():
            rows = [double(1), double(2)]
            return rows
        """,
    ),
    row(
        "a function of two steps",
        "A function that two steps use stands in `definitions`, which both import.",
        """
        def double(number):
            return number * 2
        # %%
        %%pipeline load
        rows = [double(1), double(2)]
        # %%
        %%pipeline add
        total = double(sum(rows))
        """,
        load="""
        from play.definitions import double


        def load():
            rows = [double(1), double(2)]
            return rows
        """,
        add="""
        from play.definitions import double


        def add(rows):
            total = double(sum(rows))
            return total
        """,
        definitions='''
        """Functions and classes that several steps use."""


        def double(number):
            return number * 2
        ''',
    ),
    row(
        "a class",
        "A class whose objects cross stands in `definitions`: both steps must mean the same class.",
        """
        class Shop:
            def __init__(self, rows):
                self.rows = rows
        # %%
        %%pipeline load
        shop = Shop([3, 1, 2])
        # %%
        %%pipeline add
        total = sum(shop.rows)
        """,
        load="""
        from play.definitions import Shop


        def load():
            shop = Shop([3, 1, 2])
            return shop
        """,
        add="""
        def add(shop):
            total = sum(shop.rows)
            return total
        """,
        definitions='''
        """Functions and classes that several steps use."""


        class Shop:
            def __init__(self, rows):
                self.rows = rows
        ''',
    ),
    row(
        "a dataclass with a decorator",
        "A decorator goes with its definition, and its import with both.",
        """
        from dataclasses import dataclass
        # %%
        @dataclass
        class Point:
            x: int
            y: int = 0
        # %%
        %%pipeline load
        point = Point(3).x
        """,
        load="""
        from dataclasses import dataclass


        @dataclass
        class Point:
            x: int
            y: int = 0


        def load():
            point = Point(3).x
            return point
        """,
    ),
    row(
        "a function that uses a function",
        "A function brings along the functions that it calls.",
        """
        def double(number):
            return number * 2
        # %%
        def fourfold(number):
            return double(double(number))
        # %%
        %%pipeline load
        rows = fourfold(1)
        """,
        load="""
        def double(number):
            return number * 2


        def fourfold(number):
            return double(double(number))


        def load():
            rows = fourfold(1)
            return rows
        """,
    ),
    row(
        "a function that uses a value",
        "A function that uses a value of the notebook is defined inside the step, where that value is an argument.",
        """
        %%pipeline load
        factor = 3
        # %%
        def scaled(number):
            return number * factor
        # %%
        %%pipeline scale
        rows = [scaled(1), scaled(2)]
        """,
        load="""
        def load():
            factor = 3
            return factor
        """,
        scale="""
        def scale(factor):
            def scaled(number):
                return number * factor

            rows = [scaled(1), scaled(2)]
            return rows
        """,
    ),
    row(
        "a default that is a value",
        "A default is made with its function: one that is a value keeps the function inside a step that takes it.",
        """
        %%pipeline load
        start = [1]
        # %%
        def grown(number, base=start):
            return base + [number]
        # %%
        %%pipeline grow
        rows = grown(2)
        """,
        load="""
        def load():
            start = [1]
            return start
        """,
        prepare="""
        def prepare(start):
            def grown(number, base=start):
                return base + [number]

            rows = grown(2)
            return grown, rows
        """,
    ),
    row(
        "a lambda",
        "A lambda that a name is bound to is a definition, so its step has nothing else to do and is gone.",
        """
        %%pipeline load
        double = lambda number: number * 2
        # %%
        %%pipeline use
        rows = [double(1), double(2)]
        """,
        use="""
        double = lambda number: number * 2


        def use():
            rows = [double(1), double(2)]
            return rows
        """,
    ),
    row(
        "a lambda that uses a value",
        "A lambda that uses a value is defined in every step that calls it, where the value is an argument.",
        """
        %%pipeline load
        factor = 3
        scaled = lambda number: number * factor
        # %%
        %%pipeline use
        rows = [scaled(1), scaled(2)]
        """,
        load="""
        def load():
            factor = 3
            scaled = lambda number: number * factor
            return factor
        """,
        use="""
        def use(factor):
            scaled = lambda number: number * factor

            rows = [scaled(1), scaled(2)]
            return rows
        """,
    ),
    row(
        "a class that uses a class",
        "A class brings along its bases, in the order in which they were defined.",
        """
        class Shop:
            rows = (3, 1, 2)
        # %%
        class Stall(Shop):
            def total(self):
                return sum(self.rows)
        # %%
        %%pipeline add
        total = Stall().total()
        """,
        add="""
        class Shop:
            rows = (3, 1, 2)


        class Stall(Shop):
            def total(self):
                return sum(self.rows)


        def add():
            total = Stall().total()
            return total
        """,
    ),
    row(
        "a class with an attribute that is a value",
        "A class that takes a value of the notebook when it is made stays inside the step.",
        """
        %%pipeline load
        rate = 3
        # %%
        %%pipeline price
        class Price:
            factor = rate
        price = Price.factor * 2
        """,
        load="""
        def load():
            rate = 3
            return rate
        """,
        price="""
        def price(rate):
            class Price:
                factor = rate

            price = Price.factor * 2
            return price
        """,
    ),
    row(
        "defined again",
        "A function that was defined anew is each time the one that its step used.",
        """
        def size(rows):
            return len(rows)
        # %%
        %%pipeline first
        n = size([1, 2])
        # %%
        def size(rows):
            return sum(rows)
        # %%
        %%pipeline second
        m = size([1, 2])
        """,
        first="""
        def size(rows):
            return len(rows)


        def first():
            n = size([1, 2])
            return n
        """,
        second="""
        def size(rows):
            return sum(rows)


        def second():
            m = size([1, 2])
            return m
        """,
    ),
    row(
        "a name like a step's",
        "A step that would hide a function of its own module is called otherwise.",
        """
        def load():
            return [3, 1, 2]
        # %%
        %%pipeline load
        rows = load()
        """,
        load_step="""
        def load():
            return [3, 1, 2]


        def load_step():
            rows = load()
            return rows
        """,
    ),
    row(
        "a function that counts with global",
        "A global name of a function is a name of the step's function: `nonlocal`.",
        """
        %%pipeline count
        n = 0
        def more():
            global n
            n += 1
        more()
        more()
        """,
        count="""
        def count():
            n = 0

            def more():
                nonlocal n
                n += 1

            more()
            more()
            return n
        """,
    ),
)
