"""Run one step as a stage of DVC, or gather what all stages made: see dvc.yaml.

What a step made goes to `artifacts/STEP`, which DVC keeps, restores, pushes and pulls: `record.json` says what it is,
`objects/` holds what later steps take, `outputs/` the values that are delivered. A step runs in a store of its own,
into which that of the steps before it is laid: so nothing is taken from a cache that DVC does not know.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent
RUN = "dvc"
PICTURES = (".png", ".svg", ".jpg", ".gif")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run one step, or gather what all made.")
    parser.add_argument("package")
    parser.add_argument("step", nargs="?")
    parser.add_argument("--version", help="of the step: another one is another command to DVC")
    parser.add_argument("--after", action="append", default=[], help="a step whose artifacts this one takes")
    parser.add_argument("--parameter", action="append", default=[], help="a name in params.json")
    parser.add_argument("--pause", action="append", default=[], type=float, help="seconds before one more try")
    parser.add_argument("--metric", action="append", default=[], help="a delivered number")
    parser.add_argument("--plots", action="store_true", help="keep the pictures that the step shows")
    parser.add_argument("--alert", help="environment variable with the address to tell when it fails")
    parser.add_argument("--gather", type=Path, metavar="STORE", help="lay what all steps made into a store, as one run")
    asked = parser.parse_args()
    if asked.gather:
        gather(asked.package, asked.gather)
        return 0
    with tempfile.TemporaryDirectory() as store:
        return stage(asked, Path(store))


def stage(asked: argparse.Namespace, store: Path) -> int:
    """Run the step until it succeeds or may be tried no more; keep what it made."""
    for name in asked.after:
        lay(name, store / RUN, store)
    given = json.loads((HOME / "params.json").read_text("utf-8")) if asked.parameter else {}
    words = [word for name in asked.parameter for word in ("-p", f"{name}={json.dumps(given[name])}")]
    for word in words:
        if "${" in word:  # the next `--set-param`, of whatever parameter, would put something else there
            sys.exit(f"params.json: {word!r} holds ${{, which DVC fills in itself: write the text without it")
    where = ("--store", str(store), "--run", RUN)
    code = call(asked.package, "step", asked.step, *where, *words)
    for pause in asked.pause:
        if code != 1:  # a step failed; other faults stay what they are
            break
        time.sleep(pause)
        code = call(asked.package, "step", asked.step, *where, *words)
    if code == 0:
        keep(asked, store)
    elif asked.alert:
        call(asked.package, "alert", *where, "--to", asked.alert)
    return code


def call(package: str, *words: str) -> int:
    """Run the pipeline's own command with the bundle's `.venv`, else with the Python that runs this."""
    own = HOME / ".venv" / "bin" / "python"
    environment = {**os.environ, "PYTHONPATH": str(HOME / "src")}
    command = [str(own if own.exists() else sys.executable), "-m", package, *words]
    # What it answers names the store, which is gone soon; what the step prints comes by the other way.
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode


def lay(step: str, run: Path, store: Path) -> dict[str, Any]:
    """Put what a step made into a run of a store; return its record."""
    made = HOME / "artifacts" / step
    record: dict[str, Any] = json.loads((made / "record.json").read_text("utf-8"))
    (run / "steps").mkdir(parents=True, exist_ok=True)
    (run / "steps" / f"{step}.json").write_text(json.dumps(record), "utf-8")
    for entry in record["outputs"]:
        place = store / "objects" / entry["digest"][:2] / entry["digest"][2:]
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made / "objects" / entry["digest"], place)
    return record


def keep(asked: argparse.Namespace, store: Path) -> None:
    """Copy what the step made out of its store. What differs from run to run, such as times, is left out."""
    record = json.loads((store / RUN / "steps" / f"{asked.step}.json").read_text("utf-8"))
    record = {name: record[name] for name in ("step", "status", "outputs", "delivered", "error")}
    made = HOME / "artifacts" / asked.step
    for folder in ("objects", "outputs"):
        (made / folder).mkdir(parents=True)
    for entry in record["outputs"]:
        digest = entry["digest"]
        shutil.copyfile(store / "objects" / digest[:2] / digest[2:], made / "objects" / digest)
    for entry in record["delivered"]:
        place = made / "outputs" / entry["file"]
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(store / RUN / "outputs" / entry["file"], place)
    (made / "record.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", "utf-8")
    if asked.metric:
        files = {entry["name"]: made / "outputs" / entry["file"] for entry in record["delivered"]}
        values = {name: json.loads(files[name].read_text("utf-8")) for name in asked.metric}
        (HOME / "metrics").mkdir(exist_ok=True)
        (HOME / "metrics" / f"{asked.step}.json").write_text(json.dumps(values, indent=1) + "\n", "utf-8")
    if asked.plots:
        pictures = HOME / "plots" / asked.step
        pictures.mkdir(parents=True)
        for file in sorted((store / RUN / "displays").glob(f"{asked.step}-*")):
            if file.suffix in PICTURES:
                shutil.copyfile(file, pictures / file.name)


def gather(package: str, store: Path) -> None:
    """Lay what all steps made into a store, as the run `dvc`: `check` compares it with the notebook's values."""
    run = store / RUN
    steps = [path.stem for path in sorted(HOME.glob(f"src/{package}/steps/*.py")) if path.stem != "__init__"]
    if lacking := [step for step in steps if not (HOME / "artifacts" / step / "record.json").exists()]:
        sys.exit(f"nothing is there of step {lacking[0]!r}: say `dvc repro`, or `dvc pull`")
    shutil.rmtree(run, ignore_errors=True)
    delivered = []
    for record in [lay(step, run, store) for step in steps]:
        for entry in record["delivered"]:
            place = run / "outputs" / entry["file"]
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(HOME / "artifacts" / record["step"] / "outputs" / entry["file"], place)
            delivered.append({name: entry[name] for name in ("name", "file", "format", "fingerprint", "note")})
    (run / "outputs").mkdir(parents=True, exist_ok=True)
    index = {"run": RUN, "outputs": sorted(delivered, key=lambda entry: str(entry["name"]))}
    (run / "outputs" / "outputs.json").write_text(json.dumps(index, indent=1), "utf-8")
    facts = {"run": RUN, "pipeline": package, "status": "succeeded", "parameters": {}, "error": None}
    (run / "run.json").write_text(json.dumps(facts, indent=1), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
