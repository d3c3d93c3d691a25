# Everything a developer does here, with Python >= 3.11 (with venv) and make, nothing else.
# Choose another interpreter with `make PYTHON=python3.12 …`; ports with `make dev WEB_PORT=9000`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SOURCES := domain application adapters workflows sandbox bench tests tools
# Two processes of pytest; the later option wins: `make test ARGS="-n 0"` is one.
PARALLEL := -n 2
ARGS ?=
BASE ?= origin/main
# The one check that has to run on any Python: the tools need the version that it asks for.
define OLD_PYTHON
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "Slotkeeper needs Python 3.11 or newer, and '$(PYTHON)' is not:" \
		"name another one with 'make PYTHON=python3.12'." >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help install dev demo test faults bench-tokens bench-ingest bench-availability lint language format \
	check-commits lock sbom dist clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: $(INSTALLED) ## Start everything on this machine; Ctrl-C stops it
	@exec $(BIN)/slotkeeper dev --stop-with-parent $(ARGS)

demo: $(INSTALLED) ## Start everything on free ports, walk through it, stop
	@exec $(BIN)/slotkeeper demo $(ARGS)

test: $(INSTALLED) ## Run every test; ARGS are pytest's
	$(BIN)/pytest $(PARALLEL) $(ARGS)

faults: $(INSTALLED) ## Break things at full size and say what held; ARGS are scenarios' names
	$(BIN)/python -m tests.faults $(ARGS)

bench-tokens: $(INSTALLED) ## Measure what keeping tokens costs; ARGS are parts and --rows, --many …
	$(BIN)/python -m bench.tokens $(ARGS)

bench-ingest: $(INSTALLED) ## Measure what taking in webhooks costs; ARGS are --requests, --rounds …
	$(BIN)/python -m bench.ingest $(ARGS)

bench-availability: $(INSTALLED) ## Measure reads, cold users, a day, the sync, an outage; ARGS are parts and --scale
	$(BIN)/python -m bench.availability $(ARGS)

lint: $(INSTALLED) ## Check the locks, the bill of materials, style, types, the direction of imports, and the language
	$(BIN)/python -m tools.lock_check
	$(BIN)/python -m tools.sbom --check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.plain_english

language: $(INSTALLED) ## Check only that the prose is plain English; ARGS are paths and --summary
	$(BIN)/python -m tools.plain_english $(ARGS)

format: $(INSTALLED) ## Rewrite the code in its standard form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(INSTALLED) ## Make the environment from the hashed lock; the others do it as needed

# Written last: after an interrupted installation it is missing, so the next one begins again.
$(INSTALLED): requirements-dev.lock pyproject.toml
	$(OLD_PYTHON)
	@$(PYTHON) -m tools.install --environment $(VENV)

check-commits: $(INSTALLED) ## Check that every commit since BASE (origin/main) imports and passes ruff
	@$(BIN)/python -m tools.commit_check $(BASE)

lock: ## Make both locks from pyproject.toml; ARGS are --upgrade, --upgrade-package NAME
	$(OLD_PYTHON)
	@$(PYTHON) -m tools.lock $(ARGS)

sbom: $(INSTALLED) ## Write the bill of materials and the list of licenses of the production lock
	@$(BIN)/python -m tools.sbom

dist: $(INSTALLED) ## Build the wheels and the source archive of HEAD, twice, and compare
	@$(BIN)/python -m tools.distribution

clean: ## Remove the environment and the caches, but not the data in .slotkeeper/
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache .coverage .coverage.*
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
