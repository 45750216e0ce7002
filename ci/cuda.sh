#!/usr/bin/env bash
# The CUDA image's stage: build it without a registry, run the smoke manifest in it without a GPU, and compare every number
# bit for bit with the local runner's and the CPU image's; make a Triton launcher inside.
#
#   ci/cuda.sh RESULTS_OF_A_LOCAL_SMOKE_RUN RESULTS_OF_ONE_IN_THE_CPU_IMAGE
#
# 2.8 GB of wheels, 25 GB of disk while it builds, about ten minutes. Prints SKIPPED and why, and exits 77, where it cannot
# run.
set -euo pipefail
cd "$(dirname "$0")/.."
. ci/engine.sh
skip() { echo "CUDA image stage SKIPPED: $1"; exit 77; }

begin=$SECONDS
one_stage_at_a_time "CUDA image stage"
install_engine || skip "no dockerd here, and docker.io cannot be installed (root and a Debian mirror are needed)"
free=$(($(df --output=avail -k . | tail -n 1) / 1048576))
[ "$free" -ge 26 ] || skip "$free GiB of disk are free, building takes 25"

here=$(mktemp -d)
stop() {
  stop_engine
  rm -rf "$here"
}
trap stop EXIT
start_engine "$here/engine.log" || skip "no container engine ($(grep -i 'fail\|error' "$here/engine.log" | tail -n 1))"

if ! build_or_moved cuda > >(tee "$here/build.log") 2>&1; then
  grep -q "could not be downloaded" "$here/build.log" && skip "the CUDA wheels cannot be had here (see above)"
  exit 1
fi
REPRO_REQUIRE_CUDA_IMAGE=1 "${VENV:-.venv}"/bin/python -m pytest tests/execute/images/test_cuda_image.py

sed 's/^image: .*/image: cuda/' manifests/smoke.yaml > "$here/smoke.yaml"
"${VENV:-.venv}"/bin/repro run "$here/smoke.yaml" --runner docker --results "$here/results"
for other in "$@"; do
  if [ -d "$other/runs/smoke" ]; then "${VENV:-.venv}"/bin/python ci/compare.py smoke "$other" "$here/results" exact; fi
done
echo "CUDA image stage: $((SECONDS - begin)) s, $((free - $(df --output=avail -k . | tail -n 1) / 1048576)) GiB of disk kept"
