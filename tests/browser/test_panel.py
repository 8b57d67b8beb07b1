"""The panel follows the notebook: in JupyterLab and in Notebook 7, with a real kernel."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, expect

HOSTILE = "<img/src=x/onerror=window.hacked=1>"

LOG_SLOWLY = """\
import os, time
for step in range(600):  # a minute, if nobody says that it is enough
    run.log(auc=step / 1000)
    if os.path.exists("enough"):
        break
    time.sleep(0.1)
"""

CELLS = (
    "# Churn",
    "%load_ext mlops_jupyter",
    "%%pipeline load\ncustomers = [1, 2, 3]",
    "%%pipeline train\nmodel = max(customers)",
    "%%pipeline report\nmodel.missing",
    "run = %track start baseline -e churn",
    LOG_SLOWLY,
    "%track end",
    "x = 1",
)


@contextmanager
def no_courier(project: Path) -> Iterator[None]:
    """Hold the courier's place, so that none comes: carrying runs to MLflow is tested elsewhere, and takes seconds."""
    with (project / ".mlops/courier.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def states(panel: Locator, count: int) -> list[tuple[str | None, str | None]]:
    """Name and state of each step that the panel lists, once it lists so many."""
    rows = panel.get_by_test_id("mlops-steps").locator("li")
    expect(rows).to_have_count(count)
    return [(row.get_attribute("data-step"), row.get_attribute("data-state")) for row in rows.all()]


def expect_state(panel: Locator, step: str, state: str) -> None:
    expect(panel.locator(f"li[data-step='{step}']")).to_have_attribute("data-state", state)


def test_the_panel_follows_the_notebook(desk, lab):
    lab.write("churn/a.ipynb", CELLS)
    desk.open(lab, "churn/a.ipynb")
    panel = desk.show_panel()
    recorder = panel.get_by_test_id("mlops-recorder")

    # nothing recorded yet: what to do is said, what is marked is listed, and looking has created nothing
    expect(recorder).to_have_text("Not recorded yet")
    assert states(panel, 3) == [("load", "unrun"), ("train", "unrun"), ("report", "unrun")]
    expect(panel).to_contain_text("No runs yet")
    assert not (lab.root / "churn/.mlops").exists()

    desk.run(1)
    expect(recorder).to_have_text("Recording")
    desk.run(2)
    expect_state(panel, "load", "fresh")
    desk.run(3, 4)
    expect_state(panel, "report", "failed")
    assert states(panel, 3) == [("load", "fresh"), ("train", "fresh"), ("report", "failed")]
    expect(panel.locator("li[data-step='train']")).to_have_text(re.compile("in ?customers ?out ?model$"))
    expect(panel.get_by_test_id("mlops-executions")).to_have_text("3 executions")
    expect(panel.get_by_test_id("mlops-last")).to_have_text(re.compile("^The last failed, .+ in report$"))
    expect(panel).to_contain_text("AttributeError")

    # a cell is edited and run again: what took its value is stale
    desk.write(2, "%%pipeline load\ncustomers = [4, 5]")
    desk.run(2)
    expect_state(panel, "train", "stale")

    # the kernel goes: what was recorded stays, and the panel says that nothing more is
    desk.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect(recorder).to_have_text("Not recording")
    assert states(panel, 3) == [("load", "fresh"), ("train", "stale"), ("report", "failed")]


def test_a_run_is_followed_while_its_cell_executes(desk, lab):
    lab.write("live/a.ipynb", CELLS)
    desk.open(lab, "live/a.ipynb")
    panel = desk.show_panel()
    desk.run(1)
    with no_courier(lab.root / "live"):
        desk.write(5, f"run = %track start {HOSTILE} -e churn")
        desk.run(5)
        desk.start(6)
        run = panel.get_by_test_id("mlops-runs").locator("li")
        expect(run).to_have_attribute("data-status", "running")
        expect(run).to_contain_text(re.compile(r"auc 0\.0(0[5-9]|[1-9])"))
        assert run.get_attribute("data-run") == HOSTILE
        assert desk.page.evaluate("() => window.hacked") is None
        (lab.root / "live/enough").touch()
        desk.ready()
        desk.run(7)
        expect(run).to_have_attribute("data-status", "finished")
        run.get_by_role("button").click()
        expect(run).to_contain_text("1 metric")


def test_from_the_panel_to_the_cells(desk, lab):
    lab.write(
        "b.ipynb",
        (
            "# Two cells of one step",
            "a = 1",
            "%%pipeline load\nb = 1",
            "c = 1",
            "%%pipeline load\nd = 1",
            *["e = 1"] * 60,
        ),
    )
    desk.open(lab, "b.ipynb")
    panel = desk.show_panel()
    assert states(panel, 1) == [("load", "unrun")]

    # by keyboard: the row is a button that says what it is
    desk.select(60)
    row = panel.get_by_role("button", name=re.compile("^Step load, not run. Go to its 2 cells"))
    row.focus()
    desk.page.keyboard.press("Enter")
    expect(desk.cell(2)).to_have_class(re.compile("jp-mod-active"))
    expect(desk.cell(2)).to_be_in_viewport()
    content = "() => window.jupyterapp.shell.currentWidget.content"
    chosen = f"{content}.selectedCells.map(cell => cell.model.sharedModel.getSource())"
    assert desk.page.evaluate(chosen) == ["%%pipeline load\nb = 1", "%%pipeline load\nd = 1"]

    # mark: by name, again under another name, and asked for with a name that Python has not
    desk.page.evaluate(f"{content}.deselectAll()")
    desk.select(3)
    desk.command("mlops:mark-step", name="clean")
    assert desk.source(3) == "%%pipeline clean\nc = 1"
    assert states(panel, 2) == [("load", "unrun"), ("clean", "unrun")]
    desk.page.evaluate("() => { void window.jupyterapp.commands.execute('mlops:mark-step'); }")
    asked = desk.page.locator(".jp-Dialog input")
    expect(asked).to_have_value("clean")
    asked.fill("clean_all")
    desk.page.keyboard.press("Enter")
    expect(panel.locator("li[data-step='clean_all']")).to_be_visible()
    assert desk.source(3) == "%%pipeline clean_all\nc = 1"
    desk.command("mlops:mark-step", name="not a name")
    expect(desk.page.get_by_text("A step is named like a Python function")).to_be_visible()
    assert desk.source(3) == "%%pipeline clean_all\nc = 1"

    # the cell that turns recording on is added once
    panel.get_by_role("button", name="Add the cell").click()
    expect(desk.page.locator(".jp-Notebook .jp-Cell").first).to_contain_text("%load_ext mlops_jupyter")
    assert desk.source(0) == "%load_ext mlops_jupyter"
    panel.get_by_role("button", name="Add the cell").click()
    assert desk.source(1) == "# Two cells of one step"

    # in the palette
    desk.page.keyboard.press("Control+Shift+C")
    desk.page.locator(".lm-CommandPalette-input").fill("mlops")
    for label in ("Mark cell as pipeline step", "Refresh the MLOps panel", "Copy %load_ext mlops_jupyter"):
        expect(desk.page.locator(".lm-CommandPalette-item", has_text=label).first).to_be_visible()


def test_the_panel_turns_to_another_notebook_and_to_none(desk, lab):
    lab.write("one/a.ipynb", ("%load_ext mlops_jupyter", "%%pipeline load\nx = 1"))
    lab.write("two/b.ipynb", ("y = 1",))
    desk.open(lab, "one/a.ipynb")
    panel = desk.show_panel()
    desk.run(0, 1)
    expect_state(panel, "load", "fresh")
    desk.command("docmanager:open", path="two/b.ipynb")
    desk.ready()
    expect(panel.get_by_test_id("mlops-recorder")).to_have_text("Not recorded yet")
    expect(panel.get_by_test_id("mlops-steps")).to_have_count(0)
    desk.command("docmanager:open", path="one/a.ipynb")
    expect_state(panel, "load", "fresh")
    desk.command("docmanager:save-all")
    desk.command("application:close-all")
    expect(panel).to_contain_text("Open a notebook to see")


def test_notebook_7(desk, notebook7):
    notebook7.write("churn/a.ipynb", CELLS)
    desk.open(notebook7, "churn/a.ipynb")
    desk.page.get_by_role("menuitem", name="View").click()
    desk.page.locator("[data-command='mlops:open-panel']").click()
    panel = desk.page.locator("#mlops-jupyter-panel")
    expect(panel.get_by_test_id("mlops-recorder")).to_have_text("Not recorded yet")
    desk.run(1, 2)
    expect(panel.get_by_test_id("mlops-recorder")).to_have_text("Recording")
    expect_state(panel, "load", "fresh")
    panel.get_by_role("button", name=re.compile("^Step train")).click()
    expect(desk.cell(3)).to_have_class(re.compile("jp-mod-active"))


def test_the_panel_follows_the_demo(desk, lab):
    """The first cells of `notebooks/01_churn.ipynb`, as a new user runs them, up to the first tracked model."""
    demo = Path(__file__).parents[2] / "notebooks"
    shutil.copytree(demo / "data", lab.root / "demo/data")
    shutil.copy(demo / "01_churn.ipynb", lab.root / "demo/01_churn.ipynb")
    cells = json.loads((demo / "01_churn.ipynb").read_text())["cells"]
    code = [n for n, cell in enumerate(cells) if cell["cell_type"] == "code"]
    last = next(n for n in code if "%%pipeline forest" in "".join(cells[n]["source"]))
    desk.open(lab, "demo/01_churn.ipynb")
    panel = desk.show_panel()
    expect(panel.get_by_test_id("mlops-recorder")).to_have_text("Not recorded yet")
    desk.run(code[0])
    expect(panel.get_by_test_id("mlops-recorder")).to_have_text("Recording")
    with no_courier(lab.root / "demo"):
        desk.run(*(n for n in code if code[0] < n <= last))
        expect_state(panel, "forest", "fresh")
        expect(panel.locator("li[data-step='forest']")).to_contain_text("X_train")
        expect(panel).to_contain_text("logistic")
        expect(panel.get_by_test_id("mlops-executions")).to_have_text(f"{code.index(last)} executions")
