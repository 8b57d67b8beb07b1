"""A review of two bundles: what differs is said, and nothing in it breaks out of its place."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.services.export import review
from mlops_jupyter.services.export.run.verify import OutputProof, Proof
from tests.services.export.recorded import export

PROOF = Proof("identical", 2, 1.25, (OutputProof("total", "identical", "", "6", "6"),))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    def made(name: str, *cells: Any) -> Path:
        folder = tmp_path_factory.mktemp(name)
        export(folder, [("", "rate = 2\nname = 'a|b'", "parameters"), *cells], ["total"])
        return folder / "out"

    load, add = ("# Load", "rows = [1, 2]"), ("# Add", "total = sum(rows) * rate")
    return {
        "as it was": made("before", load, add),
        "again": made("again", load, add),
        "other": made(
            "other", load, ("# Clean", "rows = [*rows, 3]"), ("# Add", "total = f'`{sum(rows) * rate}` | <b>'")
        ),
    }


def said(bundles: dict[str, Path], before: str | None, after: str) -> str:
    return review.section("pay.ipynb", PROOF, bundles[before] if before else None, bundles[after])


def test_nothing_changed(bundles: dict[str, Path]) -> None:
    text = said(bundles, "as it was", "again")
    assert text.endswith("Values, parameters, steps and requirements are as they were.")
    assert "verify: **identical**, 2 steps in 1.2 s" in text


def test_there_was_none(bundles: dict[str, Path]) -> None:
    assert said(bundles, None, "again").endswith("There was no pipeline of it before.")


def test_values_steps_and_code(bundles: dict[str, Path]) -> None:
    text = said(bundles, "as it was", "other")
    lines = [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| <code>")]
    found = {plain(name): (plain(before), plain(now)) for name, before, now in lines}
    assert set(found) == {"total", "clean", "add"}
    assert found["total"][0].startswith("6 (")
    assert "`12` | <b>" in found["total"][1]
    assert found["clean"][0] == "–"
    assert "+    total = f" in text
    assert "</details>" in text
    assert "<b>" not in text.partition("<details>")[0]


def plain(cell: str) -> str:
    return html.unescape(re.sub("</?code>", "", cell))


def test_why_a_value_differs(bundles: dict[str, Path]) -> None:
    proof = Proof("differs", 2, 1.0, (OutputProof("total", "differs", "6 is not 7", "6", "7"),), reason="a | b")
    text = review.section("a_b.ipynb", proof, None, bundles["again"])
    assert "* <code>total</code>: differs, <code>6 is not 7</code>" in text
    assert "verify: **differs**, 2 steps in 1.0 s: <code>a &#124; b</code>" in text


@given(st.text(st.characters()))
@settings(deadline=None)
def test_code_is_one_line_that_reads_as_the_text(text: str) -> None:
    found = review.code(text)
    assert not re.search(r"[|`<>*_\[\]\n\\]", found[len("<code>") : -len("</code>")])
    seen = "".join(sign if sign.isprintable() else " " for sign in text)
    assert html.unescape(found)[len("<code>") : -len("</code>")] == " ".join(seen.split())


def test_a_long_review_is_cut(bundles: dict[str, Path]) -> None:
    text = review.page(["```\n" + "x" * 100_000])
    assert len(text) < review.LONGEST
    assert text.startswith(review.MARK)
    assert text.count("````") == 2
    assert "No notebook is tracked here." in review.page([])
