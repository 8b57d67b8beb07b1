"""`python -m <package> alert`: one web request that says what became of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.receiver import Receiver
from tests.runtime.engine.conftest import Bundle


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A web server on loopback, and what it was told."""
    with Receiver(status=lambda request: 404 if request["path"] == "/gone" else 200) as server:
        yield server.url, server.bodies


@pytest.fixture
def failed(bundle: Bundle) -> Bundle:
    """A bundle whose run `first` has failed."""
    bundle.step("load", "def load():\n    raise ValueError('no rows')\n")
    bundle.pipeline("Step('load', 'demo.steps.load:load', '1', outputs=(('rows',),)),")
    assert bundle.run("--run", "first").code == 1
    return bundle


def test_it_says_what_failed(failed: Bundle, receiver: tuple[str, list[dict[str, Any]]]) -> None:
    address, told = receiver
    done = failed.call("alert", "--store", str(failed.store), "--run", "first", "--to", "HOOK", env={"HOOK": address})
    assert (done.code, done.err) == (0, "")
    said = "step 'load' failed: ValueError: no rows"
    text = f"pipeline demo: run first failed: {said}"
    assert told == [{"text": text, "pipeline": "demo", "run": "first", "status": "failed", "error": said}]


def test_a_run_says_itself_that_it_failed(failed: Bundle, receiver: tuple[str, list[dict[str, Any]]]) -> None:
    address, told = receiver
    done = failed.run("--run", "second", "--alert", "HOOK", env={"HOOK": address})
    assert done.code == 1
    assert done.answer["status"] == "failed"
    assert [one["text"] for one in told] == [
        "pipeline demo: run second failed: step 'load' failed: ValueError: no rows"
    ]
    failed.run("--run", "third", "--only", "nothing", "--alert", "HOOK", env={"HOOK": address})
    assert told[1]["text"] == "pipeline demo: run third failed", "what could not begin failed too"
    failed.step("load", "def load():\n    return [1]\n")
    assert failed.run("--run", "fourth", "--alert", "HOOK", env={"HOOK": address}).code == 0
    assert len(told) == 2


def test_an_alert_that_nobody_takes_is_a_warning(failed: Bundle) -> None:
    done = failed.run("--run", "second", "--alert", "HOOK", env={"HOOK": "http://127.0.0.1:9"})
    assert done.code == 1
    assert done.answer["status"] == "failed"
    assert "warning: the alert for run 'second' was not taken" in done.err


def test_an_address_that_is_missing_is_said_at_once(failed: Bundle) -> None:
    done = failed.run("--run", "second", "--alert", "HOOK")
    assert done.code == 2
    assert done.err == "error: the environment variable 'HOOK' holds no web address: set it to where alerts go\n"
    assert not (failed.store / "second").exists()


def test_a_run_that_never_began(failed: Bundle, receiver: tuple[str, list[dict[str, Any]]]) -> None:
    address, told = receiver
    assert (
        failed.call("alert", "--store", str(failed.store), "--run", "other", "--to", "HOOK", env={"HOOK": address}).code
        == 0
    )
    assert told[0]["text"] == "pipeline demo: run other failed"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "error: the environment variable 'HOOK' holds no web address"),
        ("file:///etc/passwd", "error: the environment variable 'HOOK' holds no web address"),
        ("http://127.0.0.1:9", "error: the alert for run 'first' was not taken ([Errno 111] Connection refused)"),
        ("{}/gone", "error: the alert for run 'first' was not taken (Not Found)"),
    ],
)
def test_refused_in_one_line(
    failed: Bundle, receiver: tuple[str, list[dict[str, Any]]], address: str, said: str
) -> None:
    done = failed.call(
        "alert",
        "--store",
        str(failed.store),
        "--run",
        "first",
        "--to",
        "HOOK",
        env={"HOOK": address.format(receiver[0])},
    )
    assert done.code == 2
    assert done.err.startswith(said)
    assert done.err.count("\n") == 1
