"""What may be asked of an export, and what is refused before anything runs."""

from __future__ import annotations

import doctest
import json
from typing import Any

import pytest

from mlops_jupyter.core import units
from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Resources, ScheduleSpec
from mlops_jupyter.services.export import options
from mlops_jupyter.surfaces.magics.pipeline import cell
from tests.services.export.recorded import export

ASKED: dict[str, tuple[dict[str, Any], ScheduleSpec | None]] = {
    "nothing": ({}, None),
    "cron": ({"schedule": "0 6 * * 1", "timezone": "Europe/Oslo"}, ScheduleSpec("0 6 * * 1", "Europe/Oslo")),
    "catchup": (
        {"schedule": "@daily", "catchup": True, "start": "2026-01-31", "concurrency": 3},
        ScheduleSpec("@daily", catchup=True, start="2026-01-31", concurrency=3),
    ),
    "interval": ({"every": "90m"}, ScheduleSpec(every_seconds=5400)),
    "data": ({"on_data": "s3://bucket/new/*.csv"}, ScheduleSpec(data="s3://bucket/new/*.csv")),
    "after": ({"after": "load"}, ScheduleSpec(after="load")),
    "drift": ({"on_drift": "customers"}, ScheduleSpec(drift="customers")),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_schedule_is_read(name: str) -> None:
    given, meant = ASKED[name]
    assert options.to_request(given, "churn").schedule == meant


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"schedule": "0 6 * *"}, "cron '0 6 * *' has 4 field(s), not 5"),
    ({"schedule": "0 25 * * *"}, "cron '0 25 * * *': hour '25' is out of range"),
    ({"schedule": "0 6 31 2 *"}, "cron '0 6 31 2 *' never fires"),
    ({"schedule": "0 6 * * *", "timezone": "Europe/Olso"}, "time zone 'Europe/Olso' is not known"),
    ({"schedule": "0 6 * * *", "every": "1h"}, "--schedule and --every are two schedules: give one of them"),
    ({"every": "soon"}, "'soon' is no duration: write it as 30s, 15m, 6h or 1d"),
    ({"every": "0h"}, "'0h' is no duration"),
    ({"every": "1.5s"}, "--every '1.5s' is not whole seconds"),
    ({"every": "1h", "timezone": "Europe/Oslo"}, "--timezone 'Europe/Oslo' belongs to --schedule"),
    ({"catchup": True}, "--catchup says how a schedule is kept, and there is none"),
    ({"after": "load", "catchup": True}, "--catchup needs times that can be missed"),
    ({"schedule": "@daily", "catchup": True}, "--catchup needs the day from which missed runs count"),
    ({"schedule": "@daily", "start": "31.1."}, "--start '31.1.' is no day: write it as 2026-01-31"),
    ({"schedule": "@daily", "concurrency": 0}, "--concurrency 0 lets no run start"),
    ({"secret": ["API-KEY"]}, "secret 'API-KEY' is no name of an environment variable"),
    ({"alert": "https://example.org/hook"}, "secret 'https://example.org/hook' is no name"),
    ({"data_limit": "much"}, "'much' is no size"),
    ({"outputs": " , "}, "' , ' names nothing"),
)


@pytest.mark.parametrize(("given", "said"), REFUSED, ids=[row[1][:40] for row in REFUSED])
def test_refused_in_one_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as fault:
        options.to_request(given, "churn")
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


def test_the_secret_of_alerts_is_one_of_the_secrets() -> None:
    found = options.to_request({"secret": ["DATABASE_URL", "HOOK"], "alert": "HOOK"}, "churn")
    assert (found.secrets, found.alert) == (("DATABASE_URL", "HOOK"), "HOOK")


STEP = "train --cpu 0.5 --memory 4GB --gpu 1 --retries 3 --backoff 1m --timeout 2h"


def test_what_a_step_asks_for() -> None:
    asked = cell.resources(cell.parse(STEP))
    assert asked == Resources(0.5, 4 * 10**9, 1, 3, 60.0, 7200.0)
    assert Resources(cpu=2, retries=1).over(asked) == Resources(2, 4 * 10**9, 1, 1, 60.0, 7200.0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train --cpu many", "--cpu many is no amount"),
        ("train --cpu 0", "--cpu 0 is no amount"),
        ("train --gpu -1", "--gpu -1 is no amount"),
        ("train --memory 4", ""),
        ("train --memory lots", "'lots' is no size: write it as 512MB, 4GB or 2GiB"),
        ("train --timeout 3y", "'3y' is no duration"),
    ],
)
def test_a_wrong_amount_is_one_line(line: str, said: str) -> None:
    if not said:
        assert cell.resources(cell.parse(line)).memory_bytes == 4
        return
    with pytest.raises(UserError) as fault:
        cell.parse(line)
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


def test_it_reaches_the_bundle(tmp_path) -> None:
    import yaml

    cells = [f"%%pipeline {STEP}\nx = 1", "%%pipeline report --cpu 2\ny = x + 1"]
    answer = export(tmp_path, cells, ["y"], every="6h", secret=["DATABASE_URL"], alert="HOOK")
    facts = yaml.safe_load((tmp_path / "out" / "pipeline.yaml").read_text())
    assert facts["schedule"] == {"timezone": "UTC", "every_seconds": 21600, "concurrency": 1}
    assert (facts["environment"]["secrets"], facts["alert"]) == (["DATABASE_URL", "HOOK"], "HOOK")
    assert facts["steps"][0]["resources"] == {
        "cpu": 0.5, "memory_bytes": 4 * 10**9, "gpu": 1,
        "retries": 3, "backoff_seconds": 60.0, "timeout_seconds": 7200.0,
    }  # fmt: skip
    assert "target 'python' has no word for interval of 21600 s" in answer["notes"]
    text = " ".join((tmp_path / "out/src/play/pipeline.py").read_text().split())
    assert "retries=3, backoff=60.0, timeout=7200.0" in text
    assert "cpu=0.5, memory=4000000000, gpu=1" in text


@pytest.mark.parametrize(("limit", "travels"), [("50MB", True), ("1GB", True), ("10B", False), ("0", False)])
def test_a_data_file_travels_by_size(tmp_path, limit: str | None, travels: bool) -> None:
    (tmp_path / "words.txt").write_text("ant bee cat\n")
    export(tmp_path, ["words = open('words.txt').read().split()"], ["words"], data_limit=limit)
    first = tmp_path / "out/src/play/initial"
    assert (first / "files" / "words.txt").is_file() is travels
    index = {} if travels else json.loads((first / "files.json").read_text())
    assert travels or (index["words.txt"]["bytes"], index["words.txt"]["at"]) == (12, str(tmp_path / "words.txt"))


def test_units() -> None:
    assert doctest.testmod(units).failed == 0
