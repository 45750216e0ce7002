#!/usr/bin/env bash
# The package stage: wheel and source archive are built, installed in a bare environment, and used in an empty folder,
# where every command must do as in the checkout; with the [worker] extra runs of the smoke manifest too.
set -euo pipefail
cd "$(dirname "$0")/.."
checkout=$PWD
venv=$(realpath "${VENV:-.venv}")
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

"$venv/bin/python" -m build --no-isolation --outdir "$here/dist" . > "$here/log" 2>&1 || { tail -n 5 "$here/log"; exit 1; }
"$venv/bin/python" -m build --no-isolation --wheel --outdir "$here/again" "$(echo "$here"/dist/*.tar.gz | xargs -I{} sh -c "tar -C $here -xf {} && ls -d $here/repro_harness-*")" \
  > "$here/log" 2>&1 || { tail -n 5 "$here/log"; exit 1; }
cmp "$here"/dist/*.whl "$here"/again/*.whl
echo "package: the wheel and the wheel out of the source archive are the same bytes"

# The same versions as the locked environment, so that only the way of installing differs.
"$venv/bin/python" -m pip list --format=freeze --exclude-editable > "$here/versions"
"$venv/bin/python" -m venv "$here/venv"
install() { "$here/venv/bin/python" -m pip --disable-pip-version-check install --quiet --constraint "$here/versions" "$@"; }
install "$here"/dist/*.whl
mkdir "$here/empty"
"$venv/bin/python" - "$here/empty" <<'PYTHON'
import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])
np.savez(folder / "x.npz", activations=np.random.default_rng(0).standard_normal((24, 60)))
(folder / "y.csv").write_text("domain\n" + "code\nmath\nmedical\n" * 8)
PYTHON
same() {
  local expected=0 code=0
  (cd "$here/empty" && "$venv/bin/repro" "$@" > "$here/checkout.out" 2> /dev/null) || expected=$?
  (cd "$here/empty" && "$here/venv/bin/repro" "$@" > "$here/installed.out") || code=$?
  [ "$code" = "$expected" ] || { echo "package: repro $*: exit $code, in the checkout $expected"; exit 1; }
  "$venv/bin/python" "$checkout/ci/same_output.py" "$here/checkout.out" "$here/installed.out" \
    || { echo "package: repro $*: says something else than in the checkout"; exit 1; }
  echo "package: repro $* as in the checkout (exit $code)"
}
export REPRO_RESULTS=$here/none
same audit --json
same plan smoke --json
same probes check factorial_48
same measure --activations x.npz --labels y.csv --json
same verify --json
same schema lora
(cd "$here/empty" && "$here/venv/bin/repro" report --out "$here/report.html") && grep -q 'id="claims"' "$here/report.html"

install "$(echo "$here"/dist/*.whl)[worker]"
(cd "$here/empty" && REPRO_RESULTS=$here/results REPRO_CACHE=$here/cache "$here/venv/bin/repro" run smoke --only 'tiny-qwen2-*' | tail -n 1)
REPRO_RESULTS=$here/results "$here/venv/bin/repro" ingest
echo "package: with [worker], runs of smoke are made in an empty folder"
