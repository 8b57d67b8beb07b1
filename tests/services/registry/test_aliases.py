"""Names, aliases, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.registry.aliases import check_alias, check_name, holders, previous, split
from mlops_jupyter.store.ledger import Ledger

HISTORIES = [
    ("one", [("promote", 1, None)], [1]),
    ("two", [("promote", 1, None), ("promote", 2, 1)], [1, 2]),
    ("same again", [("promote", 1, None), ("promote", 1, 1)], [1]),
    ("back", [("promote", 1, None), ("promote", 2, 1), ("rollback", 1, 2)], [1]),
    ("back twice", [("promote", 1, None), ("promote", 2, 1), ("promote", 3, 2), ("rollback", 2, 3)], [1, 2]),
    ("back and on", [("promote", 1, None), ("promote", 2, 1), ("rollback", 1, 2), ("promote", 3, 1)], [1, 3]),
    ("set elsewhere before", [("promote", 2, 7)], [7, 2]),
    ("set elsewhere between", [("promote", 1, None), ("promote", 3, 2)], [1, 2, 3]),
    ("back from elsewhere", [("promote", 1, None), ("rollback", 1, 5)], [1]),
    ("a version returns", [("promote", 1, None), ("promote", 2, 1), ("promote", 1, 2)], [1, 2, 1]),
]


@pytest.mark.parametrize(("events", "expected"), [row[1:] for row in HISTORIES], ids=[row[0] for row in HISTORIES])
def test_who_held_an_alias(tmp_path: Path, events: list, expected: list[int]) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.audit("promote", "other@champion", {"version": 9, "before": None})
    for verb, version, before in events:
        ledger.audit(verb, "churn@champion", {"version": version, "before": before})
    assert holders(ledger, "churn@champion") == expected
    ledger.close()


def test_there_may_be_no_way_back() -> None:
    assert previous([3, 5], "m@a") == 3
    with pytest.raises(UserError, match="'m@a' has no earlier version"):
        previous([5], "m@a")


@pytest.mark.parametrize("alias", ["champion", "prod-eu", "a_1", "V", "latest2"])
def test_aliases(alias: str) -> None:
    assert split(f"churn@{alias}") == ("churn", alias)


@pytest.mark.parametrize("alias", ["", "latest", "v3", "V12", "a b", "a@b", "a/b", "3", "ä\n", "x" * 201])
def test_no_aliases(alias: str) -> None:
    with pytest.raises(UserError) as raised:
        check_alias(alias)
    assert "\n" not in str(raised.value)


@given(st.text(max_size=12))
@settings(deadline=None)
def test_every_name_that_we_take_mlflow_takes(name: str) -> None:
    from mlflow.utils.validation import _validate_model_alias_name, _validate_model_name

    try:
        check_name(name)
    except UserError:
        pass
    else:
        _validate_model_name(name)
        assert not set(name) & set("/:'\"`\\%")
    try:
        check_alias(name)
    except UserError:
        pass
    else:
        _validate_model_alias_name(name)


def test_there_are_names_that_we_take() -> None:
    assert [check_name(name) for name in ("churn", "churn model", "a-b_c.d")] == ["churn", "churn model", "a-b_c.d"]
