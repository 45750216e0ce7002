#!/usr/bin/env bash
# Run, ingest, verify one manifest. A contradiction is a result: exit 0 when all runs finished and were judged, whatever
# the verdicts; 3 when some run was left out or failed, after the rest was judged; STRICT=1 passes verify's exit code on.
set -u
name=${1:?usage: ci/reproduce.sh MANIFEST}
repro=${VENV:-.venv}/bin/repro
results=${REPRO_RESULTS:-results}

# 3: something is missing (a run failed or was left out, a folder cannot be trusted); what is whole is judged, and the
# end is 3 too.
incomplete=0
"$repro" run "$name" --runner "${RUNNER:-auto}" ${ONLY:+--only "$ONLY"}
code=$?
[ "$code" -eq 3 ] && incomplete=3
[ "$code" -eq 0 ] || [ "$code" -eq 3 ] || exit "$code"
"$repro" ingest
code=$?
[ "$code" -eq 3 ] && incomplete=3
[ "$code" -eq 0 ] || [ "$code" -eq 3 ] || exit "$code"
"$repro" verify "$name"
code=$?
echo "evidence: $results/runs/, store: $results/repro.duckdb"
[ "$code" -eq 2 ] || [ "$code" -gt 100 ] && exit "$code"
[ "${STRICT:-}" = 1 ] && [ "$code" -ne 0 ] && exit "$code"
exit "$incomplete"
