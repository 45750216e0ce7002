#!/usr/bin/env bash
# The container stage: build the CPU image without a registry, prove what a worker in it cannot do, and compare the smoke
# manifest's measurements inside the container with the local runner's.
#
#   ci/container.sh [RESULTS_OF_A_LOCAL_SMOKE_RUN]
#
# Starts dockerd when none answers, and stops it after. Prints SKIPPED and why, and exits 77, where it cannot run. Waits for
# another copy of a stage on this machine. BUILD_TWICE=1 also builds the image twice from nothing and compares (5 minutes).
set -euo pipefail
cd "$(dirname "$0")/.."
. ci/engine.sh
local_results=${1:-}
skip() { echo "container stage SKIPPED: $1"; exit 77; }

one_stage_at_a_time "container stage"
if ! command -v dockerd > /dev/null || ! command -v mmdebstrap > /dev/null; then
  [ "$(id -u)" = 0 ] || skip "not root, and dockerd or mmdebstrap is not installed"
  apt-get update -qq > /dev/null 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends docker.io mmdebstrap iptables > /dev/null 2>&1 \
    || skip "packages docker.io and mmdebstrap cannot be installed"
fi

here=$(mktemp -d)
stop() {
  stop_engine
  rm -rf "$here"
}
trap stop EXIT
start_engine "$here/engine.log" || skip "no container engine ($(grep -i 'fail\|error' "$here/engine.log" | tail -n 1))"

# Debian's mirror moves: a base of newer packages is still this image's recipe, but not the recorded content. Say so, and
# test what was built here against a record of its own, which is put back.
cp docker/images.lock "$here/images.lock"
if ! make --no-print-directory images; then
  echo "container stage: not the recorded content (see above); recording this build for this stage alone"
  trap 'cp "$here/images.lock" docker/images.lock; stop' EXIT
  .venv/bin/repro images cpu --relock
fi
if [ "${BUILD_TWICE:-}" = 1 ]; then .venv/bin/repro images cpu --twice; fi
REPRO_REQUIRE_CONTAINERS=1 .venv/bin/python -m pytest tests/execute/test_container.py tests/execute/test_images.py

if [ -n "$local_results" ]; then
  REPRO_RESULTS=$here/results make --no-print-directory reproduce MANIFEST=smoke RUNNER=docker
  .venv/bin/python ci/compare.py smoke "$local_results" "$here/results"
fi
