#!/usr/bin/env bash
# The cluster stage: a real slurmctld, slurmd and munged on this one machine, started here and stopped after.
#
#   ci/slurm.sh [RESULTS_OF_A_LOCAL_SMOKE_RUN]
#
# Kills and requeues jobs, bare and in a container where an engine and the image are at hand (tests/execute/test_slurm.py),
# then runs the smoke manifest through sbatch and compares its measurements with the local runner's. Prints SKIPPED and
# why, and exits 77, where the services cannot run. Waits for another copy of a stage on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
. ci/engine.sh
local_results=${1:-}
skip() { echo "slurm stage SKIPPED: $1"; exit 77; }

one_stage_at_a_time "slurm stage"
if ! command -v slurmctld > /dev/null || ! command -v munged > /dev/null; then
  [ "$(id -u)" = 0 ] || skip "not root, and slurmctld or munged is not installed"
  apt-get update -qq > /dev/null 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends slurm-wlm munge > /dev/null 2>&1 \
    || skip "packages slurm-wlm and munge cannot be installed"
fi
[ "$(id -u)" = 0 ] || skip "not root: slurmd needs it"

here=$(mktemp -d)
chmod 755 "$here"
processes=()
stop() {
  stop_engine
  for process in "${processes[@]}"; do kill "$process" 2> /dev/null || true; done
  for process in "${processes[@]}"; do wait "$process" 2> /dev/null || true; done
  rm -rf "$here"
}
trap stop EXIT

host=$(hostname -s)
cores=$(nproc)
memory=$(($(awk '/MemTotal/ {print $2}' /proc/meminfo) / 1024 - 512))
mkdir "$here/state" "$here/spool"
head -c 1024 /dev/urandom > "$here/munge.key"
chmod 400 "$here/munge.key"
cat > "$here/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$here/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation=$here/state
SlurmdSpoolDir=$here/spool
SlurmctldPidFile=$here/slurmctld.pid
SlurmdPidFile=$here/slurmd.pid
SlurmctldPort=16817
SlurmdPort=16818
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
TaskPluginParam=Cores
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
KillWait=5
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cores RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$here/slurm.conf

munged --foreground --force --socket="$here/munge.socket" --key-file="$here/munge.key" --log-file="$here/munge.log" \
  --pid-file="$here/munge.pid" --seed-file="$here/munge.seed" > "$here/munged.out" 2>&1 8<&- &
processes+=($!)
for _ in $(seq 50); do [ -S "$here/munge.socket" ] && break; sleep 0.1; done
[ -S "$here/munge.socket" ] || skip "munged does not start ($(tail -n 1 "$here/munged.out" "$here/munge.log" 2> /dev/null | tail -n 1))"
slurmctld -D > "$here/slurmctld.out" 2>&1 8<&- &
processes+=($!)
slurmd -D -N "$host" > "$here/slurmd.out" 2>&1 8<&- &
processes+=($!)
for _ in $(seq 60); do sinfo --noheader --format=%t 2> /dev/null | grep -q idle && break; sleep 0.5; done
sinfo --noheader --format=%t 2> /dev/null | grep -q idle \
  || skip "slurmctld or slurmd does not start ($(grep -hi error "$here/slurmctld.out" "$here/slurmd.out" | tail -n 1))"
echo "slurm: $(sinfo --version), one node, $cores cores"

start_engine "$here/engine.log" || echo "no container engine: jobs run bare only"
if [ "${1:-}" = --shell ]; then shift; "$@"; exit; fi
REPRO_REQUIRE_SLURM=1 "${VENV:-.venv}"/bin/python -m pytest tests/execute/test_slurm.py

if [ -n "$local_results" ]; then
  REPRO_RESULTS=$here/results make --no-print-directory reproduce MANIFEST=smoke RUNNER=slurm
  "${VENV:-.venv}"/bin/python ci/compare.py smoke "$local_results" "$here/results"
fi
