"""`mlops-jupyter schedule ...` and `scheduler`: parse, one verb, print."""

import argparse
import json

import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.surfaces.cli import schedule, scheduler

from .conftest import Project


@pytest.fixture
def cli(project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run one command line in the project; return its exit code and what it printed."""
    monkeypatch.chdir(project.root)
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers()
    schedule.add_to(verbs)
    scheduler.add_to(verbs)

    def run(*words: str) -> tuple[int, str]:
        args = parser.parse_args(words)
        return args.act(args), capsys.readouterr().out

    return run


def test_add_list_run_history_remove(project: Project, cli) -> None:
    code, text = cli(
        "schedule", "add", "tiny", "--cron", "0 9 * * 1", "--timezone", "Asia/Tokyo", "-p", "n=a=b", "--json"
    )
    added = json.loads(text)
    assert code == 0
    assert added["parameters"] == {"n": "a=b"}
    assert added["next"].endswith("T09:00:00+09:00")
    assert json.loads(cli("schedule", "list", "--json")[1]) == [added]
    head, line = cli("schedule", "list")[1].splitlines()
    assert head.split() == ["id", "bundle", "when", "next", "paused"]
    assert line.split() == [added["id"][:14], "tiny", "0", "9", "*", "*", "1", "(Asia/Tokyo)", added["next"]]
    assert json.loads(cli("schedule", "list", "tiny", "--json")[1]) == [added]
    code, text = cli("schedule", "run", added["id"][:14], "--json")
    run = json.loads(text)
    assert code == 0
    assert run["status"] == "succeeded"
    assert run["outcome"]["given"] == {"n": "a=b"}
    assert json.loads(cli("schedule", "history", "tiny", "--json")[1]) == [run]
    assert "succeeded" in cli("schedule", "history")[1]
    assert json.loads(cli("schedule", "remove", "tiny", "--json")[1]) == [added]
    assert cli("schedule", "list") == (0, "no schedules\n")
    assert len(json.loads(cli("schedule", "history", "--json")[1])) == 1


def test_a_failed_run_has_exit_code_1_and_its_reason(project: Project, cli) -> None:
    cli("schedule", "add", "tiny", "--cron", "@daily", "-p", "fault=no rows")
    code, text = cli("schedule", "run", "tiny")
    assert code == 1
    assert "exit code 1: ValueError: no rows" in text
    cli("schedule", "remove", "tiny")
    cli("schedule", "add", "tiny", "--cron", "@daily", "-p", "nap=600")
    code, text = cli("schedule", "run", "tiny", "--timeout", "0.5")
    assert code == 1
    assert "took longer than its timeout of 0.5 s" in text


def test_nothing_yet(cli) -> None:
    assert cli("schedule", "history") == (0, "no runs yet\n")
    assert cli("schedule", "list", "--json") == (0, "[]\n")
    assert cli("scheduler", "--once") == (0, "")


def test_scheduler_once_runs_what_is_due(project: Project, cli) -> None:
    project.missed(minutes_ago=9)
    assert cli("scheduler", "--once", "--timeout", "60")[0] == 0
    assert project.statuses() == ["succeeded"]


@pytest.mark.parametrize(
    "words, told",
    [
        (["add", "tiny", "--cron", "0 9 * * 1", "-p", "n"], "-p 'n' has no '=': write -p name=value"),
        (["add", "nowhere", "--cron", "0 9 * * 1"], "there is no pipeline.yaml"),
        (["add", "tiny", "--cron", "9am"], "cron '9am' has 1 field(s), not 5"),
        (["run", "tiny"], "no schedule 'tiny': add one with `schedule add`"),
        (["remove", "x"], "no schedule 'x'"),
    ],
)
def test_faults_are_one_line(cli, words: list[str], told: str) -> None:
    with pytest.raises(UserError) as fault:
        cli("schedule", *words)
    assert told in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("words", [["schedule"], ["schedule", "add"], ["schedule", "run", "a", "--timeout", "-1"]])
def test_wrong_usage(cli, words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli(*words)


def test_all_that_add_takes(project: Project, cli, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "--every 90m --catchup all --concurrency 2 --retries 3 --backoff 30s --timeout 1h --grace 10m --logs 7"
    code, text = cli("schedule", "add", "tiny", *words.split(), *["--alert", "OPS", "--tick", "n", "--json"])
    added = json.loads(text)
    asked = {
        "when": "every 5400 s",
        "catchup": "all",
        "concurrency": 2,
        "retries": 3,
        "backoff": 30.0,
        "alert": ["OPS"],
    }
    assert code == 0
    assert asked.items() <= added.items()
    assert added["timeout"] == 3600.0
    [kept] = project.schedules.list()
    assert (kept.policy.grace, kept.policy.logs, kept.policy.tick) == (600.0, 7, "n")


def test_pause_resume_and_backfill(project: Project, cli) -> None:
    cli("schedule", "add", "tiny", "--cron", "@daily", "--tick", "n")
    [paused] = json.loads(cli("schedule", "pause", "tiny", "--json")[1])
    assert paused["paused"] is not None
    assert paused["next"] is None
    [resumed] = json.loads(cli("schedule", "resume", "tiny", "--json")[1])
    assert resumed["paused"] is None
    assert resumed["next"] is not None
    code, text = cli("schedule", "backfill", "tiny", "--from", "2026-01-30", "--to", "2026-02-01", "--json")
    assert code == 0
    assert [run["due"][:10] for run in json.loads(text)] == ["2026-01-30", "2026-01-31", "2026-02-01"]
    code, text = cli("schedule", "backfill", "tiny", "--from", "2026-01-30", "--to", "2026-02-01")
    assert (code, text) == (0, "nothing to run: each of these ticks has succeeded, or there are none\n")
    (project.root / ".mlops" / "schedule-logs").rename(project.root / "away")
    assert "only the last logs of a schedule are kept" in cli("schedule", "history")[1]


@pytest.mark.parametrize(
    "words, told",
    [
        ("add tiny --cron @daily --every 5m", "not allowed with argument"),
        ("add tiny --every soon", "'soon' is no duration: write it as 30s, 15m, 6h or 1d"),
        ("add tiny --cron @daily --catchup some", "invalid choice: 'some'"),
        ("backfill tiny --from yesterday --to 2026-01-01", "'yesterday' is no day: write it as 2026-01-31"),
        ("backfill tiny --to 2026-01-01", "the following arguments are required: --from"),
    ],
)
def test_words_that_cannot_be_read(cli, capsys: pytest.CaptureFixture[str], words: str, told: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli("schedule", *words.split())
    assert told in capsys.readouterr().err
