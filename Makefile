# Every command a person needs. `make help` lists them; each sets up what it needs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
ARGS ?=
DIR ?= samples

# The first Python on PATH that is new enough, not too new, and able to make a venv; empty when there is none.
# Every python3 is tried, not just the first: a version manager's shim may stand before a Python that works.
PYTHON ?= $(shell for candidate in $$(type -aP python3 python3.13 python3.12 python3.11); do \
	$$candidate -c 'import ensurepip, sys; raise SystemExit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$candidate && break; done)

.PHONY: help setup demo up test test-again check bench mutants nemesis nemesis-long deep lock samples screenshots clean

help:  ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: $(STAMP)  ## Install everything into .venv, from the hashed lock

# Without build isolation: what is built from source (feedgen is) is built by the locked setuptools, not by a stranger.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation
$(STAMP): requirements-build.lock requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { \
		echo "Carillon needs Python 3.11, 3.12 or 3.13 with its venv module, and found none on PATH." >&2; \
		echo "Install one (on Debian: apt-get install python3 python3-venv), or name it: make setup PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON) (the first time takes a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes --requirement requirements-build.lock
	@$(PIP) --require-hashes --requirement requirements-dev.lock
	@$(PIP) --no-deps --config-settings editable_mode=compat --editable .
	@touch $@

demo: setup  ## Load a sample school, send an announcement, show who got it (ARGS="--once --json" ends by itself)
	@$(BIN)/carillon demo $(ARGS)

up: setup  ## Start Carillon: web and workers in one process
	@$(BIN)/carillon up $(ARGS)

# In three processes, each with servers of its own: they wait for browsers and for each other. ARGS="-n 0": in one.
SEVERAL := -n 3
test: setup  ## Run the tests on SQLite, PostgreSQL, Redis and fakeredis (ARGS= goes to pytest)
	@$(BIN)/python -m pytest $(SEVERAL) $(ARGS)

# Real processes race on a busy machine. More than three failures are no race.
test-again: setup  ## What failed in the last run, once more and alone
	@$(BIN)/python -m pytest --last-failed --last-failed-no-failures none --at-most 3 $(ARGS)

check: setup  ## Format, lint, types, and the arrow of imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: setup  ## Measure speed and memory against the bare client loops
	@$(BIN)/python -m bench $(ARGS)

mutants: setup  ## Take out one guard of the product after the other; each must turn its tests red
	@$(BIN)/python -m tests.mutants $(ARGS)

nemesis: setup  ## Kill, cut and break everything for minutes, then judge (ARGS="--seed N --minutes 3 --json")
	@$(BIN)/python -m tests.nemesis $(ARGS)

nemesis-long: setup  ## Seeds added up until the long totals are reached; goes on where it was (ARGS="--seeds 1": one more)
	@$(BIN)/python -m tests.nemesis --long $(ARGS)

deep: setup  ## The slow tests too, then the tests on every other Python that is here
	@$(BIN)/python -m pytest $(SEVERAL) --slow $(ARGS)
	@.ci/other-pythons $(SEVERAL) $(ARGS)

# uv reads nothing of the machine into the locks: no index, no header with paths.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate
lock: setup  ## Write the locks again from pyproject.toml (ARGS="--upgrade" takes newer releases)
	@$(LOCK) $(ARGS) pyproject.toml --all-extras --group build --group test --group dev --group bench \
		--output-file requirements-dev.lock
	@$(LOCK) $(ARGS) pyproject.toml --extra x --extra mastodon --extra apprise --extra webpush --extra notify --extra sinch --constraints requirements-dev.lock --output-file requirements.lock
	@$(LOCK) $(ARGS) --group build --constraints requirements-dev.lock --output-file requirements-build.lock

samples: setup  ## Import every outside roster sample, written nowhere (DIR=folder)
	@$(BIN)/python -m tests.samples $(DIR)

screenshots: setup  ## Take the pictures in docs/pictures anew, and pictures to look at in build/pictures
	@$(BIN)/python -m tests.support.screenshots docs/pictures build/pictures

clean:  ## Remove what was made: .venv, caches
	@rm -rf $(VENV) .venvs build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
