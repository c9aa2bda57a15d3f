# What a developer types. Everything is installed below this folder (.venv, node_modules) and only when it is missing.
# Arguments: make test ARGS="-k scheduler", make bench ARGS="start --against HEAD~20", make demo ARGS="path/to/code", make PYTHON=/path/to/python3.12

BIN = .venv/bin
ifeq ($(OS),Windows_NT)
BIN = .venv/Scripts
endif
SOURCES = server tests
BENCHMARKS = redaction text_edits places
SAMPLE = tests/data/sample_project

export PYTHON

.PHONY: help demo test check format bench setup npm clean

help:
	@echo "make demo    review a small sample project, without a key and without a service"
	@echo "make test    run the tests"
	@echo "make check   run the linter, the type checker and the contracts between the layers"
	@echo "make format  format the code"
	@echo "make bench   measure beside other servers; tables go to build/benchmarks"
	@echo "make clean   delete what was installed and built here"

demo:
	@.ci/setup run
	@.ci/demo $(BIN) $(SAMPLE) $(ARGS)

test: setup npm
	$(BIN)/python -m pytest -n auto $(ARGS)

check: setup
	$(BIN)/python -m ruff check $(SOURCES)
	$(BIN)/python -m ruff format --check $(SOURCES)
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/python -m ruff check --fix $(SOURCES)
	$(BIN)/python -m ruff format $(SOURCES)

bench:
	@.ci/setup bench
	$(BIN)/python -m tests.benchmarks $(ARGS)
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m tests.benchmarks.$$name || exit 1; done

setup:
	@.ci/setup dev

npm:
	@.ci/npm-packages

clean:
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find tests editors -name node_modules -type d -prune -exec rm -rf {} +
