"""Alerts, to a real mail server and a real web server on loopback."""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from mlops_jupyter.services.schedule import alerts
from mlops_jupyter.services.schedule.models import Catchup
from mlops_jupyter.services.schedule.options import ScheduleOptions

from .conftest import Project, until
from .receivers import Mailbox, Room, mail_server, web_server

NOON = 1_800_014_400.0  # 2027-01-15 12:00 UTC
HOUR = 3600.0


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch, project: Project) -> Iterator[Room]:
    """The web server; the environment variable OPS holds its address."""
    with web_server() as room:
        monkeypatch.setenv("OPS", room.address())
        project.variables["OPS"] = room.address()
        yield room


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


OPS = ScheduleOptions(cron="@yearly", alerts=("OPS",))


def test_a_failure_and_the_recovery_are_told(project: Project, room: Room) -> None:
    main = project.bundle / "src" / "tiny" / "__main__.py"
    good = main.read_text()
    made = project.schedules.add(project.bundle, options=OPS)
    project.schedules.run_now(made.id)
    assert room.posts == []  # all is well
    main.write_text("raise ValueError('no rows')")
    failed = [project.schedules.run_now(made.id) for _ in range(2)]
    main.write_text(good)
    for _ in range(2):
        project.schedules.run_now(made.id)
    for run, text in zip(failed, room.texts, strict=False):
        assert text.startswith("pipeline tiny: run failed (exit code 1: ValueError: no rows); due 2")
        assert text.endswith(f"; run {run.id}")
    assert room.texts[2:] == ["pipeline tiny: it works again"]
    assert [body["type"] for _, body in room.posts] == ["failure", "failure", "success"]
    assert room.posts[0][0] == "/room"
    assert room.posts[0][1]["title"] == "mlops-jupyter: failure"


def test_only_the_last_try_is_told(project: Project, room: Room) -> None:
    from mlops_jupyter.core.plan import Resources

    wish = ScheduleOptions(cron="@yearly", alerts=("OPS",), tries=Resources(retries=2))
    project.schedules.add(project.bundle, parameters={"until": "3"}, options=wish)
    project.schedules.run_now(project.bundle)
    assert len(project.ran()) == 3
    assert room.posts == []


def test_mail_and_web_from_a_configuration_file(project: Project, room: Room, box: Mailbox, tmp_path: Path) -> None:
    file = tmp_path / "alerts.yaml"
    mail = f"mailto://127.0.0.1:{box.port}/?from=bot@example.org&to=ops@example.org"
    address = room.address("/kept").removeprefix("http://")
    file.write_text(f"urls:\n  - {mail}\n  - json://{address}?:message=text\n")
    made = project.schedules.add(
        project.bundle,
        parameters={"fault": 'größer "as" $(wanted) {{ x }}'},
        options=ScheduleOptions(cron="@yearly", alerts=(str(file),)),
    )
    project.schedules.run_now(made.id)
    [mail] = box.mails
    assert mail["To"] == "ops@example.org"
    assert mail["Subject"] == "mlops-jupyter: failure"
    text = mail.get_body(("plain", "html")).get_content()
    assert "ValueError: größer" in text
    assert "$(wanted) {{ x }}" in text
    [(path, body)] = room.posts
    assert path == "/kept"
    assert 'größer "as" $(wanted) {{ x }}' in body["text"]


def test_several_addresses_in_one_variable(
    project: Project, room: Room, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = f"mailto://127.0.0.1:{box.port}/?from=bot@example.org&to=ops@example.org"
    monkeypatch.setenv("OPS", f"{mail} {room.address('/hook?sig=a%2Fb&n=1')}")
    project.schedules.add(project.bundle, parameters={"fault": "x"}, options=OPS)
    project.schedules.run_now(project.bundle)
    assert len(box.mails) == 1
    assert [path for path, _ in room.posts] == ["/hook?sig=a%2Fb&n=1"]


def test_a_bundles_own_alert_is_taken(project: Project, room: Room) -> None:
    made = project.schedules.add(
        project.make("own", "schedule: {cron: '@yearly'}\nalert: OPS\n"), None, None, {"exit": 3}
    )
    assert made.policy.alerts == ("OPS",)
    project.schedules.run_now(made.id)
    assert len(room.posts) == 1


def test_no_address_is_in_the_ledger(project: Project, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.broken = True
    monkeypatch.setenv("OPS", room.address("/token-5417"))
    project.schedules.add(project.bundle, parameters={"fault": "x"}, options=OPS)
    project.schedules.run_now(project.bundle)
    [row] = project.workspace.ledger.query("SELECT * FROM schedule_alert")
    assert row["sent"] is None
    assert row["error"] == "an address in 'OPS' did not take it: try it with `apprise`"
    project.workspace.close()
    folder = project.root / ".mlops"
    assert [f.name for f in folder.rglob("*") if f.is_file() and b"token-5417" in f.read_bytes()] == []


def test_what_was_not_taken_is_said_later_and_given_up_at_last(project: Project, room: Room) -> None:
    room.broken = True
    made = project.schedules.add(project.bundle, parameters={"fault": "x"}, options=OPS)
    project.schedules.run_now(made.id)
    now = time.time()
    assert list(project.at(now + 5).deliver_alerts()) == []  # not yet
    assert list(project.at(now + 40).deliver_alerts()) == [
        "alert not taken: an address in 'OPS' did not take it: try it with `apprise`"
    ]
    room.broken = False
    assert list(project.at(now + 7200).deliver_alerts()) == []
    assert len(room.posts) == 1
    assert list(project.at(now + 9999).deliver_alerts()) == []
    assert len(room.posts) == 1
    project.schedules.run_now(made.id)
    assert len(room.posts) == 2
    project.workspace.ledger.execute("UPDATE schedule_alert SET sent = NULL, tries = ?", (alerts.TRIES,))
    assert list(project.at(now + 99999).deliver_alerts()) == []
    assert len(room.posts) == 2


@pytest.mark.parametrize(
    "value, told",
    [
        (None, "the environment variable 'OPS' is not set"),
        ("nonsense", "the environment variable 'OPS' holds an address that Apprise does not know"),
    ],
)
def test_an_address_that_is_none(
    project: Project, monkeypatch: pytest.MonkeyPatch, value: str | None, told: str
) -> None:
    monkeypatch.delenv("OPS", raising=False)
    if value:
        monkeypatch.setenv("OPS", value)
    assert told in alerts.send(("OPS",), "failure", "x")


@pytest.mark.parametrize(
    "grace, now, told",
    [
        (600, NOON + 599, None),
        (600, NOON + 601, "tick 2027-01-15T12:00:00+00:00 did not run within 600 s"),
        (60, NOON + 2 * HOUR + 61, "3 ticks from 2027-01-15T12:00:00+00:00 on did not run within 60 s"),
        (60, NOON + 5000 * HOUR, "1000 or more ticks from 2027-01-15T12:00:00+00:00 on did not run within 60 s"),
    ],
)
def test_missing_ticks_are_told_once(project: Project, room: Room, grace: int, now: float, told: str | None) -> None:
    wish = ScheduleOptions(cron="0 * * * *", alerts=("OPS",), grace=float(grace))
    project.at(NOON - 60).add(project.bundle, options=wish)
    for _ in range(2):
        project.at(now).note_missing_ticks()
        list(project.at(now).deliver_alerts())
    assert room.texts == ([f"pipeline tiny: {told}"] if told else [])


def test_what_ran_in_time_or_was_paused_is_not_missing(project: Project, room: Room) -> None:
    wish = ScheduleOptions(cron="0 * * * *", alerts=("OPS",), grace=60.0)
    made = project.at(NOON - 60).add(project.bundle, options=wish)
    project.at(NOON + 30).run_due(made.id)
    project.at(NOON + 60).pause(made.id)
    project.at(NOON + 3 * HOUR).note_missing_ticks()
    project.at(NOON + 3 * HOUR + 1).resume(made.id)
    project.at(NOON + 3 * HOUR + 500).note_missing_ticks()
    list(project.at(NOON + 4 * HOUR).deliver_alerts())
    assert room.texts == []
    project.at(NOON + 4 * HOUR + 61).note_missing_ticks()
    list(project.at(NOON + 4 * HOUR + 61).deliver_alerts())
    assert room.texts == ["pipeline tiny: tick 2027-01-15T16:00:00+00:00 did not run within 60 s"]


def test_a_scheduler_that_was_down_tells_what_is_missing_and_that_a_run_was_lost(project: Project, room: Room) -> None:
    wish = ScheduleOptions(every_seconds=3600, alerts=("OPS",), catchup=Catchup.NONE)
    project.at(time.time() - 2 * HOUR - 1800).add(project.bundle, parameters={"nap": "600"}, options=wish)
    lasting = project.at(time.time() - 2).add(
        project.make("lasting"), parameters={"nap": "600"}, options=ScheduleOptions(every_seconds=1, alerts=("OPS",))
    )
    first = project.start()
    until(lambda: project.ran("lasting"))
    until(lambda: len(room.posts) == 1)
    assert "pipeline tiny: 2 ticks from" in room.texts[0]
    assert project.ran() == []
    project.schedules.pause(lasting.id)
    first.kill()
    first.wait()
    second = project.start()
    until(lambda: len(room.posts) == 2)
    assert room.texts[1].startswith("pipeline lasting: run lost (lost: the process that ran it died)")
    second.terminate()
    assert second.wait(15) == 0


def test_an_alert_that_waits_survives_kill_9(project: Project, room: Room) -> None:
    room.broken = True
    project.at(time.time() - 5).add(
        project.bundle, parameters={"fault": "x"}, options=ScheduleOptions(every_seconds=4, alerts=("OPS",))
    )
    first = project.start()
    until(lambda: "alert not taken" in project.said(first))
    first.kill()
    first.wait()
    project.schedules.pause(project.bundle)
    room.broken = False
    project.workspace.ledger.execute("UPDATE schedule_alert SET next = 0")
    project.start()
    until(lambda: room.posts)
    assert "ValueError: x" in room.texts[0]


def test_a_backfill_tells_too(project: Project, room: Room) -> None:
    wish = ScheduleOptions(cron="@daily", alerts=("OPS",))
    made = project.schedules.add(project.bundle, parameters={"exit": "1"}, options=wish)
    project.scheduler.backfill(made.id, date(2026, 1, 1), date(2026, 1, 2))
    assert len(room.posts) == 2
