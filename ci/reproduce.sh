#!/usr/bin/env bash
# Plan, run, ingest, verify one manifest. A contradiction is a result: exit 0 when all runs finished and were judged,
# whatever the verdicts; STRICT=1 passes verify's exit code on.
set -u
name=${1:?usage: ci/reproduce.sh MANIFEST}
repro=.venv/bin/repro
results=${REPRO_RESULTS:-results}

"$repro" run "$name" --runner "${RUNNER:-auto}" || exit $?
"$repro" ingest || exit $?
"$repro" verify "$name"
code=$?
echo "evidence: $results/runs/$name, store: $results/repro.duckdb"
[ "$code" -eq 2 ] && exit 2
[ "${STRICT:-}" = 1 ] && exit "$code"
exit 0
