"""The systemd target: its units by `systemd-analyze`, its times by systemd's own calendar, its commands as a unit's."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import PlanStep, Resources, ScheduleSpec
from mlops_jupyter.services.cron.ticks import next_times
from mlops_jupyter.services.export.targets import systemd
from mlops_jupyter.services.export.targets.systemd.calendar import on_calendar
from tests.contracts.test_targets import CHURN
from tests.engines.demos import DEMOS, DIAMOND, Demo, bundle, engine, proven
from tests.receiver import Receiver
from tests.services.export.test_spelling import CRONS, STARTS, ZONES

pytestmark = pytest.mark.validated("systemd")

TICKS = [
    ("0 6 * * 1", "UTC", "2026-02-20"),
    ("0 9 * * 7", "Europe/Oslo", "2026-03-20"),
    ("*/15 8-18 * * mon-fri", "America/New_York", "2026-03-06"),
    ("30 3 * * *", "Europe/Oslo", "2026-03-27"),  # just after the clocks went forward
    ("30 * * * *", "Europe/Oslo", "2026-10-24"),  # the hour that comes twice
    ("*/15 * * * *", "America/New_York", "2026-03-08"),  # the hour that never comes
    ("10,40 * * * *", "Australia/Lord_Howe", "2026-04-04"),  # the half hour that comes twice
    ("5-5 6 1 * 5", "Asia/Kolkata", "2026-01-01"),  # day of month or of week
    ("0 6 */2 * mon-wed,sun", "Europe/Oslo", "2026-01-01"),  # both
    ("0 0 1-31 * 1", "Pacific/Auckland", "2026-01-01"),
    ("@yearly", "UTC", "2026-01-02"),
    ("0 12 29 2 *", "UTC", "2026-01-01"),
    ("0 5 * jan,dec fri-sun", "Asia/Tokyo", "2026-03-01"),
]


def units(schedule: ScheduleSpec | None, **more: object) -> dict[str, str]:
    """The unit files of CHURN with another schedule, by name."""
    files = systemd.render(replace(CHURN, schedule=schedule, **more))  # type: ignore[arg-type]
    return {path.removeprefix("systemd/units/"): text for path, text in files.items() if "/units/" in path}


def analyze(*words: str, **more: str) -> str:
    """Run `systemd-analyze`; return all that it said."""
    env = {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C.UTF-8", **more}
    done = subprocess.run(["systemd-analyze", *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout.decode()
    assert done.returncode == 0, said
    return said


def verified(files: dict[str, str], folder: Path) -> str:
    """Lay units where a user has them; return what systemd has to say against them."""
    home = folder / ".config" / "systemd" / "user"
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    (folder / "run").mkdir(exist_ok=True)
    named = [str(home / name) for name in files if "/" not in name]
    return analyze("--user", "--man=no", "verify", *named, HOME=str(folder), XDG_RUNTIME_DIR=str(folder / "run"))


@pytest.mark.parametrize(
    "schedule",
    [
        None,
        CHURN.schedule,
        ScheduleSpec("5-5 6 1 * 5", "Asia/Kolkata"),
        ScheduleSpec(every_seconds=900),
        ScheduleSpec(data="/data/in 100% região"),
        ScheduleSpec(after="load_all"),
        ScheduleSpec(drift="daily"),
    ],
    ids=lambda schedule: schedule.shown if schedule else "none",
)
def test_systemd_takes_the_units(schedule: ScheduleSpec | None, tmp_path: Path) -> None:
    files = units(schedule)
    if schedule and schedule.after:
        files["load_all.service"] = "[Service]\nType=oneshot\nExecStart=/bin/true\n"
    assert verified(files, tmp_path) == ""


def test_it_says_so_of_wrong_ones(tmp_path: Path) -> None:
    wrong = {name: text.replace("OnCalendar=Mon", "OnCalendar=Mond") for name, text in units(CHURN.schedule).items()}
    with pytest.raises(AssertionError, match="Failed to parse calendar specification"):
        verified(wrong, tmp_path)
    unknown = {name: text.replace("MemoryMax", "MemoryMost") for name, text in units(CHURN.schedule).items()}
    assert "Unknown key 'MemoryMost' in section [Service]" in verified(unknown, tmp_path)


def elapses(expressions: list[str], start: str, count: int = 50) -> list[datetime]:
    """The next ticks of a timer with these `OnCalendar=`, by systemd itself."""
    found: set[datetime] = set()
    for expression in expressions:
        said = analyze("calendar", f"--iterations={count}", f"--base-time={start} 00:00:00 UTC", expression)
        for text in re.findall(r"(?:Next elapse|Iter\. #\d+): \w+ (\S+ \S+) UTC", said):
            found.add(datetime.fromisoformat(text).replace(tzinfo=UTC))
    return sorted(found)[:count]


def meant(cron: str, zone: str, start: str) -> list[datetime]:
    found = next_times(cron, zone, datetime.fromisoformat(start).replace(tzinfo=UTC), 50)
    return [tick.astimezone(UTC) for tick in found if tick.year < 2200]  # where systemd's calendar ends


@pytest.mark.parametrize(("cron", "zone", "start"), TICKS, ids=[f"{cron} {zone}" for cron, zone, _ in TICKS])
def test_the_next_fifty_ticks(cron: str, zone: str, start: str) -> None:
    assert elapses(on_calendar(ScheduleSpec(cron, zone)), start) == meant(cron, zone, start)


@given(CRONS, st.sampled_from(ZONES), STARTS)
@settings(max_examples=60, deadline=None)
def test_any_cron_fires_when_the_clock_says(cron: str, zone: str, start: str) -> None:
    try:
        found = on_calendar(ScheduleSpec(cron, zone))
    except UserError:
        return
    assert elapses(found, start) == meant(cron, zone, start)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (
            ScheduleSpec("30 2 * * *", "Europe/Oslo"),
            "cron '30 2 * * *' fires at 02:30 on 2026-03-29, a time that the clocks",
        ),
        (ScheduleSpec("20 * * * *", "Australia/Lord_Howe"), "cron '20 * * * *' fires at other minutes of UTC when"),
        (ScheduleSpec("0 6 30 2 *"), "cron '0 6 30 2 *' never fires"),
        (ScheduleSpec("0 6 * * 1", "Europe/Olso\n"), "time zone 'Europe/Olso\\n' is not known"),
        (ScheduleSpec(data="in/*.csv"), "systemd cannot watch 'in/*.csv': give the whole path of one file or folder"),
        (ScheduleSpec(data="/in/*.csv"), "systemd cannot watch '/in/*.csv': "),
        (ScheduleSpec(data="s3://bucket/in"), "systemd cannot watch 's3://bucket/in': "),
        (ScheduleSpec(data="/in\nExecStart=/bin/rm"), "systemd cannot read the path '/in\\n"),
        (ScheduleSpec(data="/in\\"), "systemd cannot read the path '/in\\\\'"),
        (ScheduleSpec(after="a b"), "package 'a b' is no Python name"),
        (ScheduleSpec(after="übung"), "package 'übung' names no unit of systemd"),
    ],
)
def test_what_systemd_cannot_keep_is_refused(schedule: ScheduleSpec, said: str) -> None:
    with pytest.raises(UserError) as fault:
        units(schedule)
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


def setting(text: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def test_what_starts_the_service() -> None:
    timer = units(ScheduleSpec("5-5 6 1 * 5", "Asia/Kolkata"))["churn.timer"]
    assert setting(timer, "OnCalendar") == ["Fri *-*-* 06:05:00 Asia/Kolkata", "*-*-01 06:05:00 Asia/Kolkata"]
    assert setting(timer, "Persistent") == ["true"]
    every = units(ScheduleSpec(every_seconds=90))["churn.timer"]
    assert setting(every, "OnActiveSec") == setting(every, "OnUnitActiveSec") == ["90s"]
    path = units(ScheduleSpec(data="/data/100% %h"))["churn.path"]
    assert setting(path, "PathChanged") == ["/data/100%% %%h"]
    after = units(ScheduleSpec(after="load_all"))["load_all.service.d/churn.conf"]
    assert after == "[Unit]\nOnSuccess=churn.service\n"
    assert set(units(None)) == set(units(ScheduleSpec(drift="x"))) == {"churn.service", "churn-alert.service"}


def test_resources_are_those_of_all_steps() -> None:
    wishes = (Resources(cpu=0.5, memory_bytes=1 << 20), Resources(cpu=2), Resources(memory_bytes=1 << 30))
    steps = tuple(PlanStep(f"s{n}", "1", "", resources=each) for n, each in enumerate(wishes))
    service = units(None, steps=steps)["churn.service"]
    assert setting(service, "CPUQuota") == ["250%"]
    assert setting(service, "MemoryMax") == [str((1 << 20) + (1 << 30))]
    assert "MemoryMax" not in units(None, steps=(PlanStep("only", "1", ""),))["churn.service"]


def start(laid: Path, unit: str, *more: str, code: int = 0, **environment: str) -> str:
    """Run a unit's command with what systemd would give it: the home, the run's id, the credentials."""
    home = laid.parent / "home"
    (home / "pipelines").mkdir(parents=True, exist_ok=True)
    if not (home / "pipelines" / laid.name).exists():
        (home / "pipelines" / laid.name).symlink_to(laid)
    text = (laid / "systemd" / "units" / unit).read_text()
    (command,) = setting(text, "ExecStart")
    credentials = laid.parent / f"credentials of {unit}"
    credentials.mkdir(exist_ok=True)
    for loaded in setting(text, "LoadCredential"):
        name, _, place = loaded.partition(":")
        (credentials / name).write_bytes(Path(place.replace("%h", str(home))).read_bytes())
    words = [word.replace("%h", str(home)) for word in shlex.split(command)]
    given = {"HOME": str(home), "CREDENTIALS_DIRECTORY": str(credentials), **environment}
    return engine(*words, *more, cwd=Path("/"), code=code, **given)


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "systemd")
    start(laid, f"{demo.name}.service", INVOCATION_ID="0123456789abcdef0123456789abcdef")
    assert proven(laid, laid / "out", demo) == "0123456789abcdef0123456789abcdef"


def test_the_diamond_with_parameters(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "systemd")
    given = [word for name, value in DIAMOND.given.items() for word in ("-p", f"{name}={json.dumps(value)}")]
    start(laid, "diamond.service", *given, INVOCATION_ID="a1", STORE=f"{tmp_path}/it's $here")
    proven(laid, tmp_path / "it's $here", DIAMOND, then=True)


def test_secrets_and_alert(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "systemd", secret=["TOKEN"], alert="HOOK")
    assert setting((laid / "systemd/units/diamond.service").read_text(), "OnFailure") == ["diamond-alert.service"]
    folder = tmp_path / "home" / ".config" / "diamond" / "secrets"
    folder.mkdir(parents=True)
    token = "it's a $(token) `x`\nof %h two lines"
    (folder / "TOKEN").write_text(f"{token}\n")
    left = "import os\n\n\ndef left(numbers, rate):\n    raise ValueError(os.environ['TOKEN'][::-1])\n"
    (laid / "src/diamond/steps/left.py").write_text(left)
    with Receiver() as hook:
        (folder / "HOOK").write_text(hook.url)
        start(laid, "diamond.service", INVOCATION_ID="a1", code=1)
        assert hook.bodies == []
        start(laid, "diamond-alert.service", MONITOR_INVOCATION_ID="a1")
    assert [(told["run"], told["error"]) for told in hook.bodies] == [
        ("a1", f"step 'left' failed: ValueError: {token[::-1]}")
    ]
