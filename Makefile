# Every target sets up what it needs: a virtual environment of its own with locked versions, and etamu compiled into it.
# A fresh machine needs python3 (3.11 or newer, with venv), make and a C++ compiler. A second run starts at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
WORKERS ?= 2
PYTEST_ARGS ?=
REPLICATIONS ?= 2000

BENCH := .venv-bench
BENCH_PIP := $(BENCH)/bin/python -m pip --disable-pip-version-check

COMPILED := CMakeLists.txt pyproject.toml $(wildcard src/kernel/*)

.PHONY: help demo test slow bench doctest docs lint types contracts house wheel format lock clean

help:  ## say what each target does
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/installed  ## fit a model to real data, print the summary, draw its components into demo/
	$(BIN)/python -m etamu.cli demo

test: $(VENV)/installed  ## run the tests, in random order, warnings as errors
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

slow: $(VENV)/installed  ## run the simulations that make test leaves out (REPLICATIONS=2000)
	ETAMU_REPLICATIONS=$(REPLICATIONS) $(BIN)/python -m pytest -m slow -n $(WORKERS) $(PYTEST_ARGS)

doctest: $(VENV)/installed  ## run every example in the docstrings
	$(BIN)/python -m pytest --doctest-modules -p no:randomly -q src/etamu

docs: $(VENV)/installed  ## run every example of the pages, then build them into build/docs, warnings as errors
	$(BIN)/python -m pytest --doctest-glob='*.rst' -p no:randomly -q docs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs build/docs
	@echo "The pages are in build/docs/index.html"

lint: $(VENV)/dependencies  ## ruff
	$(BIN)/ruff check .

format: $(VENV)/dependencies  ## let ruff repair what it can and sort the imports
	$(BIN)/ruff check --fix .

types: $(VENV)/installed  ## mypy --strict on src/etamu
	$(BIN)/mypy

contracts: $(VENV)/installed  ## the arrows between the rooms (import-linter)
	$(BIN)/lint-imports --no-cache

house: $(VENV)/dependencies  ## the house rules no other tool knows (tools/house.py)
	$(BIN)/python tools/house.py src/etamu

wheel: $(VENV)/dependencies  ## build a wheel and see that it holds every module, the data and the compiled door
	rm -rf build/wheels
	$(PIP) wheel --quiet --no-build-isolation --no-deps --wheel-dir build/wheels .
	$(BIN)/python tools/wheel.py build/wheels

bench: $(BENCH)/installed  ## time etamu against its rivals: make bench TASKS=small,poisson-dense QUICK=1 (benchmarks/README.md)
	$(BENCH)/bin/python -m benchmarks.run $(if $(TASKS),--tasks '$(TASKS)') $(if $(QUICK),--quick) \
		$(if $(ANYWAY),--anyway) $(BENCH_ARGS)

lock:  ## pin the newest versions that pyproject.toml allows
	$(PYTHON) tools/lock.py requirements/lock.txt

clean:  ## remove the environment and everything built
	rm -rf $(VENV) $(BENCH) build demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "etamu needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/dependencies: requirements/lock.txt | $(VENV)/bin/python
	$(PIP) install --quiet --requirement requirements/lock.txt
	@touch $@

# Editable: a change of a Python file needs no new installation, a change of the C++ does.
# Without build isolation the locked compiler front ends of the environment build it, not whatever is newest today.
$(VENV)/installed: $(COMPILED) $(VENV)/dependencies
	$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

# The rivals live in an environment of their own, etamu in it as a user would have it: compiled, not editable.
$(BENCH)/rivals: benchmarks/requirements.txt benchmarks/requirements-rustystats.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "etamu needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3"; exit 1; }
	test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	$(BENCH_PIP) install --quiet --requirement benchmarks/requirements.txt
	-$(BENCH_PIP) install --quiet --requirement benchmarks/requirements-rustystats.txt || \
		echo "rustystats does not install here: the results will say so"
	@touch $@

$(BENCH)/installed: $(COMPILED) $(shell find src/etamu -name '*.py' -o -name '*.csv') $(BENCH)/rivals
	$(BENCH_PIP) install --quiet --no-build-isolation --no-deps --force-reinstall \
		--config-settings=build-dir=build/bench/wheel .
	@touch $@
