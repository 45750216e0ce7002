"""Verbs about verdicts: verify, explain."""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from repro.api.asked import asked_claims, papers_option
from repro.api.judging import verdicts_of
from repro.cli.output import note
from repro.cli.verbs import own_path, take_format, take_papers, take_results, take_tables
from repro.plain import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from repro.api.asked import AskedClaims
    from repro.audit import Audited
    from repro.claims.claim import Claim
    from repro.claims.papers import Paper
    from repro.report.terminal.news import News
    from repro.store.check import FolderState
    from repro.verify.policy import Gate
    from repro.verify.verdict import Verdict

TRUSTED = "the store was trusted: it was not compared with the run folders"
_NUMBER = re.compile(r"[-−+]?\d[\d.,]*%?")
"""A number within a print: 0.641 of "0.641 ± 0.099"."""
_WIDTH = 160
"""Columns of what is not shown on a terminal."""
_NOTHING = (
    "no published claim is bound to this manifest: nothing to judge; "
    '`repro sql "SELECT * FROM trajectories"` shows what was measured (docs/manifests.md)'
)
"""Said of a manifest of one's own."""
NO_CLAIM = "no claim is written down in this paper: nothing to judge (docs/your_paper.md)"


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verbs."""
    verify = verbs.add_parser("verify", help="what of the papers holds, in one screen")
    verify.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="a manifest: only the claims it measures; or a paper, by its id or its folder",
    )
    verify.add_argument(
        "--all", action="store_true", help="every claim, those that were not run as well"
    )
    verify.add_argument("--json", action="store_true", help='{"claims": [...], "counts": {...}}')
    verify.add_argument(
        "--junit", metavar="FILE", type=own_path, help="write the verdicts as JUnit XML too"
    )
    verify.add_argument(
        "--policy",
        metavar="FILE",
        type=own_path,
        help="a gate in YAML (`repro schema policy`); its code: 0 passed, 1 failed, 3 incomplete",
    )
    take_tables(verify)
    take_format(verify)
    take_papers(verify)
    take_results(verify)
    verify.add_argument(
        "--deep", action="store_true", help="read every file of evidence again, as ingest does"
    )
    verify.add_argument(
        "--trust-store",
        action="store_true",
        help="judge by the store alone, without comparing it with the run folders",
    )
    verify.add_argument(
        "--trust",
        metavar="KEY",
        type=own_path,
        help="judge only by evidence that this public key signed (`repro attest`); every byte of it "
        "is read, and no store is asked",
    )
    verify.add_argument(
        "--exact-code",
        action="store_true",
        help="accept only evidence of runs by the very sources that lie here",
    )
    verify.set_defaults(run=_verify)
    explain = verbs.add_parser("explain", help="why a claim has its verdict, in plain words")
    explain.add_argument(
        "claim",
        metavar="CLAIM",
        help="a claim's id as `repro verify` shows it, its end, or what is printed: '32%%'",
    )
    take_papers(explain)
    take_results(explain)
    explain.set_defaults(run=_explain)


def _verify(arguments: argparse.Namespace) -> int:
    """Print the verdicts; return 1 if one is contradicted, 3 if something was not run, else 0;
    with a policy, what that says.

    Raises ReproError for bad input and for changed tolerances.
    """
    import gc

    # one short pass over records that refer to each other in one direction: collecting costs a
    # tenth of it
    gc.disable()
    from repro.claims.papers import PAPERS
    from repro.errors import InputError, SetupError
    from repro.execute.folders import results_to_read
    from repro.report.terminal.news import changes, read_last
    from repro.verify.assess import exit_code
    from repro.verify.policy import apply_policy, gate_lines, load_policy

    results = results_to_read(arguments.results)
    asked = asked_claims(arguments.name, arguments.papers)
    claims, everything = asked.claims, asked.everything
    if not everything:
        raise SetupError(
            f"{PAPERS}: found no published claim, expected papers; install repro again, or "
            "check the folder out"
        )
    options = arguments.deep, arguments.trust_store, arguments.exact_code, arguments.json
    policy = load_policy(arguments.policy) if arguments.policy else None
    if arguments.trust_store and arguments.trust:
        raise InputError("--trust-store: found with --trust, expected one of the two")
    with verdicts_of(
        claims, everything, results, asked.given, *options, note, arguments.trust
    ) as found:
        verdicts, audit, compared = found.verdicts, found.audit, found.states
    ids, where = [claim.id for claim in everything], str(arguments.policy)
    gate = apply_policy(policy, ids, verdicts, where) if policy else None
    last = read_last(results)
    if arguments.junit:
        from repro.report.export.junit import write_junit

        write_junit(arguments.junit, verdicts)
    rows = arguments.tables is not None or arguments.format != "table"
    if arguments.json:
        _print_json(verdicts, gate, arguments.trust_store)
    elif rows:
        _print_rows(verdicts, asked, arguments)
    elif not verdicts:
        print(_NOTHING if asked.manifest else NO_CLAIM)
    else:
        _print_screen(verdicts, audit, changes(last, verdicts), asked.folders, arguments)
    if gate and not arguments.json:
        print(plain("\n".join(gate_lines(gate, where))), file=sys.stderr if rows else sys.stdout)
    _keep(results, claims, verdicts, last, compared)
    return gate.code if gate else exit_code(verdicts)


def _print_rows(
    verdicts: "list[Verdict]", asked: "AskedClaims", arguments: argparse.Namespace
) -> None:
    """Print the verdicts as CSV, Markdown or LaTeX, or as a paper's own tables."""
    from repro.claims.papers import papers_once

    sources = {claim.source for claim in asked.claims}
    papers = [paper for paper in papers_once(asked.folders) if paper.id in sources]
    print_listing(verdicts, asked.claims, papers, arguments)


def _print_json(verdicts: "list[Verdict]", gate: "Gate | None", trusted: bool) -> None:
    """Print the verdicts for a program."""
    from repro.verify.assess import counts

    content: dict[str, object] = {
        "claims": [verdict.model_dump(mode="json") for verdict in verdicts],
        "counts": counts(verdicts),
    }
    if trusted:
        content["store"] = TRUSTED
    if gate:
        content["policy"] = gate.record()
    print(json.dumps(content, ensure_ascii=False, indent=1))


def _print_screen(
    verdicts: "list[Verdict]",
    audit: "Audited",
    news: "News",
    folders: tuple[Path, ...],
    arguments: argparse.Namespace,
) -> None:
    """Print the verdicts for a reader; `folders` are the papers' that are no known ones."""
    from repro.report.terminal.console import literal
    from repro.report.terminal.verify import show_verdicts

    console = literal(_WIDTH, highlight=False)
    show_verdicts(
        verdicts, audit, console, news=news, everything=arguments.all, papers=papers_option(folders)
    )
    if arguments.trust_store:
        print(TRUSTED)


def print_listing(
    verdicts: "Sequence[Verdict]",
    claims: "Sequence[Claim]",
    papers: "Sequence[Paper]",
    arguments: argparse.Namespace,
) -> None:
    """Print verdicts as rows, or in the papers' own tables, in the format that is asked for.

    Without --all, rows are those that the screen shows: what was measured, fails or differs.
    """
    from repro.report.export.listings import claims_table, published_tables
    from repro.report.export.tables import print_table, print_tables
    from repro.report.page.claims import tables
    from repro.report.terminal.words import was_measured

    if arguments.tables is not None:
        print_tables([*published_tables(papers, arguments.tables, verdicts)], arguments.format)
        return
    shown = [
        verdict
        for verdict in verdicts
        if arguments.all or was_measured(verdict) or verdict.outcome in ("fails", "differs")
    ]
    lines = [
        line
        for table in tables(shown, {claim.id: claim for claim in claims})
        for line in table.lines
    ]
    print_table(claims_table(lines), arguments.format)


def _keep(
    results: Path,
    claims: "Sequence[Claim]",
    verdicts: "list[Verdict]",
    last: dict[str, str],
    compared: "list[FolderState]",
) -> None:
    """Remember the verdicts, in the store for `repro sql` and beside it for the next call.

    Of an empty store nothing is kept.
    """
    from repro.report.terminal.news import keep_last
    from repro.store.verdicts import has_runs, keep

    if not has_runs(results):
        return
    kept = [verdict.model_dump() for verdict in verdicts]
    for why_not in (keep(results, claims, kept, compared), keep_last(results, last, verdicts)):
        if why_not:
            note(f"the verdicts are not kept: {why_not}")


def _explain(arguments: argparse.Namespace) -> int:
    """Print why a claim has its verdict; return 0 whatever it is. Raises InputError without one."""
    from repro.claims.papers import load_claims, paper_folders
    from repro.execute.folders import results_to_read
    from repro.report.terminal.explain import explanation, named

    everything = load_claims(paper_folders(arguments.papers) if arguments.papers else ())
    meant = _fitting(arguments.claim, everything)
    results = results_to_read(arguments.results)
    with verdicts_of(everything, everything, results, {}, whole=True, tell=note) as found:
        verdicts = {verdict.id: verdict for verdict in found.verdicts}
    if len(meant) == 1:
        print(plain(explanation(meant[0], verdicts[meant[0].id], everything)), end="")
        return 0
    print(
        f"{len(meant)} claims fit {plain(arguments.claim)} by id or by print; give the id of one:"
    )
    for claim in meant:
        print(plain(named(claim, verdicts[claim.id])))
    return 0


def _fitting(wanted: str, everything: "Sequence[Claim]") -> "list[Claim]":
    """Return the claims that are meant: by id, by its last parts, or by what is printed.

    Raises InputError where there is none.
    """
    from repro.errors import InputError
    from repro.names import nearest

    asked = _bare(wanted)
    for means in (
        lambda claim: claim.id == wanted,
        lambda claim: claim.id.endswith(f"/{wanted}"),
        lambda claim: _bare(claim.printed) == asked,
        lambda claim: claim.id.endswith(wanted),
        lambda claim: asked in _NUMBER.findall(_bare(claim.printed)),
    ):
        if found := [claim for claim in everything if means(claim)]:
            return found
    ids = [claim.id for claim in everything]
    raise InputError(
        f"{wanted}: no claim has this id or prints this; {nearest(wanted, ids)}"
        "`repro verify --json` lists all, and --papers DIR reads a paper in a folder of its own"
    )


def _bare(printed: str) -> str:
    """Return printed text without blanks and LaTeX's signs, so that 32 % is 32\\%."""
    return "".join(printed.split()).translate({ord(sign): None for sign in "$\\{}"})
