"""Imports: which step has which, in which form, where and in which order."""

from __future__ import annotations

from tests.cases.step_modules.row import row

IMPORTS = (
    row(
        "each step its own",
        "An import stands at the top of every step that uses it, and of no other.",
        """
        import math
        # %%
        %%pipeline load
        rows = [4, 9]
        # %%
        %%pipeline roots
        roots = [math.sqrt(row) for row in rows]
        """,
        load="""
        def load():
            rows = [4, 9]
            return rows
        """,
        roots="""
        import math


        def roots(rows):
            roots = [math.sqrt(row) for row in rows]
            return roots
        """,
    ),
    row(
        "an alias of a module",
        "An import keeps the name that the notebook gives it.",
        """
        import collections as co
        from math import floor as down
        # %%
        %%pipeline count
        counts = co.Counter("abca")
        least = down(2.5)
        """,
        count="""
        import collections as co
        from math import floor as down


        def count():
            counts = co.Counter("abca")
            least = down(2.5)
            return counts, least
        """,
    ),
    row(
        "sorted",
        "Imports are sorted: the standard library first.",
        """
        import numpy as np
        import math
        from collections import Counter
        # %%
        %%pipeline count
        counts = Counter([math.floor(np.float64(2.5))])
        """,
        count="""
        import math
        from collections import Counter

        import numpy as np


        def count():
            counts = Counter([math.floor(np.float64(2.5))])
            return counts
        """,
    ),
    row(
        "unused",
        "An import that nothing in the step uses is left out.",
        """
        %%pipeline load
        import math
        import json
        rows = json.loads("[3, 1, 2]")
        """,
        load="""
        import json


        def load():
            rows = json.loads("[3, 1, 2]")
            return rows
        """,
    ),
    row(
        "a star",
        "A star stands at the top of the module of the step that holds it.",
        """
        %%pipeline roots
        from math import *
        root = sqrt(9)
        """,
        roots="""
        from math import *


        def roots():
            root = sqrt(9)
            return root
        """,
    ),
    row(
        "a star of another cell",
        "A star of another cell stands at the top of every step that uses a name of it.",
        """
        from math import *
        # %%
        %%pipeline roots
        root = sqrt(9)
        """,
        roots="""
        from math import *


        def roots():
            root = sqrt(9)
            return root
        """,
    ),
    row(
        "one name from two modules",
        "Imports that give one name two meanings in turn stay where they are, inside the function.",
        """
        %%pipeline down
        from math import floor
        low = floor(2.5)
        from numpy import floor
        also = float(floor(2.5))
        """,
        down="""
        def down():
            from math import floor

            low = floor(2.5)
            from numpy import floor

            also = float(floor(2.5))
            return low, also
        """,
    ),
    row(
        "two stars",
        "A name that two stars bind in turn has no one meaning at the top: the cell runs in a scope of its own.",
        """
        %%pipeline roots
        from math import *
        first = floor(2.5)
        from numpy import *
        second = float(floor(2.5))
        """,
        roots=r'''
        SOURCE = """\
        from math import *
        first = floor(2.5)
        from numpy import *
        second = float(floor(2.5))
        """


        def roots():
            scope = {
                "__name__": "__main__",
            }
            exec(compile(SOURCE, "<step roots>", "exec"), scope)  # its cells bind names as they run
            return scope["first"], scope["second"]
        ''',
    ),
    row(
        "a star after an import of the same name",
        "A star that binds a name anew which the cell has used by then is left where it is, too.",
        """
        %%pipeline roots
        from math import floor
        first = floor(2.5)
        from numpy import *
        second = float(floor(2.5))
        """,
        roots=r'''
        SOURCE = """\
        from math import floor
        first = floor(2.5)
        from numpy import *
        second = float(floor(2.5))
        """


        def roots():
            scope = {
                "__name__": "__main__",
            }
            exec(compile(SOURCE, "<step roots>", "exec"), scope)  # its cells bind names as they run
            return scope["first"], scope["second"]
        ''',
    ),
    row(
        "one name from two modules, a step each",
        "Where a name means another thing in each step, each has its own import at the top.",
        """
        from math import floor
        # %%
        %%pipeline first
        low = floor(2.5)
        # %%
        from numpy import floor
        # %%
        %%pipeline second
        also = float(floor(2.5))
        """,
        first="""
        from math import floor


        def first():
            low = floor(2.5)
            return low
        """,
        second="""
        from numpy import floor


        def second():
            also = float(floor(2.5))
            return also
        """,
    ),
    row(
        "from __future__",
        "An import of the future holds for all later cells of a notebook, so every step has it.",
        """
        from __future__ import annotations
        # %%
        %%pipeline load
        def first(rows: list[int]) -> Later:
            return rows[0]
        head = first([3, 1, 2])
        """,
        load="""
        from __future__ import annotations


        def first(rows: list[int]) -> Later:
            return rows[0]


        def load():
            head = first([3, 1, 2])
            return head
        """,
    ),
    row(
        "an import that may fail",
        "An import inside `try` stays where it is.",
        """
        %%pipeline load
        try:
            import no_such_module_anywhere as fast
        except ImportError:
            fast = None
        found = fast is not None
        """,
        load="""
        def load():
            try:
                import no_such_module_anywhere as fast
            except ImportError:
                fast = None
            found = fast is not None
            return fast, found
        """,
    ),
    row(
        "imported and used inside a function",
        "What a function needs is imported in the module that holds the function.",
        """
        import math
        # %%
        def root(number):
            return math.sqrt(number)
        # %%
        %%pipeline roots
        roots = [root(4), root(9)]
        """,
        roots="""
        import math


        def root(number):
            return math.sqrt(number)


        def roots():
            roots = [root(4), root(9)]
            return roots
        """,
    ),
    row(
        "a submodule by its package",
        "A submodule that some import loaded, and that code reaches by its package's name, is imported too.",
        """
        import xml.etree.ElementTree
        import xml
        # %%
        %%pipeline parse
        tag = xml.etree.ElementTree.fromstring("<a/>").tag
        """,
        parse="""
        import xml
        import xml.etree
        import xml.etree.ElementTree


        def parse():
            tag = xml.etree.ElementTree.fromstring("<a/>").tag
            return tag
        """,
    ),
)
