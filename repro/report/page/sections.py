"""The sections of figures: what each shows, in words, and what would fill it where nothing does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from repro.claims.claim import Claim
from repro.manifest.load import load_models
from repro.report.page.figure import Figure
from repro.report.page.figures import artefacts, benchmarks, companions, directions, entropies
from repro.report.page.figures.ladder import ladder
from repro.report.page.figures.sweep import sweep
from repro.report.page.figures.trajectories import trajectories
from repro.report.page.measured import Measured
from repro.report.page.published import published

BENCHMARKS = ("humaneval_plus", "humaneval")
RUN = "`make reproduce MANIFEST=laptop` measures some, in half an hour on two cores."


@dataclass(frozen=True)
class Section:
    """Figures under one heading, or why there are none."""

    id: str
    short: str
    """For the bar of links."""
    title: str
    says: str
    figures: tuple[Figure, ...]
    empty: str
    """What would fill it."""


WORDS = {
    "trajectories": (
        "Training",
        "EI through training",
        "Entanglement intensity by training step. Solid lines and dots: measured here, a "
        "line a seed. "
        "Dashed lines and diamonds: printed. A collapse that a paper claims is a line that "
        "reaches 0 and stays.",
        RUN,
    ),
    "ladder": (
        "Ladder",
        "Scale ladder",
        "Entanglement intensity after the last step by size of the model. The papers say "
        "that larger models "
        "lose more of it. Models with random weights are left out.",
        RUN,
    ),
    "damage": (
        "Damage",
        "Damage matrices",
        "Accuracy lost on each concept when one direction is removed from the activations. "
        "A dot marks the "
        "concept that a direction belongs to; colour beside the dots is entanglement.",
        RUN,
    ),
    "spectra": ("Spectra", "Singular values", "How strong each direction of the readout is.", RUN),
    "nulls": (
        "Nulls",
        "Nulls",
        "Dots: EI as measured. Bars: the middle 95 % of what EI is, tick at the median, where "
        "there is nothing to find: labels are shuffled, over all texts or within a domain, or "
        "concepts are planted that share no direction.",
        RUN,
    ),
    "sweep": (
        "Sweep",
        "Scale sweep",
        "Lines: the base model's own activations times a number, nothing else changed. "
        "Where EI falls along "
        "a line, scale alone does it; a collapse that lies on one may be no more. Random "
        "weights are left out.",
        RUN,
    ),
    "readings": (
        "Readings",
        "Specification curve",
        "The papers leave the definition of EI open: what is removed, centred, clipped, "
        "refitted. Each dot "
        "is one reading of it, after the last step, mean over seeds.",
        RUN,
    ),
    "crosstalk": (
        "Crosstalk",
        "Crosstalk",
        "How much removing the directions of code harms a companion domain, and the other "
        "way round, in the "
        "base model. The papers choose companions by it.",
        "`make reproduce MANIFEST=crosstalk_laptop` measures it, in minutes.",
    ),
    "benchmarks": (
        "HumanEval+",
        "HumanEval and HumanEval+",
        "Share of problems solved after training, greedy decoding.",
        "Nothing was scored: `evaluation` in a manifest has its runs complete the problems "
        "(docs/benchmarks.md).",
    ),
    "entropies": (
        "Entropies",
        "Entanglement entropies",
        "How entangled updates and attention are if their rows and columns are chains of sites. "
        "Random matrices stand beside: what they have too, training did not make.",
        "`make reproduce MANIFEST=artificial_entanglement_laptop` measures them, in an hour; "
        "`repro entropy` takes a matrix or an adapter of your own.",
    ),
}
"""Section → (short name, title, what it shows, what would fill it)."""


def sections(measured: Measured, claims: Sequence[Claim]) -> list[Section]:
    """Draw every family of figures from the store and from what these claims print."""
    paths, final, ei = (
        measured.trajectories(),
        measured.final(),
        published(claims, "entanglement_intensity"),
    )
    known = load_models().items()
    sizes = {
        name: model.architecture.parameters
        for name, model in known
        if model.weights.kind != "random"
    }
    drawn_at_random = {name for name, _ in known} - sizes.keys()
    real = [row for row in paths if row["model"] not in drawn_at_random]
    sweeps = [row for row in measured.sweeps() if row["model"] not in drawn_at_random]
    sigmas, printed = (
        published(claims, "singular_value"),
        {name: published(claims, name) for name in BENCHMARKS},
    )
    drawn: dict[str, Iterable[Figure]] = {
        "trajectories": trajectories(paths, ei),
        "ladder": ladder(paths, ei, sizes),
        "damage": directions.damage(final),
        "spectra": directions.spectra(final, measured.base_spectrum()),
        "nulls": artefacts.nulls(final),
        "sweep": sweep(sweeps, real, sigmas, ei),
        "readings": artefacts.readings(measured.readings()),
        "crosstalk": companions.crosstalk(measured.crosstalk(), published(claims, "crosstalk")),
        "benchmarks": [
            *benchmarks.scores(measured.scores(), printed),
            *benchmarks.flips(measured.flips()),
        ],
        "entropies": [
            *entropies.profiles(
                measured.entropy_profiles(), {name: one.architecture for name, one in known}
            ),
            *entropies.summaries(measured.entropy_summaries()),
            *entropies.attention_by_length(measured.attention_lengths()),
        ],
    }
    return [
        Section(name, short, title, says, tuple(drawn[name]), empty)
        for name, (short, title, says, empty) in WORDS.items()
    ]
