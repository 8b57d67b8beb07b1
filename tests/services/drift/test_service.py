"""The service: the verdict goes into the audit, faults are the user's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.drift.service import Drift
from mlops_jupyter.store.ledger import Ledger

BEFORE = pd.DataFrame({"x": np.arange(200.0), "y": ["a", "b"] * 100})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    found = Ledger(tmp_path / "ledger.db")
    yield found
    found.close()


def test_the_verdict_is_noted(ledger: Ledger) -> None:
    report = Drift(ledger).check(BEFORE, BEFORE.assign(x=BEFORE.x + 150), subject="may vs june", alpha=0.01)
    (row,) = ledger.query("SELECT verb, subject, detail FROM audit")
    assert (row["verb"], row["subject"]) == ("drift", "may vs june")
    detail = json.loads(row["detail"])
    assert detail["drifted"] == {"x": round(report["x"].effect, 6)}
    assert detail["verdict"] == "drifted"
    assert (detail["rows"], detail["columns"], detail["alpha"], detail["drifted_share"]) == ([200, 200], 2, 0.01, 0.5)


def test_faults_are_the_users_and_are_not_noted(ledger: Ledger) -> None:
    with pytest.raises(UserError, match="the current data has no rows: nothing to compare"):
        Drift(ledger).check(BEFORE, BEFORE.head(0))
    assert ledger.query("SELECT * FROM audit") == []
