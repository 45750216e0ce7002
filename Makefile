# `make help` lists the targets. Every target sets up what it needs, once, and says so.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?=
TORCH ?=
VENV ?= .venv
BIN := "$(VENV)/bin"
MANIFEST ?= smoke
RUNNER ?= auto
ONLY ?=
IMAGE ?= cpu
FUZZ_SECONDS ?= 500
export HF_HUB_DISABLE_TELEMETRY = 1
export PYTHON TORCH VENV

.PHONY: help setup reproduce test test-quick fuzz check bench images verify audit structures lock package clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'
	@echo; echo "  make reproduce MANIFEST=smoke   about three minutes; MANIFEST=laptop about half an hour; both without a GPU"
	@echo "  PYTHON=python3.12 names the interpreter, TORCH=cpu|cuda the build of PyTorch, VENV=DIR another place than .venv"

setup: ## make .venv from the locks; TORCH=cpu|cuda chooses PyTorch's build (default: what fits this machine)
	@ci/setup.sh

reproduce: setup ## fetch, run, ingest, verify MANIFEST; RUNNER=auto|local|docker|slurm, ONLY=GLOB some of its runs, STRICT=1 verify's code
	@STRICT=$(STRICT) RUNNER=$(RUNNER) ONLY='$(ONLY)' ci/reproduce.sh "$(MANIFEST)"

test: setup ## every test (no GPU, no network beyond package installs)
	@ci/test.sh

test-quick: setup ## the tests that start no worker: two minutes, while editing
	@ci/test.sh quick

fuzz: setup ## an hour of inputs nobody meant: each has to be taken, or refused in one line (FUZZ_SECONDS for each kind)
	@rm -f build/fuzz/counts.txt
	@REPRO_FUZZ_SECONDS=$(strip $(FUZZ_SECONDS)) $(BIN)/python -m pytest tests/fuzz -n 2
	@sort build/fuzz/counts.txt

check: setup ## lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup ## speeds as ratios against peers; prints a table and writes build/bench.json
	@$(BIN)/python -m bench

images: setup ## build the image for workers, IMAGE=cpu|cuda (Docker; no network in the build)
	@$(BIN)/repro images $(IMAGE)

verify: setup ## what of the papers was measured and holds, in one screen
	@$(BIN)/repro verify

audit: setup ## the papers' printed numbers against each other
	@$(BIN)/repro audit

package: setup ## build the wheel and the source archive into build/dist
	@mkdir -p build; $(BIN)/python -m build --no-isolation --outdir build/dist . > build/package.log 2>&1 || { tail -n 3 build/package.log; exit 2; }
	@ls build/dist

structures: setup ## record anew what the known models are built of (repro/plan/structures.json)
	@$(BIN)/python -m repro.execute.record_structures

lock: setup ## make the lock files again from pyproject.toml (needs uv)
	@ci/lock.sh

clean: ## remove .venv and build/ (never results/)
	rm -rf "$(VENV)" build
