#!/usr/bin/env bash
# Run, ingest, verify one manifest. A contradiction is a result: exit 0 when all runs finished and were judged, whatever
# the verdicts; 3 when some run was left out or failed, after the rest was judged; STRICT=1 passes verify's exit code on.
set -u
name=${1:?usage: ci/reproduce.sh MANIFEST}
repro=${VENV:-.venv}/bin/repro
results=${REPRO_RESULTS:-results}

"$repro" run "$name" --runner "${RUNNER:-auto}" ${ONLY:+--only "$ONLY"}
ran=$?
[ "$ran" -eq 0 ] || [ "$ran" -eq 3 ] || exit "$ran"
"$repro" ingest || exit $?
"$repro" verify "$name"
code=$?
echo "evidence: $results/runs/, store: $results/repro.duckdb"
[ "$code" -eq 2 ] && exit 2
[ "$ran" -eq 3 ] && exit 3
[ "${STRICT:-}" = 1 ] && exit "$code"
exit 0
