"""The cron target by Debian's cron, in a mount namespace of its own: no crontab of this machine is seen or changed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fcntl import LOCK_EX, flock
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import ScheduleSpec
from mlops_jupyter.services.cron.ticks import next_times
from mlops_jupyter.services.export.targets import cron
from tests.contracts.test_targets import CHURN
from tests.engines.demos import DEMOS, DIAMOND, ENGINES, ROOT, Demo, bundle, engine, proven
from tests.receiver import Receiver
from tests.services.export.test_spelling import CRONS, STARTS, ZONES

pytestmark = pytest.mark.ran("cron")

CRON = ROOT / ".venvs" / "cron"

CRONTABS = [
    "0 6 * * 1",
    "0 9 * * 7",
    "*/15 8-18 * * mon-fri",
    "5-5 6 1 * 5",
    "0 0 1-31 * 1",
    "0 6 */2 * mon-wed,sun",
    "@yearly",
    "@hourly",
    "0 12 29 2 *",
    "0 0 * jan,dec fri-sun",
]


def line(schedule: ScheduleSpec) -> str:
    """The one line of the crontab."""
    (found,) = (
        row
        for row in cron.render(replace(CHURN, schedule=schedule))["cron/crontab"].splitlines()
        if not row.startswith("#")
    )
    return found


def private(folder: Path, command: str) -> list[str]:
    """A command of the shell where cron's folders are new and empty, and its PAM service is the package's own."""
    assert CRON.is_dir(), "cron is not here: run `make .venvs/cron/.ready`"
    pam = folder / "pam.d"
    shutil.copytree("/etc/pam.d", pam)
    shutil.copyfile(CRON / "etc/pam.d/cron", pam / "cron")
    (folder / "cron.d").mkdir()
    laid = f"""
set -e
mount -t tmpfs tmpfs /var/spool
mkdir -p -m 755 /var/spool/cron/crontabs /etc/cron.d
mount -t tmpfs tmpfs /run
mount --bind {pam} /etc/pam.d
mount --bind {folder / "cron.d"} /etc/cron.d
{command}
"""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", laid]


@pytest.mark.needs_root("it mounts cron's folders anew")
def test_debians_crontab_takes_the_lines(tmp_path: Path) -> None:
    files = []
    for number, text in enumerate(CRONTABS):
        (tmp_path / f"{number}").write_text(cron.render(replace(CHURN, schedule=ScheduleSpec(text)))["cron/crontab"])
        files.append(f"{CRON}/usr/bin/crontab -n {tmp_path}/{number}")
    (tmp_path / "wrong").write_text("99 6 * * 1 /bin/true\n")
    command = "\n".join([*files, f"! {CRON}/usr/bin/crontab -n {tmp_path}/wrong"])
    subprocess.run(private(tmp_path, command), check=True)


def fired(text: str, start: datetime) -> Iterator[datetime]:
    """The ticks of a crontab's line by cron's own rules, as entry.c reads fields and cron.c matches them (no DST)."""
    fields = text.split()[:5]
    lows, highs = (0, 0, 1, 1, 0), (59, 23, 31, 12, 7)
    minutes, hours, days, months, weekdays = (
        {n for item in field.split(",") for n in numbers(item, low, high)}
        for field, low, high in zip(fields, lows, highs, strict=True)
    )
    weekdays |= {7} if 0 in weekdays else {0} if 7 in weekdays else set()
    starred = fields[2].startswith("*") or fields[4].startswith("*")
    day = start.date()
    while day < date(2300, 1, 1):
        of_month, of_week = day.day in days, day.isoweekday() % 7 in weekdays
        if day.month in months and ((of_month and of_week) if starred else (of_month or of_week)):
            for clock in sorted((hour, minute) for hour in hours for minute in minutes):
                tick = datetime(day.year, day.month, day.day, *clock, tzinfo=UTC)
                if tick > start:
                    yield tick
        day += timedelta(days=1)


def numbers(item: str, low: int, high: int) -> range:
    run, _, step = item.partition("/")
    first, _, last = run.partition("-")
    if run != "*":
        low, high = int(first), int(last or first)
    return range(low, high + 1, int(step or 1))


@pytest.mark.parametrize("text", CRONTABS)
def test_the_next_fifty_ticks(text: str) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    assert list(islice(fired(line(ScheduleSpec(text)), start), 50)) == next_times(text, "UTC", start, 50)


@given(CRONS, st.sampled_from(ZONES), STARTS)
@settings(max_examples=150, deadline=None)
def test_any_cron_fires_when_the_clock_says(text: str, zone: str, day: str) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    try:
        found = line(ScheduleSpec(text, zone))
    except UserError:
        return
    meant = [tick.astimezone(UTC) for tick in next_times(text, zone, start, 50)]
    assert list(islice(fired(found, start), len(meant))) == meant


@pytest.mark.parametrize(
    ("seconds", "fields"),
    [(60, "*/1 * * * *"), (900, "*/15 * * * *"), (3600, "0 * * * *"), (21600, "0 */6 * * *"), (86400, "0 0 * * *")],
)
def test_intervals(seconds: int, fields: str) -> None:
    found = line(ScheduleSpec(every_seconds=seconds))
    assert found.startswith(f"{fields} /bin/sh ")
    ticks = list(islice(fired(found, datetime(2026, 3, 1, tzinfo=UTC)), 200))
    assert {(after - before).total_seconds() for before, after in pairwise(ticks)} == {seconds}


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (ScheduleSpec(every_seconds=90), "cron cannot run every 90 s: take whole minutes that divide an hour"),
        (ScheduleSpec(every_seconds=45 * 60), "cron cannot run every 2700 s: "),
        (ScheduleSpec(every_seconds=48 * 3600), "cron cannot run every 172800 s: "),
        (ScheduleSpec(every_seconds=5), "cron cannot run every 5 s: "),
        (ScheduleSpec("0 6 * * 1", "Europe/Oslo"), "cron knows UTC alone, and the clocks of Europe/Oslo change"),
        (ScheduleSpec("0 6 30 2 *"), "cron '0 6 30 2 *' never fires"),
        (ScheduleSpec("0 6 * * 1", "Europe/Olso"), "time zone 'Europe/Olso' is not known"),
    ],
)
def test_what_cron_cannot_keep_is_refused(schedule: ScheduleSpec, said: str) -> None:
    with pytest.raises(UserError) as fault:
        line(schedule)
    assert str(fault.value).startswith(said)
    assert "\n" not in str(fault.value)


def with_engines_python(laid: Path) -> Path:
    """Give the bundle a `.venv`: cron's own PATH knows no other Python with what steps need."""
    (laid / ".venv" / "bin").mkdir(parents=True)
    (laid / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {ENGINES}/python "$@"\n')
    (laid / ".venv" / "bin" / "python").chmod(0o755)
    return laid


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_the_notebooks_values(demo: Demo, tmp_path: Path) -> None:
    laid = bundle(demo, tmp_path, "cron")
    assert engine("sh", laid / "cron" / "run.sh", cwd=tmp_path) == ""
    assert proven(laid, laid / "out", demo) in (laid / "cron" / "log.txt").read_text()


def test_the_diamond_with_parameters(tmp_path: Path) -> None:
    laid = with_engines_python(bundle(DIAMOND, tmp_path, "cron"))
    given = [word for name, value in DIAMOND.given.items() for word in ("-p", f"{name}={json.dumps(value)}")]
    engine("sh", "cron/run.sh", *given, cwd=laid, STORE=f"{tmp_path}/it's $here", PATH="/usr/bin:/bin")
    proven(laid, tmp_path / "it's $here", DIAMOND, then=True)


def test_secrets_and_alert(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "cron", secret=["TOKEN"], alert="HOOK")
    assert engine("sh", "cron/run.sh", cwd=laid, HOME=str(tmp_path), code=2).endswith(
        f"diamond: secret TOKEN: write it to {tmp_path}/.config/diamond/secrets/TOKEN\n"
    )
    token = "it's a $(token) `x`\nof two lines"
    folder = tmp_path / ".config" / "diamond" / "secrets"
    folder.mkdir(parents=True)
    (folder / "TOKEN").write_text(f"{token}\n")
    left = "import os\n\n\ndef left(numbers, rate):\n    raise ValueError(os.environ['TOKEN'][::-1])\n"
    (laid / "src/diamond/steps/left.py").write_text(left)
    with Receiver() as hook:
        (folder / "HOOK").write_text(hook.url)
        said = engine("sh", "cron/run.sh", cwd=laid, HOME=str(tmp_path), code=1)
    (told,) = hook.bodies
    assert told["error"] == f"step 'left' failed: ValueError: {token[::-1]}"
    assert f"run {told['run']} ended with exit code 1: see {laid}/cron/log.txt" in said
    assert "ValueError" in (laid / "cron" / "log.txt").read_text()


def test_only_so_many_at_once(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "cron", schedule="0 6 * * 1", concurrency=2)
    with (laid / "cron" / "lock.1").open("w") as first, (laid / "cron" / "lock.2").open("w") as second:
        flock(first, LOCK_EX)
        engine("sh", "cron/run.sh", cwd=laid)
        proven(laid, laid / "out", DIAMOND)
        flock(second, LOCK_EX)
        assert "diamond: not started: 2 under way already" in engine("sh", "cron/run.sh", cwd=laid)


@pytest.mark.needs_root("it mounts cron's folders anew")
def test_a_machine_of_another_time_zone_is_refused(tmp_path: Path) -> None:
    laid = bundle(DIAMOND, tmp_path, "cron", schedule="0 6 * * 1")
    words = ["sh", "cron/run.sh", "--by-the-clock"]
    oslo = "mount --bind /usr/share/zoneinfo/Europe/Oslo /etc/localtime"
    (tmp_path / "ns").mkdir()
    done = subprocess.run(
        private(tmp_path / "ns", f"{oslo}\ncd {laid}\nTZ=UTC {' '.join(words)}"), capture_output=True, text=True
    )
    assert done.returncode == 3
    assert "diamond: not started: the clock of this machine is not UTC" in done.stderr
    assert not (laid / "out").exists()
    engine(*words, cwd=laid, TZ="Europe/Oslo")  # what a crontab says of TZ is not what cron fires by
    proven(laid, laid / "out", DIAMOND)


@pytest.mark.slow
@pytest.mark.needs_root("it mounts cron's folders anew")
def test_cron_fires_on_the_minute(tmp_path: Path) -> None:
    """A crontab as it is exported, for the next minute that comes, and cron itself."""
    laid = bundle(DIAMOND, tmp_path, "cron", every="1m")
    with_engines_python(laid)
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "diamond").symlink_to(laid)
    (tmp_path / "crontab").write_text(f"HOME={tmp_path}\n{(laid / 'cron' / 'crontab').read_text()}")
    (tmp_path / "ns").mkdir()
    install = f"install -m 600 {tmp_path}/crontab /var/spool/cron/crontabs/root"
    command = private(tmp_path / "ns", f"{install}\nexec {CRON}/usr/sbin/cron -f")
    daemon = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 200
        while not list(laid.glob("out/*/outputs/said.json")):
            assert daemon.poll() is None
            assert time.monotonic() < until
            time.sleep(0.5)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(20)
    with (laid / "cron" / "lock.1").open("w") as lock:
        flock(lock, LOCK_EX)  # the run has ended
    run = proven(laid, laid / "out", DIAMOND)
    begun = datetime.strptime(run.partition("-")[0], "%Y%m%dT%H%M%S")
    assert begun.second < 20, "cron fires when a minute begins"
