PYTHON ?= python3
BIN := .venv/bin

.PHONY: install tune test test-all test-originals lint bench results

install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

tune: install
	$(BIN)/python -m tuner.run --space informer

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

test-all: lint
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# The models of other libraries, whose tests skip without them.
test-originals: install
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[originals]'
	$(BIN)/pytest tests/models tests/contract -k "hf_time_series_transformer or pf_tft or agreement"

bench: install
	$(BIN)/python -m benchmarks

# make results MODEL=dlinear TASK=etth1-24 DATA=folder: each may be left out
results: install
	$(BIN)/python -m benchmarks.results $(addprefix --model ,$(MODEL)) $(addprefix --task ,$(TASK)) $(addprefix --data-dir ,$(DATA))
