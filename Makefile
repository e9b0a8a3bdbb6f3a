# Everything runs in .venv, which is made on first use with nothing but Python 3.11 to 3.13.
#   make demo   a sick and a healthy training, diagnosed       make test   the tests
#   make check  linters, types, layers, documentation         make docs   the documentation, into site/
#   make corpus how often the diagnosis is right, into docs/accuracy.md (an hour)
#   make foresee how often a check-up is right, into docs/accuracy.md (an hour)
#   make treat-corpus how often a treatment cures, into docs/accuracy.md (some hours)
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The theme advertises its successor otherwise.
export NO_MKDOCS_2_WARNING := 1
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALLED := $(VENV)/.installed
INSTALLED_DOCS := $(VENV)/.installed-docs

.DEFAULT_GOAL := help
.PHONY: help install demo test check docs corpus foresee treat-corpus wheel-test clean

help:
	@sed -n 's/^#   /  /p' Makefile

install: $(INSTALLED)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "gradclinic needs Python 3.11 to 3.13; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# torch goes in first and alone: should a resolver ever look for another version, it would fetch gigabytes.
# A build of the pinned version that is already in .venv is kept, so a machine with an accelerator can bring its own.
$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet --constraint constraints.txt torch
	$(PIP) install --quiet --constraint constraints.txt --editable ".[dev,demo]"
	@touch $@

$(INSTALLED_DOCS): $(INSTALLED)
	$(PIP) install --quiet --constraint constraints.txt --editable ".[docs]"
	@touch $@

demo: $(INSTALLED)
	$(BIN)/gradclinic demo

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2

check: $(INSTALLED) $(INSTALLED_DOCS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict
	$(BIN)/python tools/check_docs.py

docs: $(INSTALLED_DOCS)
	$(BIN)/mkdocs build --strict

corpus: $(INSTALLED)
	$(BIN)/python -m corpus.score

foresee: $(INSTALLED)
	$(BIN)/python -m corpus.trainability.measure --keep $(VENV)/foresee
	$(BIN)/python -m corpus.trainability.score --from $(VENV)/foresee --fit

treat-corpus: $(INSTALLED)
	$(BIN)/python -m corpus.treat.score --keep $(VENV)/treat-corpus

wheel-test: $(INSTALLED)
	$(BIN)/python tools/wheel_test.py

clean:
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
