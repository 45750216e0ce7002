"""`repro report [NAME]`: everything on one page of HTML."""

import argparse
from pathlib import Path

from repro.cli.verbs import Verbs, own_path, take_papers, take_results


def add(verbs: Verbs) -> None:
    """Register the verb."""
    verb = verbs.add_parser(
        "report",
        help="one page: verdicts, figures, audit, coverage",
        description="Write one page of HTML that opens from disk and fetches nothing: what was claimed, "
        "what was found, "
        "what it would cost to know more. Without any run it shows what the papers' own prints "
        "say of each other.",
    )
    verb.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="a manifest: only what it measures; or a paper, by its id or its folder",
    )
    verb.add_argument(
        "--out",
        metavar="FILE",
        type=own_path,
        default=Path("report.html"),
        help="default: report.html",
    )
    verb.add_argument(
        "--files", metavar="DIR", type=own_path,
        help="also write figures as SVG and PNG, tables as CSV, Markdown and LaTeX, measured numbers as LaTeX macros",
    )  # fmt: skip
    take_papers(verb)
    take_results(verb)
    verb.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    """Write the page; return 0 whatever the verdicts.

    Raises ReproError for bad input and for evidence that changed.
    """
    import gc

    gc.disable()  # one short pass, as `verify` does
    from repro.api.asked import asked_claims
    from repro.api.judging import verdicts_of
    from repro.claims.papers import papers_once
    from repro.cli.output import note
    from repro.execute.folders import passing_cache, results_to_read
    from repro.files import write_target
    from repro.report.page.content import gather
    from repro.report.page.render import page

    results, asked = (
        results_to_read(arguments.results),
        asked_claims(arguments.name, arguments.papers),
    )
    claims, everything, papers = asked.claims, asked.everything, papers_once(asked.folders)
    given = asked.given
    scope = next(iter(given), arguments.name or "")
    if scope and not asked.manifest:  # a paper, perhaps by its folder
        scope = ", ".join(dict.fromkeys(claim.source for claim in claims)) or Path(scope).name
    with verdicts_of(claims, everything, results, given, tell=note) as found:
        content = gather(
            scope,
            found.verdicts,
            claims,
            papers,
            found.audit,
            found.connection,
            given,
            passing_cache(),
            found.notes,
        )
    write_target(arguments.out, page(content).encode())
    print(
        f"{arguments.out}: {len(content.figures)} figures, {len(found.verdicts):,} claims; open "
        "it in a browser"
    )
    if arguments.files:
        from repro.report.export.files import write_files

        print(f"{arguments.files}: {write_files(arguments.files, content)} files")
    return 0
