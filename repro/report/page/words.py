"""What the page's words mean, for a reader who has not read the papers or the manual."""

from collections.abc import Iterable, Mapping

from repro.claims.claim import Claim
from repro.manifest.experiment import Experiment
from repro.report.page.measured import Rows
from repro.verify.facts.settings import manifest

GLOSSARY: Mapping[str, str] = {
    "entanglement intensity (EI)": "Damage that removing a direction does to other concepts, over "
    "the damage that it does to its own; 0: concepts are apart.",
    "concept": "A labelled property of the texts that activations are measured on, such as domain, "
    "register or shape.",
    "direction": "An axis of the activations that a linear readout of the concepts uses.",
    "damage": "Accuracy that a concept loses when one direction is removed.",
    "crosstalk": "Damage that one domain's directions do to another domain.",
    "singular value σ₁": "Strength of the readout's strongest direction.",
    "null": "EI of data in which there is nothing to find.",
    "reading": "One of the definitions that fit what a paper leaves open.",
    "twin": "A small model that a claim's experiment was repeated on. It judges no published claim.",
    "random": "A model with weights nobody trained. It judges no published claim.",
    "other settings": "The paper's own model, but not under every setting that it prints.",
    "supplied": "Files that the paper's authors sent. A verdict from them says whether the print agrees "
    "with these files; nothing was repeated, so nothing is reproduced.",
    "substantive": "Of an inconsistency: no rounding of the printed digits explains it.",
}
"""In the order in which a reader meets them."""
OF_PRINTS = ("substantive",)
"""Those that a page needs on which nothing is measured."""


def conditions(
    claims: Iterable[Claim], runs: Rows, given: Mapping[str, Experiment]
) -> list[tuple[str, str]]:
    """Return (condition, what its manifests call it) of all that the claims and runs speak of."""
    names = {claim.measured_by for claim in claims} | {run["experiment"] for run in runs}
    titles: dict[str, dict[str, None]] = {}
    for name in sorted(name for name in names if name):
        experiment = given.get(name) or manifest(name)
        for condition, asked in experiment.conditions.items() if experiment else ():
            titles.setdefault(condition, {})[asked.title] = None
    return [(condition, "; ".join(found)) for condition, found in sorted(titles.items())]
