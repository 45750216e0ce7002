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
RESULTS ?=
FUZZ_SECONDS ?= 500
FUZZ_SEED ?=
FULL ?=
LIGHT ?=
PARTS ?=
DEVICE ?=
export HF_HUB_DISABLE_TELEMETRY = 1
export PYTHON TORCH VENV

.PHONY: help setup reproduce test test-quick fuzz prints check bench gpu calibrate accuracy images verify audit report evidence pictures notebook structures schemas lock package clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'
	@echo; echo "  make reproduce MANIFEST=smoke   about three minutes; MANIFEST=laptop about half an hour; both without a GPU"
	@echo "  PYTHON=python3.12 names the interpreter, TORCH=cpu|cuda the build of PyTorch, VENV=DIR another place than .venv"

setup: ## make .venv from the locks; TORCH=cpu|cuda chooses PyTorch's build (default: what fits this machine)
	@ci/setup.sh

reproduce: setup ## fetch, run, ingest, verify MANIFEST; RUNNER=auto|local|docker|slurm, ONLY=GLOB some of its runs, STRICT=1 verify's code
	@STRICT=$(STRICT) RUNNER=$(RUNNER) ONLY='$(ONLY)' ci/reproduce.sh "$(MANIFEST)"

test: setup ## every test (no GPU, no network beyond package installs); LIGHT=1 leaves out those of ci/heavy_tests.txt
	@ci/test.sh $(if $(LIGHT),light)

test-quick: setup ## the tests that start no worker: about three minutes, while editing
	@ci/test.sh quick

fuzz: setup ## an hour of inputs nobody meant: each has to be taken, or refused in one line (FUZZ_SECONDS a kind, FUZZ_SEED to repeat)
	@rm -f build/fuzz/counts.txt
	@REPRO_FUZZ_SECONDS=$(strip $(FUZZ_SECONDS)) REPRO_FUZZ_SEED=$(strip $(FUZZ_SEED)) $(BIN)/python -m pytest tests/fuzz -n 2
	@sort build/fuzz/counts.txt

prints: setup ## how the audit reads: 200 papers in every form of print, 200 wrong numbers, 2,000 cells (two minutes)
	@REPRO_PAPERS=200 REPRO_CELLS=2000 $(BIN)/python -m pytest tests/audit/test_every_print.py tests/claims/test_printed_fuzz.py

check: setup ## lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup ## speeds as ratios against peers; prints a table and writes build/bench.json
	@$(BIN)/python -m bench

gpu: ## on a machine with a GPU, eight minutes: correctness, speed, memory; PARTS="smoke 7b" some of it, DEVICE=cpu a rehearsal
	@PARTS='$(PARTS)' DEVICE='$(DEVICE)' ci/gpu.sh

calibrate: setup ## how often each verdict errs: a minute, 1 where a promise is broken; FULL=1 half an hour, writes docs/calibration.md
ifeq ($(FULL),)
	@$(BIN)/python -m calibration
else
	@$(BIN)/python -m calibration --full 1000
	@$(BIN)/python -m calibration --tables
endif

accuracy: setup ## how often each check of the audit errs: two minutes, prints the table; FULL=1 five, writes docs/audit.md too
	@$(BIN)/python -m calibration.audit $(if $(FULL),--full)

images: setup ## build the image for workers, IMAGE=cpu|cuda (Docker; no network in the build)
	@$(BIN)/repro images $(IMAGE)

verify: setup ## what of the papers was measured and holds, in one screen
	@$(BIN)/repro verify

audit: setup ## the papers' printed numbers against each other
	@$(BIN)/repro audit

report: setup ## everything on one page, report.html, which opens from disk (results/, or RESULTS=DIR)
	@$(BIN)/repro report $(if $(RESULTS),--results "$(RESULTS)")

evidence: setup ## the evidence that the repository carries, with a store over it, in build/evidence: something to verify and look at
	@rm -rf build/evidence; $(BIN)/python ci/evidence.py lay build/evidence
	@echo "look at it: $(VENV)/bin/repro verify --results build/evidence, $(VENV)/bin/repro report --results build/evidence"

pictures: evidence ## the pictures of the documents again, from the carried evidence (a Chromium)
	@$(BIN)/repro report --results build/evidence --out build/report.html
	@$(BIN)/python ci/pictures.py build/report.html

notebook: evidence ## execute docs/central_figure.ipynb on the carried evidence and keep its outputs (no Jupyter needed)
	@$(BIN)/python ci/notebook.py docs/central_figure.ipynb

package: setup ## build the wheel and the source archive into build/dist
	@mkdir -p build; $(BIN)/python -m build --no-isolation --outdir build/dist . > build/package.log 2>&1 || { tail -n 3 build/package.log; exit 2; }
	@ls build/dist

structures: setup ## record anew what the known models are built of (repro/plan/structures.json)
	@$(BIN)/python -m repro.machine.record_structures

schemas: setup ## JSON Schemas of the YAML files anew (manifests/schemas), and the first lines that name them
	@$(BIN)/python ci/schemas.py

lock: setup ## make the lock files again from pyproject.toml (needs uv)
	@ci/lock.sh

clean: ## remove .venv and build/ (never results/)
	rm -rf "$(VENV)" build
