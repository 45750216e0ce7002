#!/usr/bin/env bash
# The container stage: build the CPU image without a registry, prove what a worker in it cannot do, and compare the smoke
# manifest's measurements inside the container with the local runner's.
#
#   ci/container.sh [RESULTS_OF_A_LOCAL_SMOKE_RUN [RESULTS_TO_KEEP]]
#
# Starts dockerd when none answers, and stops it after. Prints SKIPPED and why, and exits 77, where it cannot run. Waits for
# another copy of a stage on this machine. BUILD_TWICE=1 also builds the image twice from nothing and compares (6 minutes).
set -euo pipefail
cd "$(dirname "$0")/.."
. ci/engine.sh
local_results=${1:-}
skip() { echo "container stage SKIPPED: $1"; exit 77; }

one_stage_at_a_time "container stage"
install_engine || skip "no dockerd here, and docker.io cannot be installed (root and a Debian mirror are needed)"

here=$(mktemp -d)
kept=${2:-$here/results}
stop() {
  stop_engine
  rm -rf "$here"
}
trap stop EXIT
start_engine "$here/engine.log" || skip "no container engine ($(grep -i 'fail\|error' "$here/engine.log" | tail -n 1))"

build_or_moved cpu
if [ "${BUILD_TWICE:-}" = 1 ]; then "${VENV:-.venv}"/bin/repro images cpu --twice; fi
export REPRO_REQUIRE_CONTAINERS=1
"${VENV:-.venv}"/bin/python -m pytest tests/execute/test_container.py tests/execute/images/test_build.py tests/execute/images/test_content.py \
  tests/execute/images/test_archive.py tests/execute/images/test_base_lock.py tests/execute/images/test_debs.py tests/execute/images/test_rootfs.py \
  tests/execute/images/test_registry.py tests/machine/test_moved.py

if [ -n "$local_results" ]; then
  REPRO_RESULTS=$kept make --no-print-directory reproduce MANIFEST=smoke RUNNER=docker
  "${VENV:-.venv}"/bin/python ci/compare.py smoke "$local_results" "$kept"
fi
