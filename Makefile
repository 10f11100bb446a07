# Needs python3 (3.11 or later) and make; uv is used where it is on PATH. `make PYTHON=python3.12 setup` takes another.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test quick check audit bench lock

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## make .venv with what requirements.lock says

demo: setup ## send a made-up campaign to the bundled simulator: no account, nothing to configure
	$(BIN)/bulksend demo

test: setup ## all tests: most of them three at a time (they wait a lot), those that measure time after them
	$(BIN)/python -m pytest -n 3 -m "not alone" $(ARGS)
	$(BIN)/python -m pytest -m alone $(ARGS)

quick: setup ## the tests that start no processes of their own
	$(BIN)/python -m pytest -n 2 -m "not system" $(ARGS)

check: setup ## lint, format, types, import arrows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: setup ## look up known vulnerabilities of what the lock names; needs PyPI itself, a mirror without its database fails
	$(BIN)/uvx pip-audit==2.10.1 --strict --disable-pip --require-hashes --requirement requirements.lock

bench: setup ## measure throughput against the simulator
	$(BIN)/python -m scripts.bench

COMPILE = $(BIN)/uv pip compile --generate-hashes --universal --python-version 3.11 \
  --custom-compile-command "make lock" --quiet $(ARGS)

lock: setup ## renew the three locks from pyproject.toml; ARGS=--upgrade takes newer versions
	$(COMPILE) pyproject.toml --extra dev --output-file requirements.lock
	$(COMPILE) pyproject.toml --no-annotate --constraint requirements.lock --output-file requirements-run.lock
	echo hatchling | $(COMPILE) - --no-annotate --constraint requirements.lock --output-file requirements-build.lock

# The build backend is in the lock too: nothing is installed that the lock does not name.
$(READY): pyproject.toml requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "there is no $(PYTHON): install Python 3.11 or later" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed, and $(PYTHON) is $$($(PYTHON) -V): make PYTHON=python3.11 setup" >&2; exit 1; }
	@if command -v uv >/dev/null; then set -ex; \
	  test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) $(VENV); \
	  uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock; \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
	else \
	  $(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	    { echo "$(PYTHON) can not make a virtual environment: apt-get install python3-venv" >&2; exit 1; }; \
	  set -ex; \
	  test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV); \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .; \
	fi
	@touch $@
