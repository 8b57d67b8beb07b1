"""`mlops-jupyter ci init`: the workflows that review notebooks, run by act and gitlab-ci-local."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engines.act import act
from tests.engines.demos import ENGINES, ROOT, engine
from tests.engines.gitlab_local import pipeline
from tests.engines.machine import commit, git, repository
from tests.receiver import Receiver
from tests.services.export.recorded import notebook

HERE = {"PYTHONPATH": str(ROOT), "PYTHON": str(Path(sys.executable).parent)}
"""The workflow installs this package: it is there already, in the Python of these tests."""


def command(folder: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mlops_jupyter", *words],
        cwd=folder, env={**os.environ, **HERE}, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, str]:
    """A repository with a notebook, changed since a commit; that commit."""
    folder = tmp_path / "project"
    folder.mkdir()
    write(folder, "rate = 2", "total = 3 * rate")
    repository(folder)
    base = git(folder, "rev-parse", "HEAD").strip()
    write(folder, "rate = 2", "total = 4 * rate")
    return folder, base


def write(folder: Path, first: str, second: str) -> None:
    cells = [("", first, "parameters"), ("# Sum_up", second)]
    (folder / "pay.ipynb").write_text(json.dumps(notebook(cells)))


def test_a_file_that_is_there_stays(project: tuple[Path, str]) -> None:
    folder, _ = project
    assert "notebooks.yml: commit it" in command(folder, "ci", "init", "github")
    file = folder / ".github" / "workflows" / "notebooks.yml"
    written = file.read_text()
    file.write_text("mine")
    assert "is there: look at it, then give --force" in command(folder, "ci", "init", "github", code=2)
    assert file.read_text() == "mine"
    command(folder, "ci", "init", "github", "--force")
    assert file.read_text() == written
    assert "include: {local: notebooks.gitlab-ci.yml}" in command(folder, "ci", "init", "gitlab")


def test_the_workflows_keep_their_platforms_rules(project: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = project
    command(folder, "ci", "init", "github")
    command(folder, "ci", "init", "gitlab")
    file = folder / ".github" / "workflows" / "notebooks.yml"
    engine("actionlint", "-shellcheck=", "-pyflakes=", file, cwd=folder)
    engine("check-jsonschema", "--builtin-schema", "vendor.github-workflows", file, cwd=folder)
    engine("act", "--strict", "--validate", "-W", file, cwd=folder, XDG_CACHE_HOME=str(tmp_path / "act"))
    words = ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
    engine("check-jsonschema", *words, folder / "notebooks.gitlab-ci.yml", cwd=folder)


def test_a_notebook_that_does_not_run_is_said(project: tuple[Path, str]) -> None:
    folder, base = project
    write(folder, "rate = 2", "total = 1 / 0  # `|` <b>")
    command(folder, "ci", "review", base, code=1)
    said = (folder / "review.md").read_text()
    assert "**not exported**: <code>cell 2 of 2" in said
    assert "ZeroDivisionError" in said
    assert git(folder, "worktree", "list").count("\n") == 1
    assert "git 'no-such-commit'" in command(folder, "ci", "review", "no-such-commit", code=2)


def has_changed(body: str) -> None:
    assert body.startswith(
        "<!-- mlops-jupyter review -->\n## Notebooks\n\n### <code>pay.ipynb</code>\n\nverify: **identical**"
    )
    assert "| <code>total</code> | <code>6 (" in body
    assert "</code> | <code>8 (" in body
    assert "-    total = 3 * rate\n+    total = 4 * rate" in body


@pytest.mark.slow
@pytest.mark.ran("github")
def test_github_comments_once_and_mends_its_comment(project: tuple[Path, str], tmp_path: Path) -> None:
    folder, base = project
    command(folder, "ci", "init", "github")
    commit(folder)
    repo = {"full_name": "nektos/act"}
    event = tmp_path / "event.json"
    event.write_text(
        json.dumps({"pull_request": {"number": 5, "base": {"sha": base}, "head": {"repo": repo}}, "repository": repo})
    )
    comments: list[dict[str, Any]] = [{"id": 1, "body": "nice"}]

    def answer(request: dict[str, Any]) -> Any:
        if request["method"] == "GET":
            return comments
        if request["method"] == "POST":
            comments.append({"id": 2, **request["body"]})
        return {}

    with Receiver(answer) as receiver:
        env = [word for name, value in HERE.items() for word in ("--env", f"{name}={value}")]
        words = ["-e", str(event), *env, "--env", f"GITHUB_API_URL={receiver.url}", "-s", "GITHUB_TOKEN=secret"]
        _, kept = act(folder, "pull_request", "notebooks.yml", *words)
        # The next push: the step that comments, as it stands in the workflow.
        workflow = yaml.safe_load((folder / ".github" / "workflows" / "notebooks.yml").read_text())
        script = workflow["jobs"]["comment"]["steps"][-1]["run"]
        facts = {"GITHUB_API_URL": receiver.url, "GITHUB_REPOSITORY": "nektos/act", "NUMBER": "5", "TOKEN": "secret"}
        subprocess.run([sys.executable, "-c", script], cwd=kept / "review", env=facts, check=True, timeout=60)
    asked = [(each["method"], each["path"]) for each in receiver.requests]
    thread = "/repos/nektos/act/issues/5/comments"
    assert asked == [
        ("GET", f"{thread}?per_page=100"),
        ("POST", thread),
        ("GET", f"{thread}?per_page=100"),
        ("PATCH", "/repos/nektos/act/issues/comments/2"),
    ]
    assert {each["headers"]["Authorization"] for each in receiver.requests} == {"Bearer secret"}
    has_changed(receiver.requests[1]["body"]["body"])


@pytest.mark.slow
@pytest.mark.ran("gitlab")
def test_gitlab_comments(project: tuple[Path, str]) -> None:
    folder, base = project
    command(folder, "ci", "init", "gitlab")
    (folder / ".gitlab-ci.yml").write_text("include: {local: notebooks.gitlab-ci.yml}\n")
    commit(folder)
    facts = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "CI_MERGE_REQUEST_IID": "5", "CI_PROJECT_ID": "9"}
    with Receiver(lambda request: []) as receiver:
        variables = {
            **facts,
            **HERE,
            "CI_API_V4_URL": receiver.url,
            "REVIEW_TOKEN": "secret",
            "PATH": f"{HERE['PYTHON']}:{ENGINES}:{os.environ['PATH']}",
        }
        pipeline(folder, "merge_request_event", variables=variables)
    notes = "/projects/9/merge_requests/5/notes"
    assert [(each["method"], each["path"]) for each in receiver.requests] == [
        ("GET", f"{notes}?per_page=100"),
        ("POST", notes),
    ]
    assert receiver.requests[1]["headers"]["Private-Token"] == "secret"
    has_changed(receiver.requests[1]["body"]["body"])
