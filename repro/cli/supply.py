"""`repro supply PAPER FOLDER --by NAME`: what authors sent, as evidence of a grade of its own."""

import argparse
import json
import shlex
import sys

from repro.cli.verbs import Verbs, own_path, take_results

_SHOWN = 20
"""Lines of one kind that are shown one by one."""


def add(verbs: Verbs) -> None:
    """Register `supply`."""
    verb = verbs.add_parser(
        "supply",
        help="take in what a paper's authors sent: values, activations, adapters",
        description="Read a folder that a paper's authors sent (docs/supply_authors.md), measure "
        "what can be measured of it, and keep it as evidence of the grade `supplied`. "
        "`repro verify` then says which claims are consistent with the authors' own files; "
        "nothing of it is ever called reproduced.",
    )
    verb.add_argument(
        "paper",
        metavar="PAPER",
        help="a paper under manifests/papers, or a folder with a paper.yaml",
    )
    verb.add_argument("folder", metavar="FOLDER", type=own_path, help="the folder they sent")
    verb.add_argument("--by", metavar="NAME", required=True, help="who sent it")
    verb.add_argument(
        "--json", action="store_true", help="what was taken and what was told, as JSON"
    )
    take_results(verb)
    verb.set_defaults(run=_supply)


def _supply(arguments: argparse.Namespace) -> int:
    """Take the folder in.

    Return 1 where its files contradict its own values, else 3 where seeds are missing, else 0.
    Raises InputError for a folder that cannot be taken.
    """
    from repro.claims.papers import find_paper
    from repro.evidence.lock import exclusive
    from repro.execute.folders import results_folder
    from repro.store.ingest import ingest
    from repro.supply.take import take_in

    paper, results = (
        find_paper(arguments.paper, numbers_alone=True),
        results_folder(arguments.results),
    )
    with exclusive(results, "supply"):
        taken = take_in(paper, arguments.folder, results, arguments.by)
    with exclusive(results, "ingest"):
        refused = ingest(results).refused
    for kind in (taken.disagreements, taken.missing, taken.doubts, taken.notes, refused):
        for line in kind[:_SHOWN]:
            _note(line)
        if len(kind) > _SHOWN:
            _note(f"and {len(kind) - _SHOWN} more such lines")
    measured = sum(row.measured is not None for row in taken.laid.rows)
    stated = sum(row.stated is not None for row in taken.laid.rows)
    if arguments.json:
        content = {
            "paper": paper.id,
            "grade": "supplied",
            "by": taken.record.by,
            "supplied": taken.record.supplied,
            "folder": str(taken.folder),
            "files": taken.record.files,
            "values": {"stated": stated, "measured": measured, "compared": taken.laid.compared},
            "claims": taken.judged,
            "disagreements": list(taken.disagreements),
            "missing": list(taken.missing),
            "doubts": list(taken.doubts),
            "notes": list(taken.notes),
        }
        print(json.dumps(content, ensure_ascii=False, indent=1))
    else:
        print(
            f"{taken.folder}: {len(taken.record.files)} files of {taken.record.by}, "
            f"{stated} values stated, {measured} measured here, {taken.laid.compared} compared, "
            f"{len(taken.disagreements)} of these differ\n"
            f"{taken.judged} claims of {paper.id} have values in it; "
            f"`repro verify {_asked(arguments.paper)}` judges them (grade supplied: consistent "
            "with the authors' own files or not, never reproduced)"
        )
    return 1 if taken.disagreements else 3 if taken.missing else 0


def _asked(paper: str) -> str:
    """Return the name by which `verify` takes a paper: its folder where a manifest is called so."""
    from repro.claims.papers import known_papers
    from repro.manifest.load import find_manifest

    folder = known_papers().get(paper)
    return shlex.quote(str(folder) if folder and find_manifest(paper) else paper)


def _note(words: str) -> None:
    from repro.plain import one_line

    print(f"repro supply: {one_line(words)}", file=sys.stderr)
