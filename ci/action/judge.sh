#!/usr/bin/env bash
# Judge: JUnit, report, and a comment with verdicts and differences, in a folder to upload. The code is an output, not the end
# of the job: what was found is uploaded and said first (gate.sh ends the job).
. "$(dirname "$0")/places.sh"
repro=$VENV/bin/repro name=$(manifest) code=0
words=("$name" --junit "$folder/junit.xml" --all --format markdown)
policy=$(place "${INPUT_POLICY:-}")
[ -z "$policy" ] || words+=(--policy "$policy")
"$repro" verify "${words[@]}" > "$folder/verdicts.md" 2> "$folder/said.txt" || code=$?
cat "$folder/said.txt" >&2
case $code in 0 | 1 | 3) ;; *) exit "$code" ;; esac
"$repro" report "$name" --out "$folder/report.html"

{
  echo "<!-- repro: $INPUT_MANIFEST -->"
  case $code in 0) word="passed" ;; 1) word="failed" ;; *) word="incomplete" ;; esac
  echo "### \`$INPUT_MANIFEST\`: $word"
  echo
  # Where the runner has put things means nothing to a reader.
  sed "s#${GITHUB_WORKSPACE:-$here}/##; s#$here/##" "$folder/said.txt" |
    sed -n 's/^policy .*/&/p; s/^failed: /- failed: /p; s/^incomplete: /- incomplete: /p' | awk 'NR <= 30'
  base=$(place "${INPUT_BASE:-}")
  if [ -d "$base/runs" ]; then
    # Runs of this manifest alone: what else lies there would only be said to be missing here.
    kept=$(mktemp -d)
    mkdir -p "$kept/runs"
    stem=$(basename "${name%.*}")
    for part in "runs/$stem" asked seals; do
      [ ! -e "$base/$part" ] || cp -r "$base/$part" "$kept/$part"
    done
    echo
    echo "#### Against ${INPUT_BASE}"
    echo
    "$repro" diff "$kept" "$REPRO_RESULTS" --markdown || true
    rm -rf "$kept"
  fi
  echo
  echo "<details><summary>Verdicts</summary>"
  echo
  cat "$folder/verdicts.md"
  echo
  echo "</details>"
} > "$folder/comment.md"

cat "$folder/comment.md" >> "$GITHUB_STEP_SUMMARY"
{ echo "code=$code"; echo "folder=$folder"; } >> "$GITHUB_OUTPUT"
