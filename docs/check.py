"""Lists what is undocumented or outdated in the docs: `python -m docs.check`. Exit code 1 if there is anything."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from docs.build import HERE, PAGES


def faults() -> Iterator[str]:
    """Yield a line for each undocumented magic, verb, flag or target, and for each page that is out of date."""
    for file, make in PAGES.items():
        page = make()
        yield from page.untold
        path = HERE / file
        if not path.exists() or path.read_text("utf-8") != page.text:
            yield f"docs/{file} is out of date: run `python -m docs.build`"


if __name__ == "__main__":
    lines = list(faults())
    print("\n".join(lines) or "the docs are as the code is")
    sys.exit(bool(lines))
