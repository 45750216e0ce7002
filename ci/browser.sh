#!/usr/bin/env bash
# The report in a real Chromium: the carried evidence's page and the page of nothing. A minute on two cores.
#
# Takes the Chromium of CHROMIUM, or one that is installed; as root on Debian it installs the package. 77 where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${VENV:-.venv}/bin/python
find_chromium() { command -v "${CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome || true; }

chromium=$(find_chromium)
if [ -z "$chromium" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
  log=$(mktemp)
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium; } > "$log" 2>&1 \
    || { echo "browser: chromium could not be installed: $(tail -n 1 "$log")"; exit 77; }
  chromium=$(find_chromium)
fi
[ -n "$chromium" ] || { echo "browser: no Chromium is here; install it, or name it in CHROMIUM"; exit 77; }
echo "browser: $("$chromium" --version --no-sandbox 2> /dev/null | head -n 1)"
CHROMIUM=$chromium exec "$python" -m pytest tests/report/page/in_browser.py "$@"
