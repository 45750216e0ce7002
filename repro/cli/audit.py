"""`repro audit [PAPER]`: the printed numbers against each other; nothing is run."""

import argparse
import json
from pathlib import Path


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `audit`."""
    verb = verbs.add_parser("audit", help="a paper's numbers against each other; no run needed")
    verb.add_argument(
        "paper",
        nargs="?",
        help="a paper under manifests/papers, or a folder with a paper.yaml (audited alone); every paper when left out",
    )
    verb.add_argument("--json", action="store_true", help='{"checks": [...]}: every check with both values')
    verb.set_defaults(run=audit)


def audit(arguments: argparse.Namespace) -> int:
    """1 when something is inconsistent, else 0. Raises ManifestError for an unknown paper or an unreadable file."""
    from repro.errors import ManifestError
    from repro.manifest.papers import load_paper, load_papers
    from repro.shipped import places
    from repro.verify.audit import audit as run_audit

    papers = list(load_papers())
    chosen = [paper for paper in papers if arguments.paper in (None, paper.id)]
    if not chosen:
        named = (*(place / arguments.paper for place in places("manifests/papers")), Path(arguments.paper))
        folder = next((folder for folder in named if (folder / "paper.yaml").is_file()), None)
        if folder is None:
            known = ", ".join(paper.id for paper in papers)
            raise ManifestError(
                f"{arguments.paper}: no such paper; known are {known}; or give a folder with a paper.yaml"
            )
        papers = chosen = [load_paper(folder)]
    names = {paper.id for paper in chosen}
    checks = [
        check for check in run_audit([claim for paper in papers for claim in paper.claims]) if names & set(check.papers)
    ]
    if arguments.json:
        print(json.dumps({"checks": [check.model_dump(mode="json") for check in checks]}, ensure_ascii=False, indent=1))
    else:
        from repro.report.audit import show
        from repro.report.console import literal

        show(checks, chosen, literal(150))
    return int(any(check.verdict == "inconsistent" for check in checks))
