# Every target sets up `.venv` first; that is quick when nothing changed. PYTHON=python3.12 chooses another.
PYTHON ?= python3
BIN := .venv/bin
DEMO ?=
BENCH ?=
FUZZ ?=
CHAOS ?=
QUALITY ?=
CONSOLE := tests/console
# Slow ones first; those of servers wait a lot, and what is quick fills the rest. The last files are short: nobody waits for one.
TESTS ?= tests/cluster tests/crashes tests/e2e tests/nodes tests/bench tests/chaos tests/api tests/unit tests/simulation

# Where this is set, each of a server's dozen processes would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo up test nightly check fuzz chaos quality bench screenshots

setup: .venv/installed

# The copy of pyproject.toml that was installed last tells whether to install again.
.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("SynthGen needs Python 3.11 or newer: make PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@# Python compiles what it imports: to compile all that was installed takes a minute.
	@cmp -s $< $@ || $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --editable '.[demo,dev]'
	@cp $< $@

# What checks the console: TypeScript, and axe-core, which its tests hold it against.
$(CONSOLE)/node_modules/installed: $(CONSOLE)/package-lock.json .venv/installed
	@cmp -s $< $@ || PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-audit --no-fund --ignore-scripts --prefix $(CONSOLE)
	@cp $< $@

demo: setup
	@$(BIN)/python -m synthgen_ray.demo $(DEMO)

up: setup
	@$(BIN)/synthgen up

test: setup $(CONSOLE)/node_modules/installed
	$(BIN)/node --test --test-reporter dot --disable-warning MODULE_TYPELESS_PACKAGE_JSON $(CONSOLE)/*.test.mjs
	$(BIN)/pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder -m 'not nightly' $(TESTS)

# All that takes longer: the rest of the tests, then their long forms.
nightly: setup
	$(BIN)/pytest -m nightly $(TESTS)
	TEST_TABLES=required $(BIN)/pytest tests/quality tests/unit/synthesizers/test_real_marginals.py
	BEHIND_HAPROXY=1 $(BIN)/pytest -m 'not nightly' tests/cluster
	BEHIND_HAPROXY=1 $(BIN)/pytest tests/nodes/test_serve_deploy.py
	$(MAKE) fuzz chaos

check: setup $(CONSOLE)/node_modules/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.manifests
	PATH="$(CURDIR)/$(BIN):$$PATH" $(CONSOLE)/node_modules/.bin/tsc --project $(CONSOLE)

fuzz: setup
	$(BIN)/python -m tests.fuzz $(FUZZ)
	SYNTHGEN_KEYS=50 $(BIN)/pytest tests/api/test_idempotency.py
	SYNTHGEN_DISCONNECTS=1 $(BIN)/pytest tests/cluster/test_disconnects.py

chaos: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.chaos $(CHAOS)

quality: setup
	TEST_TABLES=required $(BIN)/pytest tests/quality
	$(BIN)/python -m tests.quality.published $(QUALITY)

bench: setup
	$(BIN)/python -m tests.bench $(BENCH)

# Of the console, into docs/; needs Chromium.
screenshots: setup
	@$(BIN)/python -m tests.console.screenshots
