"""Verbs about runs: plan, fetch, run, status."""

import argparse

from repro.cli.carry_out import carry_out_runs, fetch_needed
from repro.cli.plan import CARDS, plan
from repro.cli.score import sandbox_option
from repro.cli.verbs import Verbs, take_format, take_papers, take_results


def add(verbs: Verbs) -> None:
    """Register the verbs."""
    planned = _named(verbs, "plan", "every run of a manifest: cached or why not, and what it costs")
    _runner_option(planned)
    _only_option(planned)
    _base_option(planned)
    take_papers(planned)
    planned.add_argument("--json", action="store_true", help="machine-readable")
    take_format(planned)
    planned.add_argument("--gpu", choices=CARDS, help="the card to plan for, not the one here")
    planned.add_argument("--price", type=float, metavar="P", help="of a GPU-hour: what runs cost")
    _packages_option(planned)
    planned.set_defaults(run=plan)
    fetch = _named(
        verbs, "fetch", "bring models and texts into the cache, checked; runs then need no network"
    )
    _only_option(fetch)
    _base_option(fetch)
    fetch.add_argument(
        "--stream",
        action="store_true",
        help="measure base models while they come, and drop each file that was read: the disk holds "
        "two files of a model, not the model",
    )
    take_papers(fetch)
    fetch.set_defaults(
        run=fetch_needed, runner="local", max_parallel=1, other_packages=False, repair=False
    )
    run = _named(
        verbs,
        "run",
        "carry out the runs that are not finished; killed ones go on from their last checkpoint",
    )
    _runner_option(run)
    run.add_argument(
        "--max-parallel",
        type=int,
        metavar="N",
        help="runs at once (default: what memory and cores allow)",
    )
    _only_option(run)
    _base_option(run)
    take_papers(run)
    _packages_option(run)
    sandbox_option(run)
    run.add_argument(
        "--repair",
        action="store_true",
        help="read every byte of evidence, and make damaged runs again; what is left of them is set "
        "aside, never deleted",
    )
    run.set_defaults(run=carry_out_runs, stream=False)
    status = verbs.add_parser("status", help="runs under way and finished")
    take_format(status)
    take_results(status)
    status.set_defaults(run=_status)


def _named(verbs: Verbs, name: str, help: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=help, description=help)
    verb.add_argument("name", metavar="NAME", help="a manifest's name, or the path of a YAML file")
    take_results(verb)
    return verb


def _only_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--only", metavar="GLOB", help="only runs whose name matches, e.g. 'tiny-qwen2-B3-*'"
    )


def _base_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--base", action="store_true",
        help="only the base models that its runs start from: step 0, with nothing trained",
    )  # fmt: skip


def _runner_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--runner",
        choices=("auto", "local", "docker", "slurm"),
        default="auto",
        help="where workers run",
    )


def _packages_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--other-packages", action="store_true",
        help="go on with packages that are not the locked ones; the runs then have names of their own",
    )  # fmt: skip


def _status(given: argparse.Namespace) -> int:
    from repro.execute.folders import results_to_read
    from repro.report.export.tables import print_table
    from repro.report.terminal.status import print_status, status_table

    results = results_to_read(given.results)
    if given.format == "table":
        print_status(results)
    else:
        print_table(status_table(results), given.format)
    return 0
