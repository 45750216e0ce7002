#!/usr/bin/env bash
# What a card computes, how fast, in how much memory: PARTS="smoke 7b" some of it, DEVICE=cpu a rehearsal on the processor.
# A machine without a network unpacks a bundle (python -m bench.gpu.bundle): its site/ holds the packages that it lacks, and its
# cache/ the models and texts of the smoke manifest. Elsewhere the environment of `make setup` is used.
set -u
cd "$(dirname "$0")/.."
if [ -d site ]; then
  python=${PYTHON:-python3}
  export PYTHONPATH="$PWD/site${PYTHONPATH:+:$PYTHONPATH}"
  export REPRO_CACHE=${REPRO_CACHE:-$PWD/cache}
else
  ci/setup.sh || exit
  python=${VENV:-.venv}/bin/python
fi
[ "${DEVICE:-}" = cpu ] && set -- --rehearse "$@"
# shellcheck disable=SC2086  # PARTS is a list of words
exec "$python" -m bench.gpu ${PARTS:-} "$@"
