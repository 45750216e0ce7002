"""`repro claims draft FILE`: a paper's tables as a draft of claims, for a person to finish."""

import argparse
import sys

from repro.cli.verbs import Verbs, own_path


def add(verbs: Verbs) -> None:
    """Register the verb."""
    claims = verbs.add_parser("claims", help="a paper's claims, as they are written down")
    actions = claims.add_subparsers(dest="action", required=True, metavar="ACTION")
    draft = actions.add_parser(
        "draft",
        help="the tables of a LaTeX, HTML or Markdown source as a draft of claims",
        description="Print a YAML draft: every table of FILE with each cell's exact characters, and "
        "questions where a "
        "person must decide. Nothing in it counts until its `draft` fields are removed "
        "(docs/your_paper.md).",
    )
    draft.add_argument("file", metavar="FILE", type=own_path, help="a .tex, .html or .md file")
    draft.set_defaults(run=run_draft)


def run_draft(arguments: argparse.Namespace) -> int:
    """Print the draft; name tables that cannot be read on standard error.

    Raises ManifestError where none can be read.
    """
    from repro.claims.draft import draft

    text, problems = draft(arguments.file)
    print(text, end="")
    for problem in problems:
        print(f"repro claims: {arguments.file}: {problem}", file=sys.stderr)
    return 0
