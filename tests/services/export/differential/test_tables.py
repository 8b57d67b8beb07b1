"""Data files become tables and come back as they were; days edit them."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_jupyter.services.export.differential.delta_debugging import minimized
from mlops_jupyter.services.export.differential.edits import KINDS, EditKind, TableEdit, apply, other_values
from mlops_jupyter.services.export.differential.tables import DataTable, read_table

FRAME = pd.DataFrame({"n": [1, 2, 3], "x": [0.5, None, 2.5], "name": ["a", "b", None]})

FILES = {
    "commas": ("a.csv", b"n,name\n1,x\n2,y\n"),
    "Windows": ("a.csv", b"n;name\r\n1;x\r\n2;y\r\n"),
    "tabs": ("a.tsv", b"n\tname\n1\tx\n"),
    "a byte order mark": ("a.csv", b"\xef\xbb\xbfn,name\n1,x\n"),
    "Latin-1": ("a.csv", "n,name\n1,Zürich\n".encode("latin-1")),
    "quotes": ("a.csv", b'n,name\n1,"x, y"\n'),
    "objects": ("a.json", json.dumps([{"n": 1, "name": "x"}, {"n": 2}], indent=1).encode()),
    "an object": ("a.json", json.dumps({"n": 1, "name": "x"}, indent=1).encode()),
    "numbers": ("a.json", json.dumps([1, 2, 3], indent=1).encode()),
    "lines of JSON": ("a.jsonl", b'{"n": 1}\n{"n": 2, "name": "x"}\n'),
}


@pytest.mark.parametrize(("path", "data"), FILES.values(), ids=FILES)
def test_a_file_comes_back_as_it_was(path: str, data: bytes) -> None:
    table = read_table(path, data)
    assert table is not None
    assert apply(table, []) == data


def test_a_parquet_file_keeps_its_types() -> None:
    table = read_table("a.parquet", FRAME.to_parquet(None))
    assert table is not None
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(apply(table, []))), FRAME)
    emptied = apply(table, [TableEdit("a.parquet", EditKind.SET, 1, 0, None)])
    assert pd.read_parquet(io.BytesIO(emptied))["n"].isna().tolist() == [True, False, False]


NO_TABLES = {
    "another format": ("a.png", b"\x89PNG"),
    "no JSON": ("a.json", b"{"),
    "a number": ("a.json", b"3"),
    "nothing": ("a.csv", b""),
    "no Parquet": ("a.parquet", b"PAR1"),
}


@pytest.mark.parametrize(("path", "data"), NO_TABLES.values(), ids=NO_TABLES)
def test_what_is_no_table_stays_as_it_is(path: str, data: bytes) -> None:
    assert read_table(path, data) is None


def lines(*edits: TableEdit) -> list[str]:
    table = read_table("a.csv", b"n\n1\n2\n3\n")
    assert table is not None
    return apply(table, edits).decode().split()[1:]


EDITS = {
    "dropped": ([("DROP", 2)], ["1", "3"]),
    "doubled": ([("DOUBLE", 2)], ["1", "2", "3", "2"]),
    "set": ([("SET", 2, 0, "-2")], ["1", "-2", "3"]),
    "set, and doubled": ([("SET", 2, 0, "-2"), ("DOUBLE", 2)], ["1", "-2", "3", "-2"]),
    "dropped, and counted as before": ([("DROP", 1), ("SET", 2, 0, "9")], ["9", "3"]),
    "one row": ([("KEEP", 1)], ["1"]),
    "no row": ([("KEEP", 0)], []),
    "shuffled": ([("SHUFFLE", 1)], ["2", "3", "1"]),
}


@pytest.mark.parametrize(("edits", "wanted"), EDITS.values(), ids=EDITS)
def test_an_edit_changes_rows_and_cells(edits: list[tuple[str, int]], wanted: list[str]) -> None:
    assert lines(*(TableEdit("a.csv", EditKind[kind], *rest) for kind, *rest in edits)) == wanted


cells = st.one_of(st.text("abc", max_size=3), st.integers(-99, 99).map(str), st.just(""))


@given(st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=30), st.randoms(), st.data())
def test_any_part_of_drawn_edits_can_be_applied(rows, draw, data) -> None:
    table = DataTable(["a", "b"], rows, lambda made: repr(made).encode())
    edits = [edit for kind in KINDS.values() for edit in kind("a.csv", table, draw)]
    assert all(1 <= edit.row <= len(rows) for edit in edits if edit.kind in (EditKind.DROP, EditKind.SET))
    part = [edit for edit in edits if data.draw(st.booleans())]
    assert isinstance(apply(table, part), bytes)
    assert table.rows == rows


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.text()), st.lists, max_leaves=4))
def test_other_values_of_a_parameter_have_its_type(value: object) -> None:
    others = other_values(value)
    assert value not in [other for other in others if type(other) is type(value)]
    if value is not None:
        assert {type(other) for other in others} <= {type(value)}


@given(st.sets(st.integers(0, 40), min_size=1), st.integers(0, 3))
def test_what_is_minimized_fails_and_has_nothing_to_spare(culprits: set[int], more: int) -> None:
    found = minimized(range(41 + more), lambda part: culprits <= set(part), 10_000)
    assert set(found) == culprits


def test_a_search_that_may_not_go_on_gives_what_it_has() -> None:
    asked: list[int] = []

    def fails(part) -> bool:
        asked.append(len(part))
        return 7 in part

    assert 7 in minimized(range(64), fails, 3)
    assert len(asked) == 3
