#!/usr/bin/env bash
# The tests on the cores that are here, with how long it takes said first and one line last.
#
#   ci/test.sh [quick|light|heavy] [PYTEST ARGUMENT…]
#
# quick: those that start no worker; heavy: those of ci/heavy_tests.txt; light: all but those.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${VENV:-.venv}/bin/python
which=${1:-all}
case $which in
  quick) marks="not worker" say="the tests that start no worker: about three minutes" ;;
  light) marks="not heavy" say="all tests but the heavy ones (ci/heavy_tests.txt): about twenty-five minutes" ;;
  heavy) marks="heavy" say="the heavy tests (ci/heavy_tests.txt): about twenty minutes" ;;
  *) marks="" say="all tests: about forty minutes" which= ;;
esac
[ -z "$which" ] || shift
echo "repro: $say on two cores, less on more"
exec "$python" -m pytest -n auto --disable-warnings ${marks:+-m "$marks"} "$@"
