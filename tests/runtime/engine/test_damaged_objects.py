"""An artifact that is damaged or gone is made again in the run that finds it so."""

from __future__ import annotations

from pathlib import Path

import pytest

STEPS = """
Step("load", "demo.steps.load:load", "1", outputs=(("rows",),)),
Step("clean", "demo.steps.clean:clean", "1", inputs={"rows": "load"}, outputs=(("kept",),)),
Step("count", "demo.steps.count:count", "1", inputs={"kept": "clean", "rows": "load"}, outputs=(("n",),)),
"""


@pytest.fixture
def chain(bundle):
    bundle.pipeline(STEPS, "outputs={'n': 'count'}")
    bundle.step("load", "def load():\n    return [3, 1, 2]\n")
    bundle.step("clean", "def clean(rows):\n    return sorted(rows)\n")
    bundle.step("count", "def count(kept, rows):\n    return len(kept) + len(rows)\n")
    assert bundle.run("--run", "one").code == 0
    return bundle


def object_of(bundle, step: str) -> Path:
    digest = bundle.record("one", step)["outputs"][0]["digest"]
    return bundle.store / "objects" / digest[:2] / digest[2:]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)


DAMAGES = [("flipped", flip), ("cut", lambda path: path.write_bytes(b"")), ("gone", Path.unlink)]


@pytest.mark.parametrize(("how", "damage"), DAMAGES, ids=[row[0] for row in DAMAGES])
@pytest.mark.parametrize("steps", [("load",), ("clean",), ("load", "clean")], ids="+".join)
def test_in_the_same_run(chain, how, damage, steps):
    for step in steps:
        damage(object_of(chain, step))
    chain.step("count", "def count(kept, rows):\n    return 10 * len(kept) + len(rows)\n")
    done = chain.run("--run", "two")
    assert done.code == 0, done.err
    assert chain.value("two", "n") == 33
    assert done.status()["count"] == "done"
    assert chain.run("--run", "three").status() == {"load": "cached", "clean": "cached", "count": "cached"}


def test_what_is_made_again_and_is_another_goes_on_to_all_that_follow(chain):
    """A step that draws gives other rows when it is made again: nobody may mix them with the old ones."""
    chain.step("load", "import random\n\ndef load():\n    return [random.random()] * random.randint(2, 99)\n")
    assert chain.run("--run", "one").code == 0
    flip(object_of(chain, "load"))
    chain.step("count", "def count(kept, rows):\n    return sorted(rows) == kept\n")
    done = chain.run("--run", "two")
    assert done.code == 0, done.err
    assert chain.value("two", "n") is True
