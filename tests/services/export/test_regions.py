"""What a person marked in a generated file, carried into the next one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_jupyter.services.export.bundle.manifest import lines_of, marks
from mlops_jupyter.services.export.bundle.regions import RegionConflictError, merge

BASE = "a\nb\nc\nd\ne\nf\n"


def region(*lines: str, name: str = "mine", sign: str = "#", end: str = "") -> str:
    return "\n".join([f"{sign} keep: begin {name}{end}", *lines, f"{sign} keep: end{end}"]) + "\n"


ADDED = "a\nb\n" + region("x") + "c\nd\ne\nf\n"
INSTEAD = "a\nb\n" + region("x", "y") + "d\ne\nf\n"
INDENTED = "a\nb\n    # keep: begin x\n    1\n    # keep: end\nc\nd\ne\nf\n"
MARKDOWN = "a\n" + region("x", sign="<!--", end=" -->") + BASE[2:]
GROOVY = "a\n" + region("x", sign="//") + BASE[2:]

MERGED: dict[str, tuple[str, str, str]] = {
    "nothing new": (ADDED, BASE, ADDED),
    "lines elsewhere": (ADDED, "a\nb\nc\nd\nE\nf\ng\n", "a\nb\n" + region("x") + "c\nd\nE\nf\ng\n"),
    "lines before": (ADDED, "1\n2\na\nb\nc\nd\ne\nf\n", "1\n2\n" + ADDED),
    "in place of a line": (INSTEAD, "a\nb\nc\nd\nE\nf\n", "a\nb\n" + region("x", "y") + "d\nE\nf\n"),
    "in place of all": (region("x"), BASE, region("x")),
    "at the end, which grows": (BASE + region("x"), BASE + "g\n", BASE + "g\n" + region("x")),
    "at the end, of which nothing is left": (BASE + region("x"), "z\n", "z\n" + region("x")),
    "at the start": (region("x") + BASE, "z\n", region("x") + "z\n"),
    "two": (
        "a\n" + region("x") + "b\nc\nd\n" + region("y", name="other") + "e\nf\n",
        "a\nb\nC\nd\ne\nf\n",
        "a\n" + region("x") + "b\nC\nd\n" + region("y", name="other") + "e\nf\n",
    ),
    "indented": (
        "a\nb\n    # keep: begin x\n    1\n    # keep: end\nc\nd\ne\nf\n",
        BASE + "g\n",
        "a\nb\n    # keep: begin x\n    1\n    # keep: end\nc\nd\ne\nf\ng\n",
    ),
    "markdown": (
        "a\n" + region("x", sign="<!--", end=" -->") + BASE[2:],
        BASE + "g\n",
        "a\n" + region("x", sign="<!--", end=" -->") + BASE[2:] + "g\n",
    ),
    "groovy": (
        "a\n" + region("x", sign="//") + BASE[2:],
        BASE + "g\n",
        "a\n" + region("x", sign="//") + BASE[2:] + "g\n",
    ),
    "ends of lines, as git may change them": (ADDED.replace("\n", "\r\n"), BASE, ADDED),
}


@pytest.mark.parametrize("case", MERGED.values(), ids=MERGED)
def test_merged(case: tuple[str, str, str]) -> None:
    mine, new, expected = case
    assert merge(mine, marks(lines_of(BASE)), new) == expected


CONFLICTS: dict[str, tuple[str, str, str]] = {
    "the line before": (ADDED, "a\nB\nc\nd\ne\nf\n", "has the region 'mine', and the notebook changes lines"),
    "the line after": (ADDED, "a\nb\nC\nd\ne\nf\n", "has the region 'mine'"),
    "a new line in its place": (ADDED, "a\nb\nnew\nc\nd\ne\nf\n", "has the region 'mine'"),
    "the line that it replaces": (INSTEAD, "a\nb\nC\nd\ne\nf\n", "has the region 'mine'"),
    "all that it replaces": (region("x"), "a\nb\nc\n", "has the region 'mine'"),
    "an edit elsewhere": (ADDED.replace("e", "E"), BASE + "g\n", "was edited outside of marked regions"),
    "a line taken out": (ADDED.replace("e\n", ""), BASE + "g\n", "was edited outside of marked regions"),
    "no region": (BASE.replace("e", "E"), BASE + "g\n", "was edited outside of marked regions"),
    "not ended": ("a\n# keep: begin mine\nx\n" + BASE[2:], BASE + "g\n", "does not end the region 'mine'"),
    "not begun": ("a\n# keep: end\n" + BASE[2:], BASE + "g\n", "ends a region in line 2 that was not begun"),
    "one in another": ("# keep: begin a\n" + region("x") + BASE, BASE, "begins the region 'mine' in line 2, inside of"),
}


@pytest.mark.parametrize("case", CONFLICTS.values(), ids=CONFLICTS)
def test_a_conflict_is_named(case: tuple[str, str, str]) -> None:
    mine, new, said = case
    with pytest.raises(RegionConflictError) as fault:
        merge(mine, marks(lines_of(BASE)), new)
    assert str(fault.value).startswith(said)


def test_marks_that_the_notebook_itself_has_are_no_region_of_a_person() -> None:
    base = "a\n" + region("x", name="of a cell") + "b\nc\n"
    new = "a\n" + region("z", name="of a cell") + "b\nc\n"
    mine = base + region("y")
    assert merge(mine, marks(lines_of(base)), new) == new + region("y")


LINES = st.lists(st.sampled_from(["a", "b", "c", "", "    return x", ")"]), max_size=12)


@given(base=LINES, new=LINES, data=st.data())
def test_a_region_stays_whole_and_every_other_line_is_of_the_new_text(base, new, data) -> None:
    """Whatever changes: the lines beside a region are those that it was put between."""
    at = data.draw(st.integers(0, len(base)))
    mine = [*base[:at], "# keep: begin r", "mine", "# keep: end", *base[at:]]
    try:
        merged = lines_of(merge("\n".join(mine) + "\n", marks(base), "\n".join(new) + "\n" if new else ""))
    except RegionConflictError:
        assert base != new, "nothing changed"
        return
    place = merged.index("# keep: begin r")
    assert merged[place : place + 3] == ["# keep: begin r", "mine", "# keep: end"]
    assert merged[:place] + merged[place + 3 :] == new
    if 0 < at < len(base):
        assert (merged[place - 1], merged[place + 3]) == (base[at - 1], base[at])
