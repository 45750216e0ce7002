"""`repro probes check [SET]`: is a probe set worth measuring with?

Exit 1 when it breaks a limit that it declares.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from repro.cli.verbs import own_path, take_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repro.probecheck import Report


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verb."""
    probes = verbs.add_parser("probes", help="the labelled texts that activations are measured on")
    actions = probes.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser(
        "check", help="balance, duplicates, leaks, and what simple baselines read from a set"
    )
    check.add_argument(
        "set",
        nargs="?",
        metavar="SET",
        help="name or folder of one set (default: every set of ours)",
    )
    check.add_argument(
        "--activations",
        type=own_path,
        metavar="X.npz",
        help="a model's activations of SET: key `activations`, rows in file order",
    )
    take_format(check)
    check.set_defaults(run=run_check)


def run_check(arguments: argparse.Namespace) -> int:
    """Check one set, or all of ours."""
    from repro.errors import InputError
    from repro.manifest.probes import declared, load_probe_set, probe_set_names
    from repro.measure import read_activations
    from repro.probecheck import check

    activations: Path | None = arguments.activations
    if activations and not arguments.set:
        raise InputError(
            f"{activations}: activations belong to one set; name it: repro probes check SET "
            "--activations …"
        )
    X = read_activations(activations) if activations else None
    here = [name for name in probe_set_names() if declared(name).materialised]
    reports = [
        check(load_probe_set(name), X) for name in ([arguments.set] if arguments.set else here)
    ]
    if arguments.format != "table":
        _list(reports, arguments.format)
        return 0 if all(report.holds for report in reports) else 1
    for report in reports:
        _show(report)
    for name in () if arguments.set else sorted(set(probe_set_names()) - set(here)):
        print(f"{name}: a recipe whose texts are not here; not checked")
    return 0 if all(report.holds for report in reports) else 1


def _list(reports: "Sequence[Report]", form: str) -> None:
    """Print a row for each finding of each set."""
    from repro.report.export.tables import TextTable, as_text, print_table

    words = {True: "holds", False: "broken", None: "open"}
    rows = as_text(
        (report.id, one.check, one.subject, one.found, one.limit, words[one.holds])
        for report in reports
        for one in report.findings
    )
    print_table(TextTable("probes", ("set", "check", "of", "found", "limit", ""), rows), form)


def _show(report: "Report") -> None:
    """Print what was found, beside its limit, then what each readout reads."""
    from rich.table import Table
    from rich.text import Text

    from repro.report.terminal.console import literal

    console, name = literal(80), report.id
    findings = Table(
        "check",
        "of",
        "found",
        "limit",
        "",
        title=f"{name}, {report.n} probes",
        title_justify="left",
    )
    for finding in report.findings:
        mark = {
            True: Text("holds", "green"),
            False: Text("BROKEN", "red"),
            None: Text("open", "yellow"),
        }[finding.holds]
        findings.add_row(finding.check, finding.subject, finding.found, finding.limit, mark)
    accuracy = Table(
        "leave-one-out accuracy from",
        *report.chance,
        title="What can be read",
        title_justify="left",
    )
    for given, values in {"chance": report.chance, **report.accuracy}.items():
        accuracy.add_row(given, *(f"{values[concept]:.3f}" for concept in report.chance))
    console.print(findings, accuracy, f"content {report.content_hash}")
    unchecked = sum(finding.holds is None for finding in report.findings)
    hint = (
        f"; {unchecked} are open until a model's activations are given (--activations X.npz)"
        if unchecked
        else ""
    )
    console.print(
        f"{name}: {'every limit checked holds' if report.holds else 'a limit is broken'}{hint}\n"
    )
