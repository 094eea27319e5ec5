# The front door. Everything else is behind it; see README.md.
.DEFAULT_GOAL := help
.PHONY: help run test test-all lab lint types bench promises lock ui wheel clean

# The first Python that is new enough; `make PYTHON=…` names another.
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
ifeq ($(PYTHON),)
$(error Python 3.11 or newer is needed: install it (Debian: apt-get install python3 python3-venv), or say make PYTHON=/path/to/python)
endif

# Paths stay relative: the folder may be called anything, blanks and all.
VENV := .venv/bin/python
PACKAGES := qa ingest scoring speech
PYTEST := $(VENV) -m pytest -n auto --maxprocesses 4 --dist loadfile
ARGS ?=

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: ## install, play the demo calls, score them, then serve the screens until Ctrl-C
	@$(PYTHON) deploy/run.py $(ARGS)

test: ## lint and all tests that fit into ten minutes
	@$(PYTHON) deploy/bootstrap.py test
	@$(PYTHON) deploy/ui.py build --tidy
	@$(MAKE) --no-print-directory types
	@$(PYTEST) -m 'not slow and not model' $(ARGS)

test-all: ## lint and every test
	@$(PYTHON) deploy/bootstrap.py test bench
	@$(PYTHON) deploy/ui.py build --tidy
	@$(MAKE) --no-print-directory types
	@$(PYTEST) $(ARGS)

lab: ## tests against a real switchboard and phones; says what is missing, installs nothing (LAB=folder)
	@$(PYTHON) deploy/bootstrap.py test
	@$(VENV) -m tests.lab missing
	@$(PYTHON) deploy/ui.py build --tidy
	@$(VENV) -m tests.lab build
	@$(VENV) -m pytest -m lab -rs $(ARGS); ended=$$?; $(VENV) -m tests.lab results; exit $$ended

lint: ## ruff, mypy strict, types of the screens
	@$(PYTHON) deploy/bootstrap.py test
	@$(MAKE) --no-print-directory types

types:
	@$(VENV) -m ruff check .
	@$(VENV) -m mypy $(PACKAGES) deploy
	@$(PYTHON) deploy/ui.py check

bench: ## the published figures, each beside its peer
	@$(PYTHON) deploy/bootstrap.py base bench
	@$(VENV) -m qa.cli bench $(ARGS)

promises: ## what is promised of durability, proved on this machine: pass, fail or inconclusive (15 minutes)
	@$(PYTHON) deploy/bootstrap.py test
	@$(VENV) -m tests.promises $(ARGS)

lock: ## write requirements/*.txt anew from pyproject.toml (ARGS=--upgrade for newer versions)
	@$(PYTHON) deploy/bootstrap.py base
	@$(PYTHON) deploy/lock.py $(ARGS)

ui: ## build the screens
	@$(PYTHON) deploy/bootstrap.py base
	@$(PYTHON) deploy/ui.py build

wheel: ui ## dist/*.whl with the screens inside
	@$(PYTHON) deploy/bootstrap.py test
	@$(VENV) -m build --wheel --no-isolation

clean: ## remove everything that make has made (no data of a site)
	rm -rf .venv .build dist qa/web/static qa/web/ui/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find $(PACKAGES) tests deploy -name __pycache__ -type d -prune -exec rm -rf {} +
