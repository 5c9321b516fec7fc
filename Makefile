# wangge: `make demo` shows the made-up county, `make test` runs everything. Both set up a fresh machine by themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2

.PHONY: demo test check bench install system clean

demo: $(VENV)/installed
	$(BIN)/wangge demo $(DEMO)

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("wangge needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.'
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

# A browser, a PostgreSQL with PostGIS and a Chinese font, where we may install them (Debian, root); the tests that need
# them are skipped loudly elsewhere, and fail under CI=true.
system:
	@sh tests/system.sh

test: system $(VENV)/installed-test
	$(PYTEST) -n $(WORKERS) --dist loadgroup --durations=15 $(TESTS)

check: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) -q tests/test_architecture.py

bench: system $(VENV)/installed-test
	$(BIN)/python tests/bench/run.py $(BENCH)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .screenshots
