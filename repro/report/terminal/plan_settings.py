"""What a plan says of printed settings that its manifest lacks: its runs would not be theirs."""

from collections.abc import Iterable, Iterator, Sequence

from repro.claims.claim import Claim
from repro.manifest.experiment import Experiment
from repro.plan.run import Run
from repro.verify.evidence.grade import Protocols, grade_run
from repro.verify.facts.compare import differing_settings
from repro.verify.facts.settings import Settings

SETTINGS_NAMED = 8
"""Settings that are named before the rest are counted."""


def setting_notes(
    experiment: Experiment, runs: Iterable[Run], claims: Sequence[Claim]
) -> list[str]:
    """Return a line for each printed setting that the manifest sets otherwise, if any."""
    bound = [claim for claim in claims if claim.measured_by == experiment.id]
    by_field = differing_settings(bound, Settings.of_manifest(experiment))
    lines = [f"{words}; printed {prints}" for words, prints in by_field.items()]
    told = {claim.quantity for claim in bound}
    usual = dict.fromkeys(_usual(runs, Protocols.of(claims), experiment.id))
    lines += [line for line in usual if line.split()[0] not in told]
    more = [
        f"and {len(lines) - SETTINGS_NAMED} more settings that differ (`repro verify {experiment.id} --all`)"
    ]
    return [f"differs from the paper: {line}" for line in lines[:SETTINGS_NAMED]] + more[
        : len(lines) > SETTINGS_NAMED
    ]


def _usual(runs: Iterable[Run], printed: Protocols, name: str) -> Iterator[str]:
    """Yield where runs depart from the protocol that the paper prints for all its runs.

    Not for this manifest by name.
    """
    for run in runs:
        if run.experiment == name:
            yield from grade_run(name, run.model.id, run.condition_id, run.key(), printed).other
