#!/usr/bin/env bash
# Hash-pinned requirements from pyproject.toml, per platform: torch's CPU and CUDA builds have different files.
# UV_FIND_LINKS or UV_EXTRA_INDEX_URL must name a place that has the +cpu build of torch.
set -euo pipefail
cd "$(dirname "$0")/.."
common=(pyproject.toml --python-version 3.11 --python-platform x86_64-manylinux_2_28 --generate-hashes --no-header --no-annotate --no-emit-find-links --no-emit-index-url --quiet)
cpu=$(mktemp)
trap 'rm -f "$cpu"' EXIT
echo "torch==2.13.0+cpu" > "$cpu"
uv pip compile "${common[@]}" --override "$cpu" --extra worker -o requirements/cpu.lock
uv pip compile "${common[@]}" --override "$cpu" --extra worker --extra dev -o requirements/dev.lock
env -u UV_FIND_LINKS uv pip compile "${common[@]}" --extra worker -o requirements/cuda.lock
.venv/bin/python docker/lock.py
echo "if requirements/cpu.lock changed: build the image and record it, .venv/bin/repro images cpu --relock"
