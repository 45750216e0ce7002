# What the steps of action.yml share: where things lie. To be sourced.
#
# GitHub gives GITHUB_ACTION_PATH (this repository), GITHUB_WORKSPACE (the caller's), RUNNER_TEMP, GITHUB_OUTPUT,
# GITHUB_STEP_SUMMARY, GITHUB_EVENT_PATH, GITHUB_REPOSITORY, GITHUB_API_URL.
set -euo pipefail
here=${GITHUB_ACTION_PATH:?set by GitHub}
export REPRO_RESULTS=${RUNNER_TEMP:?set by GitHub}/repro/results
export VENV=${VENV:-$here/.venv}
folder=$RUNNER_TEMP/repro/files
mkdir -p "$REPRO_RESULTS" "$folder"

# A file or folder of the caller's workspace, else of this repository, else the words as they are (a name).
place() {
  local given=$1 root
  for root in "${GITHUB_WORKSPACE:-.}" "$here"; do
    if [ -n "$given" ] && [ -e "$root/$given" ]; then echo "$root/$given"; return; fi
  done
  echo "$given"
}

# A manifest is taken by its path where it is one, else by its name.
manifest() {
  case $INPUT_MANIFEST in
    *.yaml | *.yml | */*) place "$INPUT_MANIFEST" ;;
    *) echo "$INPUT_MANIFEST" ;;
  esac
}
