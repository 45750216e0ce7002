"""Two manifests with the same base model and texts of one's own: it is run once, and both are read
together.
"""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from repro.store.database import query

MANIFEST = """
id: {name}
title: {name}
image: local
probe_set: factorial_48
sources:
  notes: {{kind: file, path: notes.jsonl, template: "{{title}}\\n{{body}}", only: {{labels.language: en}}}}
domains: {{notes: [notes]}}
conditions: {{base: {{title: untrained}}}}
training: {{quantisation: {{{quantisation}}}, max_length: 48, compute: float32, heldout: 2}}
arms: [{{models: [tiny-qwen2], conditions: [base], seeds: [0]}}]
"""


def test_it_is_run_once_and_ingested_with_both(
    repro: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    """The control: under another quantisation it is another run."""
    rows = [{"title": f"Note {i}", "body": "Dough rises while yeast turns sugar into gas.", "labels": {"language": "en"}}
            for i in range(6)]  # fmt: skip
    (tmp_path / "notes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, form in (
        ("mine", "format: nf4"),
        ("mine2", "format: nf4"),
        ("other", "format: none, double: false"),
    ):
        (tmp_path / f"{name}.yaml").write_text(MANIFEST.format(name=name, quantisation=form))
    first, second = repro("run", "mine.yaml"), repro("run", "mine2.yaml")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "1 of 1 runs are finished already" in second.stdout
    assert json.loads(repro("plan", "other.yaml", "--json").stdout)[0]["state"] == "new"
    done = repro("ingest")
    assert done.returncode == 0, done.stderr
    results = tmp_path / "results"
    rows_of = (
        "SELECT experiment, status, folder = first(folder) OVER (ORDER BY experiment) FROM runs "
        "ORDER BY ALL"
    )
    assert query(results, rows_of)[1] == [("mine", "done", True), ("mine2", "done", True)]
    assert query(results, "SELECT count(DISTINCT run_id) FROM measurements")[1] == [(1,)]
