"""Verbs about verdicts: verify, explain."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from repro.cli.verbs import own_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from repro.manifest.claim import Claim
    from repro.manifest.experiment import Experiment
    from repro.store.check import FolderState
    from repro.verify.audit import Audited
    from repro.verify.structure import Structures
    from repro.verify.verdict import Verdict

TRUSTED = "the store was trusted: it was not compared with the run folders"
WIDTH = 160
"""Columns of what is not shown on a terminal."""
NOTHING = (
    "no published claim is bound to this manifest: nothing to judge; "
    '`repro sql "SELECT * FROM trajectories"` shows what was measured (docs/manifests.md)'
)
"""Said of a manifest of one's own."""


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the verbs."""
    verify = verbs.add_parser("verify", help="what of the papers holds, in one screen")
    verify.add_argument("name", nargs="?", metavar="NAME", help="a manifest: only the claims it measures")
    verify.add_argument("--all", action="store_true", help="every claim, those that were not run as well")
    verify.add_argument("--json", action="store_true", help='{"claims": [...], "counts": {...}}')
    verify.add_argument("--junit", metavar="FILE", type=own_path, help="write the verdicts as JUnit XML too")
    verify.add_argument("--results", metavar="DIR", help="evidence folder (default: REPRO_RESULTS or results/)")
    verify.add_argument("--deep", action="store_true", help="read every file of evidence again, as ingest does")
    verify.add_argument(
        "--trust-store", action="store_true", help="judge by the store alone, without comparing it with the run folders"
    )
    verify.set_defaults(run=_verify)
    explain = verbs.add_parser("explain", help="why a claim has its verdict, in plain words")
    explain.add_argument("claim", metavar="CLAIM", help="a claim's id as `repro verify` shows it, or its end")
    explain.add_argument("--results", metavar="DIR", help="evidence folder (default: REPRO_RESULTS or results/)")
    explain.set_defaults(run=_explain)


def _verify(arguments: argparse.Namespace) -> int:
    """1 contradicted, 3 something not run, else 0. Raises ReproError for bad input and for changed tolerances."""
    import gc

    gc.disable()  # one short pass over records that refer to each other in one direction: collecting costs a tenth of it
    from repro.errors import SetupError
    from repro.execute.folders import results_to_read
    from repro.manifest.papers import PAPERS, load_claims
    from repro.report.news import changes, read_last
    from repro.verify.assess import counts, exit_code

    results, everything = results_to_read(arguments.results), load_claims()
    if not everything:
        raise SetupError(
            f"{PAPERS}: found no published claim, expected papers; install repro again, or check the folder out"
        )
    claims, given = _bound(arguments.name, everything) if arguments.name else (everything, {})
    deep, trust = arguments.deep, arguments.trust_store
    verdicts, audit, compared = _verdicts(claims, everything, results, given, deep, trust)
    last = read_last(results)
    if arguments.junit:
        from repro.report.junit import write_junit

        write_junit(arguments.junit, verdicts)
    if arguments.json:
        content: dict[str, object] = {
            "claims": [verdict.model_dump(mode="json") for verdict in verdicts],
            "counts": counts(verdicts),
        }
        if arguments.trust_store:
            content["store"] = TRUSTED
        print(json.dumps(content, ensure_ascii=False, indent=1))
    elif not verdicts:
        print(NOTHING)
    else:
        from repro.report.console import literal
        from repro.report.verify import show

        console = literal(WIDTH, highlight=False)
        show(verdicts, audit, console, news=changes(last, verdicts), everything=arguments.all)
        if arguments.trust_store:
            print(TRUSTED)
    _keep(results, claims, verdicts, last, compared)
    return exit_code(verdicts)


def _keep(
    results: Path,
    claims: "Sequence[Claim]",
    verdicts: "list[Verdict]",
    last: dict[str, str],
    compared: "list[FolderState]",
) -> None:
    """Remember the verdicts, in the store for `repro sql` and beside it for the next call; of an empty store nothing."""
    from repro.report.keep import has_runs, keep
    from repro.report.news import keep_last

    if not has_runs(results):
        return
    for why_not in (keep(results, claims, verdicts, compared), keep_last(results, last, verdicts)):
        if why_not:
            _note(f"the verdicts are not kept: {why_not}")


def _explain(arguments: argparse.Namespace) -> int:
    """0 when the claim exists, whatever its verdict. Raises InputError otherwise."""
    from repro.execute.folders import results_to_read
    from repro.manifest.papers import load_claims
    from repro.plain import plain
    from repro.report.explain import explanation

    everything = load_claims()
    claim = _named(arguments.claim, everything)
    together, _, _ = _verdicts(everything, everything, results_to_read(arguments.results), {})
    verdict = next(verdict for verdict in together if verdict.id == claim.id)
    print(plain(explanation(claim, verdict)), end="")
    return 0


def _verdicts(
    claims: "Sequence[Claim]",
    everything: "Sequence[Claim]",
    results: Path,
    given: "Mapping[str, Experiment]",
    deep: bool = False,
    trust: bool = False,
) -> "tuple[list[Verdict], Audited, list[FolderState]]":
    """The verdicts, the audit, and what is to be remembered of the folders that the store was compared with."""
    from contextlib import nullcontext

    from repro.execute.folders import passing_cache
    from repro.store.check import Compared, compare, refuse_without_store
    from repro.store.database import NAME, connect
    from repro.verify.assess import assess
    from repro.verify.audit import audited
    from repro.verify.needs import needs

    audit = audited(everything, remembered=passing_cache() / "audit.json")
    refuse_without_store(results)
    with connect(results) if (results / NAME).exists() else nullcontext() as connection:
        compared = compare(results, connection, deep) if connection and not trust else Compared()
        for note in compared.notes():
            _note(note)
        found = assess(
            claims, connection, everything=everything, audit=audit.findings, needs=needs, built=_built(claims),
            manifests=given,
        )  # fmt: skip
    return found, audit, compared.states


def _built(claims: "Sequence[Claim]") -> "Structures":
    """What the models of structural claims are built of; where that cannot be found out here, a note says why."""
    from repro.errors import SetupError
    from repro.execute.folders import passing_cache
    from repro.execute.structures import Wanted, structures
    from repro.verify.settings import manifest
    from repro.verify.structure import asked

    pairs = asked(claims, lambda name: found.training if (found := manifest(name)) else None)
    wanted = [Wanted(model, training) for model, training in pairs.values()]
    try:
        return dict(zip(pairs, structures(wanted, passing_cache(), _note), strict=True))
    except SetupError as problem:
        _note(str(problem))
        return {}


def _note(words: str) -> None:
    from repro.plain import one_line

    print(f"repro verify: {one_line(words)}", file=sys.stderr, flush=True)


def _bound(name: str, everything: "Sequence[Claim]") -> "tuple[list[Claim], dict[str, Experiment]]":
    """The claims a manifest measures, and the manifest itself where `name` is a path; it may be announced only."""
    from repro.manifest.load import load_experiment

    bound = [claim for claim in everything if claim.measured_by == name]
    if bound:
        return bound, {}
    experiment = load_experiment(name)
    return [claim for claim in everything if claim.measured_by == experiment.id], {experiment.id: experiment}


def _named(wanted: str, everything: "tuple[Claim, ...]") -> "Claim":
    from difflib import get_close_matches

    from repro.errors import InputError

    ids = [claim.id for claim in everything]
    fitting = [claim for claim in everything if claim.id == wanted] or [c for c in everything if c.id.endswith(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        some = ", ".join(claim.id for claim in fitting[:5])
        raise InputError(
            f"{wanted}: {len(fitting)} claims end so: {some}{' …' if len(fitting) > 5 else ''}; give more of the id"
        )
    close = get_close_matches(wanted, ids, n=3, cutoff=0.3)
    alike = f"the nearest are {', '.join(close)}" if close else "none is like it"
    raise InputError(f"{wanted}: no such claim, {alike}; `repro verify --json` lists all")
