# `make help` lists the targets. Every target sets up what it needs, once, and says so.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MANIFEST ?= smoke
RUNNER ?= auto
IMAGE ?= cpu
LOCK := requirements/dev.lock
export HF_HUB_DISABLE_TELEMETRY = 1

.PHONY: help setup reproduce test check bench images verify audit lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'
	@echo; echo "  make reproduce MANIFEST=smoke   about three minutes; MANIFEST=laptop about half an hour; both without a GPU"

setup: $(VENV)/.ready ## make .venv from the locked requirements (idempotent)

$(VENV)/.ready: $(LOCK) pyproject.toml
	@echo "repro: setting up $(VENV) from $(LOCK) (a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes -r $(LOCK) || \
	 { echo "repro: the locked packages could not be installed; the +cpu build of torch must be where pip looks (PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS), see README"; exit 2; }
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "repro: $(VENV) is ready"

reproduce: setup ## plan, run, ingest, verify MANIFEST (default smoke); RUNNER=auto|local|docker|slurm, STRICT=1 passes verify's code on
	@STRICT=$(STRICT) RUNNER=$(RUNNER) ci/reproduce.sh $(MANIFEST)

test: setup ## the tests (no GPU, no network beyond package installs)
	@echo "repro: running the tests"
	@$(BIN)/python -m pytest

check: setup ## lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup ## speeds as ratios against peers; prints a table and writes build/bench.json
	@$(BIN)/python -m bench

images: setup ## build the image for workers, IMAGE=cpu|cuda (Docker; no network in the build)
	@$(BIN)/repro images $(IMAGE)

verify: setup ## a verdict for every claim
	@$(BIN)/repro verify

audit: setup ## the papers' printed numbers against each other
	@$(BIN)/repro audit

lock: ## make the lock files again from pyproject.toml (needs uv)
	@ci/lock.sh

clean: ## remove .venv and build/ (never results/)
	rm -rf $(VENV) build
