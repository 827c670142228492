# Every developer command; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run demo test chaos check format docs bench lock builder browser

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

# The stamp depends on the locks, so a changed dependency is installed before anything runs.
.venv/.installed: locks/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $@

# What npm writes when it is done; the lock file decides whether it still fits.
NODE_MODULES := builder/node_modules/.package-lock.json
$(NODE_MODULES): builder/package-lock.json
	cd builder && npm ci --loglevel=error
	touch $@

setup: .venv/.installed ## make the virtualenv .venv with everything pinned

run: setup ## start the whole stack on this machine (Ctrl-C stops it)
	$(BIN)/sendout dev

demo: setup ## the main job in one command: send a batch and show what every customer got
	$(BIN)/sendout demo

test: setup browser $(NODE_MODULES) ## the tests, on real PostgreSQL, Temporal, simulator and Chromium
	cd builder && npm test
	$(BIN)/pytest

chaos: setup ## the proofs of "never doubled, never lost", large: SIGKILLs among 1,000 entries
	CHAOS=large $(BIN)/pytest -s tests/chaos

check: setup $(NODE_MODULES) ## format, lint, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd builder && npm run check

format: setup $(NODE_MODULES) ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	cd builder && npm run format

builder: setup $(NODE_MODULES) ## build the Flow Builder from builder/ into api/static/ (needs Node >= 20.19)
	$(BIN)/python -m builder.describe
	cd builder && npm run build
	$(BIN)/python -m builder.stamp

browser: ## install Debian's Chromium for the tests of the pages, unless it is there
	command -v chromium || { apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends chromium; }

docs: setup ## write the pages of docs/ that repeat tables of the code
	$(BIN)/python -m docs.generate

bench: setup ## performance claims as ratios, measured side by side
	$(BIN)/python -m bench

lock: ## pin the dependencies of pyproject.toml again, with hashes
	test -x $(BIN)/uv || { $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet uv; }
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command 'make lock' pyproject.toml -o locks/runtime.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command 'make lock' --extra embedded --group dev pyproject.toml -o locks/dev.txt
