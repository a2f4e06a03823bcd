# Every target sets up what it needs; a second call installs nothing.
PYTHON  ?= python3
VENV    ?= .venv
PROFILE ?= full
OUT     ?= runs/quickstart
# An index with CPU builds of torch, for machines whose default one only has CUDA builds.
TORCH_INDEX ?=
BIN     = $(VENV)/bin
PIP     = $(BIN)/python -m pip install --quiet --disable-pip-version-check

export OMP_WAIT_POLICY ?= passive
export TOKENIZERS_PARALLELISM ?= false
export HF_HUB_OFFLINE ?= 1

.PHONY: help setup quickstart test test-fast check format bench clean

help:
	@echo "make quickstart   the whole pipeline on a CPU: faces to a scored, chatting model (PROFILE=small is quicker)"
	@echo "make test         all tests            make test-fast   without the slow ones"
	@echo "make check        lint, format, types  make format      mend what can be mended"
	@echo "make bench        the benchmarks       make clean       remove the environment and its caches"

setup: $(VENV)/.ready

# torch first: a later requirement would otherwise pull the CUDA build onto machines that have no GPU.
$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) --requirement constraints.txt
	$(PIP) --constraint constraints.txt --editable '.[train]' --group dev
	touch $@

quickstart: setup
	$(BIN)/emollm quickstart --profile $(PROFILE) --out $(OUT)

# Two workers with one thread each: on two cores, more only wait for each other. A worker that dies ends the run, which
# would otherwise wait for ever for its files.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile --max-worker-restart=0

test: setup
	$(PYTEST)

test-fast: setup
	$(PYTEST) -m "not slow"

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script; done

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
