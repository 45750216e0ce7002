#!/usr/bin/env bash
# The tests on the cores that are here, with how long it takes said first and one line last.
#
#   ci/test.sh [quick] [PYTEST ARGUMENT…]
set -euo pipefail
cd "$(dirname "$0")/.."
python=${VENV:-.venv}/bin/python
if [ "${1:-}" = quick ]; then
  shift
  echo "repro: the tests that start no worker: about ten minutes on two cores"
  exec "$python" -m pytest -n auto --disable-warnings -m "not worker" "$@"
fi
echo "repro: all tests: about forty minutes on two cores, less on more; make test-quick takes a third of it"
exec "$python" -m pytest -n auto --disable-warnings "$@"
