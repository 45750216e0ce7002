"""What the verbs share: the collection that they register in, and paths as users give them."""

import argparse
import os
from pathlib import Path
from typing import TypeAlias

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def own_path(given: str) -> Path:
    """Return a file that a user names; `~` is the home folder, which a shell leaves after `=`."""
    return Path(os.path.expanduser(given))


def take_format(verb: argparse.ArgumentParser, *further: str) -> None:
    """Let a verb that lists print its rows for a document or another program."""
    verb.add_argument(
        "--format",
        choices=("table", "csv", "markdown", "latex", *further),
        default="table",
        help="how the rows are written (default: a table for the terminal)",
    )


def take_tables(verb: argparse.ArgumentParser) -> None:
    """Let a verb that judges print the paper's own tables."""
    verb.add_argument(
        "--tables",
        metavar="GLOB",
        help="the papers' own tables of that place ('Table 2', '*'), a measured column beside each",
    )


def take_results(verb: argparse.ArgumentParser) -> None:
    """Let a verb be told where the evidence lies."""
    verb.add_argument(
        "--results", metavar="DIR", help="evidence folder (default: REPRO_RESULTS or results/)"
    )


def take_papers(verb: argparse.ArgumentParser) -> None:
    """Let a verb be told where further papers lie."""
    verb.add_argument(
        "--papers",
        metavar="DIR",
        type=own_path,
        help="a paper's folder, or one that papers lie in, beside the known ones",
    )
