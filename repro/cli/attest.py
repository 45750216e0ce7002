"""`repro attest NAME --key FILE`: signed statements of a manifest's evidence and its verdicts."""

import argparse

from repro.cli.verbs import Verbs, own_path, take_papers, take_results


def add(verbs: Verbs) -> None:
    """Register the verb."""
    verb = verbs.add_parser(
        "attest",
        help="sign what a manifest's evidence is and what was judged by it",
        description="Write in-toto statements (provenance of each run, test result of the verdicts) "
        "in DSSE envelopes below statements/. `repro verify --trust FILE.pub` accepts only evidence "
        "that they cover. Exit code 3 where the manifest asks for runs that are not finished.",
    )
    verb.add_argument("name", metavar="NAME", help="a manifest's name, or the path of a YAML file")
    verb.add_argument(
        "--key",
        metavar="FILE",
        type=own_path,
        required=True,
        help="a private ed25519 key, as of ssh-keygen -t ed25519 -N ''",
    )
    take_papers(verb)
    take_results(verb)
    verb.set_defaults(run=_attest)


def _attest(given: argparse.Namespace) -> int:
    """Sign; return 3 where runs are not finished, else 0. Raises ReproError."""
    from repro.api.judging import judge_asked
    from repro.errors import EvidenceError
    from repro.execute.folders import results_to_read
    from repro.manifest.load import load_experiment
    from repro.share.attest import attest_runs
    from repro.share.dsse import key_name, read_private
    from repro.store.finished import finished_folders

    manifest, results = load_experiment(given.name).id, results_to_read(given.results)
    key = read_private(given.key)
    evidence = finished_folders(results, manifest)
    if evidence.faults:
        raise EvidenceError(f"nothing is signed: {evidence.faults[0]}")
    if not evidence.folders:
        raise EvidenceError(f"{results}: no finished run of {manifest}, nothing to sign")
    judged = judge_asked(given.name, results, given.papers)
    made = attest_runs(results, manifest, evidence.folders, judged.verdicts, key)
    left = (
        f"; {evidence.absent} that the manifest asks for are not finished"
        if evidence.absent
        else ""
    )
    print(
        f"{len(made)} statements in {made[0].parent} by key {key_name(key.public_key())[:16]}: "
        f"{len(evidence.folders)} runs, {len(judged.verdicts)} verdicts in {made[-1].stem[:12]}{left}"
    )
    return 3 if evidence.absent else 0
