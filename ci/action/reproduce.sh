#!/usr/bin/env bash
# Set up, fetch, run, ingest. Runs that are missing (3) are the next step's to judge; anything else ends the job.
. "$(dirname "$0")/places.sh"
code=0
make -C "$here" reproduce "MANIFEST=$(manifest)" "RUNNER=${INPUT_RUNNER:-auto}" "ONLY=${INPUT_ONLY:-}" || code=$?
echo "results=$REPRO_RESULTS" >> "$GITHUB_OUTPUT"
# make ends with 2 whatever its recipe ended with: what was run is told from the store.
[ "$code" -eq 0 ] || [ -f "$REPRO_RESULTS/repro.duckdb" ] || exit "$code"
