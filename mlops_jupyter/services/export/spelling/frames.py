"""Files whose text is fixed but for marks: `@@NAME@@` stands where a part of the plan goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources

MARK = re.compile("@@([A-Z]+)@@")


def filled(package: str, file: str, parts: Mapping[str, str]) -> str:
    """Return the text of a package's file with each mark filled.

    Filling is one pass: what looks like a mark inside of a part is left alone. Parts have to be spelled for the file's
    language before.
    """
    frame = resources.files(package).joinpath(file).read_text(encoding="utf-8")
    return MARK.sub(lambda mark: parts[mark[1]], frame)
