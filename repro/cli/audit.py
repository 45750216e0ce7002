"""`repro audit [PAPER or DIR]`: the printed numbers against each other; nothing is run."""

import argparse
import json
from typing import TYPE_CHECKING

from repro.cli.verbs import take_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repro.audit import Check
    from repro.claims.papers import Paper


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `audit`."""
    verb = verbs.add_parser("audit", help="a paper's numbers against each other; no run needed")
    verb.add_argument(
        "paper",
        nargs="?",
        metavar="PAPER",
        help="a paper's id, its folder anywhere, or a folder that papers lie in; every known "
        "paper when left out",
    )
    verb.add_argument("--all", action="store_true", help="consistent and undecidable checks too")
    take_format(verb)
    verb.add_argument(
        "--json",
        action="store_true",
        help="every check with both values, and how often each kind of check errs",
    )
    verb.set_defaults(run=_audit)


def _audit(arguments: argparse.Namespace) -> int:
    """Print the checks; return 1 when something is inconsistent, else 0.

    Raises ManifestError for an unknown paper or an unreadable file.
    """
    from repro.api.auditing import audit_papers

    audited = audit_papers(arguments.paper)
    _print(audited.checks, audited.papers, arguments)
    return audited.code


def _print(
    checks: "Sequence[Check]", papers: "Sequence[Paper]", arguments: argparse.Namespace
) -> None:
    """Print the checks in the form asked for; all of them in JSON."""
    wanted = [check for check in checks if arguments.all or check.severity != "none"]
    if arguments.json:
        print(json.dumps(_content(checks), ensure_ascii=False, indent=1))
    elif arguments.format == "csv":
        from repro.report.export.audit import print_csv

        print_csv(wanted)
    elif arguments.format == "markdown":
        from repro.report.export.audit import audit_markdown

        print("\n".join(audit_markdown(wanted, checks, papers)))
    elif arguments.format == "latex":
        from repro.report.export.audit import checks_table
        from repro.report.export.tables import print_table

        print_table(checks_table(wanted), "latex")
    else:
        from repro.report.terminal.audit import show_audit
        from repro.report.terminal.console import literal

        show_audit(checks, papers, literal(150), arguments.all)


def _content(checks: "Sequence[Check]") -> dict[str, object]:
    """Return what --json holds: the checks, and the measured accuracy of every kind among them."""
    from repro.audit.accuracy import measured_accuracy

    kinds = {check.check for check in checks}
    known = {
        kind: one.model_dump(mode="json")
        for kind, one in measured_accuracy().items()
        if kind in kinds
    }
    return {"checks": [check.model_dump(mode="json") for check in checks], "accuracy": known}
