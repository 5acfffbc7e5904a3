# `make run` starts the farm; `make test` is what CI runs. Settings are RANER_ variables, given in the environment or
# on the command line: `make run RANER_PORT=8100`.

PYTHON := .venv/bin/python
PIP_INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check
SOURCES := $(wildcard benchmarks deploy shared tests training web workers)

.DEFAULT_GOAL := help
.PHONY: help run test soak check fuzz-api styles prepare evaluate benchmark clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: .venv/requirements ## start web page, API, Flower, workers and a private Redis; Ctrl-C ends them
	@exec $(PYTHON) -m deploy.local

test: check ## check the code, find a browser, run all tests; ARGS goes to pytest, as in ARGS=tests/web
	@$(PYTHON) -m tests.support.browser
	@exec $(PYTHON) -m pytest $(ARGS)

soak: .venv/requirements-dev ## run a farm under random faults for minutes and judge it; ARGS as in ARGS="--jobs 500"
	@exec $(PYTHON) -m tests.soak $(ARGS)

check: .venv/requirements-dev ## lint, formatting, types
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check --quiet .
	@$(PYTHON) -m mypy $(SOURCES)

fuzz-api: .venv/requirements-dev ## try 15,000 requests on the farm that runs on RANER_PORT; ARGS goes to schemathesis
	@exec .venv/bin/st --config-file tests/fuzz/schemathesis.toml run $(ARGS) \
	  http://127.0.0.1:$(or $(RANER_PORT),8000)/openapi.json

styles: ## build the page's style sheet from web/styles; needs npm, which nothing else does
	@cd web/styles && npm ci --silent && npm run --silent build

prepare: .venv/requirements ## prepare a model for serving; SOURCE is a ModelScope id or a folder
	@test -n "$(SOURCE)" || { echo "make prepare: give SOURCE=owner/name or SOURCE=folder" >&2; exit 2; }
	@exec $(PYTHON) -m workers.prepare "$(SOURCE)"

evaluate: .venv/requirements-dev ## print the scores of the bundled models; DATA is the folder of the data sets
	@test -n "$(DATA)" || { echo "make evaluate: give DATA=folder, as training/README.md describes it" >&2; exit 2; }
	@exec $(PYTHON) -m training.evaluate --data "$(DATA)"

benchmark: .venv/requirements-dev ## measure everything; DATA is the folder of the data sets, ARGS names benchmarks
	@exec $(PYTHON) -m benchmarks $(if $(DATA),--data "$(DATA)") $(ARGS)

clean: ## remove the virtual environment and caches; prepared models and Redis data (var) stay
	@rm -rf .venv .pytest_cache .hypothesis .mypy_cache .ruff_cache web/styles/node_modules
	@find . -name __pycache__ -prune -exec rm -rf {} +

# Two stamps, touched when everything is installed: nothing is looked at again until a requirements file changes.
.venv/requirements: requirements.txt constraints.txt
	@set -e; python=; \
	for candidate in python3.11 python3; do \
	  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	test -n "$$python" || { \
	  echo "make: Python 3.11 or newer is needed; install python3.11 and python3.11-venv" >&2; exit 1; }; \
	$$python -c 'import ensurepip, venv' 2>/dev/null || { \
	  $$python -c 'import sys; print("make: install python%d.%d-venv, which Python needs here" % sys.version_info[:2])' >&2; \
	  exit 1; }; \
	$(PYTHON) -m pip --version >/dev/null 2>&1 || $$python -m venv --clear .venv; \
	echo "make: installing requirements.txt (minutes the first time)"; \
	$(PIP_INSTALL) -r requirements.txt; \
	touch $@

.venv/requirements-dev: .venv/requirements requirements-dev.txt training/requirements.txt benchmarks/requirements.txt
	@echo "make: installing requirements-dev.txt"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@
