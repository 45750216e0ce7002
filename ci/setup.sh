#!/usr/bin/env bash
# Finds a Python that fits and lets ci/setup.py make the environment with it. PYTHON=… names one.
set -euo pipefail
cd "$(dirname "$0")/.."
fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'
if [ -n "${PYTHON:-}" ]; then
  candidates=("$PYTHON")
else
  candidates=(python3 python3.11 python3.12 python3.13 python3.14)
fi
seen=
for python in "${candidates[@]}"; do
  command -v "$python" > /dev/null || continue
  if "$python" -c "$fits" 2> /dev/null; then exec "$python" ci/setup.py; fi
  seen="$seen${seen:+, }$python is $("$python" --version 2>&1)"
done
echo "repro: found no Python 3.11 to 3.14 (${seen:-none of ${candidates[*]} is here}); install one, or name it:" \
  "make setup PYTHON=/path/to/python3.12" >&2
exit 2
