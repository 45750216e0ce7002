#!/usr/bin/env bash
# Makes requirements/*.lock and docker/*.lock again from pyproject.toml. Needs uv.
#
#   requirements/cuda.lock   what a run needs, with PyPI's build of torch (on Linux: CUDA)
#   requirements/cpu.lock    the same with PyTorch's CPU build on Linux (ci/torch_cpu.lock), nothing of CUDA
#   requirements/dev.lock    what tests, lint, types and packaging need beside one of the two
#
# One of requirements/*.lock serves every platform of pyproject.toml's [tool.uv] environments and Python 3.11 to 3.14: markers
# decide. One of docker/*.lock serves its image alone and names one wheel a package (docker/lock.py).
# Pins that still fit are kept; `ci/lock.sh --upgrade` takes the newest.
set -euo pipefail
cd "$(dirname "$0")/.."
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
compile() {
  env -u UV_FIND_LINKS uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
    --no-annotate --no-emit-index-url --no-emit-find-links --only-binary :all: --quiet "$@"
}
cp requirements/cuda.lock "$made/worker.lock" 2> /dev/null || true
cat requirements/cuda.lock requirements/dev.lock > "$made/all.lock" 2> /dev/null || true
compile pyproject.toml --extra worker -o "$made/worker.lock" "$@"
compile pyproject.toml --extra worker --extra crate --extra completion --extra sign --extra travel --extra dev -c "$made/worker.lock" -o "$made/all.lock" "$@"
.venv/bin/python ci/locks.py "$made/worker.lock" "$made/all.lock"
compile requirements/cuda.lock --no-deps -o "$made/pylock.toml"
.venv/bin/python docker/lock.py "$made/pylock.toml"
echo "if docker/*.lock changed: build the images and record them, .venv/bin/repro images NAME --relock"
