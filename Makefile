# What a person types. `make` alone lists the targets.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
BENCHMARKS := $(sort $(wildcard benchmarks/*.py))
SITES := $(sort $(wildcard zensical.*.toml))

.DEFAULT_GOAL := help
.PHONY: help install quickstart test test-slow test-browser test-cluster test-tensorflow check format bench-quick docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/installed-dev ## make .venv and install bertsmith with its tools for development

quickstart: $(VENV)/installed ## install bertsmith alone and run the whole main job (minutes)
	$(BIN)/bertsmith quickstart

test: $(VENV)/installed-dev ## run the tests, a file at a time on each core
	$(BIN)/pytest -n auto --dist loadfile

test-slow: $(VENV)/installed-dev ## run the tests that take more than a minute each
	$(BIN)/pytest -m slow

test-browser: $(VENV)/installed-dev ## run the tests that need headless Chromium
	$(BIN)/pytest -m browser

test-cluster: $(VENV)/installed-cluster ## run the tests on an embedded Ray cluster (installs Ray)
	$(BIN)/pytest -m cluster

test-tensorflow: $(VENV)/installed-dev $(PEERS)/installed ## run the tests against TensorFlow, keras-hub and transformers 4 (installs 3 GB in .venv-peers)
	$(BIN)/pytest -m tensorflow

check: $(VENV)/installed-dev ## lint, format, types, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev ## mend what ruff can mend, and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-quick: ## list the benchmarks, each with what it measures
	@$(foreach file,$(BENCHMARKS),printf '  $(BIN)/python %-36s %s\n' $(file) "$$(sed -n '1s/"""//gp' $(file))";)

docs: $(VENV)/installed-docs ## build the documentation, a site for each language, in site/
	$(foreach config,$(SITES),$(BIN)/zensical build --config-file $(config) &&) true

clean: ## remove caches and built pages; .venv and your runs stay
	rm -rf site dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is as new as the last installation, so that make installs again only when what is to be installed has changed.
$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/installed

$(VENV)/installed-cluster: pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,cluster]'
	@touch $@ $(VENV)/installed-dev $(VENV)/installed

$(VENV)/installed-docs: pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[docs]'
	@touch $@ $(VENV)/installed

$(PEERS)/installed: constraints-peers.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet -c constraints-peers.txt tensorflow-cpu tf_keras keras-hub h5py transformers safetensors
	$(PEERS)/bin/python -m pip install --quiet -c constraints-peers.txt --no-deps tf-models-official gin-config scipy
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "bertsmith needs Python 3.11 or newer; name it: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
