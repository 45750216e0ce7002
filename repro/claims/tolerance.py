"""How close is close enough: one rule per kind of claim, fixed before any run.

Definition: docs/SCIENCE.md §13.
"""

from typing import Literal

from pydantic import Field

from repro.frozen import Frozen

ClaimKind = Literal[
    "recomputed", "protocol", "structural", "vendor_label", "by_construction", "problem_count", "seed_mean",
    "single_run", "base_model", "spread", "correlation", "test", "derived", "ordering", "share", "no_effect",
    "category",
]  # fmt: skip
Basis = Literal["definition", "setting", "measured"]
Grade = Literal["own", "other_settings", "twin", "random", "supplied"]
Rule = Literal[
    "interval", "exact", "relative", "shown", "binomial", "prediction_interval", "seed_spread", "probe_sets",
    "chi_square", "fisher", "recompute", "bootstrap", "probability", "tost",
]  # fmt: skip


BASES: dict[ClaimKind, Basis] = {
    "structural": "definition",
    "vendor_label": "definition",
    "by_construction": "definition",
    "protocol": "setting",
}
"""What a claim of a kind rests on; kinds that are not named are measured (docs/SCIENCE.md §13)."""


class Tolerance(Frozen):
    """The rule a claim is judged by, its parameters, and why they are what they are."""

    rule: Rule
    parameters: dict[str, float] = Field(default_factory=dict)
    reason: str


DEFAULTS: dict[ClaimKind, Tolerance] = {
    "recomputed": Tolerance(
        rule="interval", reason="other prints determine it: intervals of their decimals"
    ),
    "protocol": Tolerance(rule="exact", reason="a setting of the experiment, not a measurement"),
    "structural": Tolerance(rule="exact", reason="follows from the real architecture"),
    "vendor_label": Tolerance(
        rule="relative",
        parameters={"relative": 0.01},
        reason="vendors round counts; 1 % of the architecture",
    ),
    "by_construction": Tolerance(
        rule="shown", reason="follows from the definition, whatever is measured"
    ),
    "problem_count": Tolerance(
        rule="binomial",
        parameters={"flips": 0.02, "level": 0.05},
        reason="same weights: what 2 % of flipped answers allow; retrained: t over the runs, at "
        "least a binomial spread",
    ),
    "seed_mean": Tolerance(
        rule="prediction_interval",
        parameters={"level": 0.05, "margin_share": 0.25, "absolute": 0.01},
        reason="t prediction interval for our runs; equivalent within ¼ of the claimed effect; SD "
        "0: the share it leaves open",
    ),
    "single_run": Tolerance(
        rule="seed_spread",
        parameters={"level": 0.05},
        reason="one run: the spread of that quantity's seeds in print",
    ),
    "base_model": Tolerance(
        rule="probe_sets",
        parameters={"level": 0.05},
        reason="probes are unpublished: spread between our sets",
    ),
    "spread": Tolerance(
        rule="chi_square", parameters={"level": 0.05}, reason="χ² interval of the variance ratio"
    ),
    "correlation": Tolerance(
        rule="fisher", parameters={"level": 0.05}, reason="Fisher's z interval"
    ),
    "test": Tolerance(
        rule="recompute", parameters={"level": 0.05}, reason="recomputed from the measured counts"
    ),
    "derived": Tolerance(
        rule="bootstrap",
        parameters={"level": 0.05, "margin_share": 0.25},
        reason="computed from measurements like the print; the spread of each cell through the "
        "slope in it",
    ),
    "ordering": Tolerance(
        rule="probability",
        parameters={"holds": 0.95, "fails": 0.05},
        reason="by components, each an exact t: all hold jointly at 95 %, or one fails at 5 % over "
        "their number",
    ),
    "share": Tolerance(
        rule="binomial",
        parameters={"level": 0.05},
        reason="a count of at least three runs: Fisher's exact test",
    ),
    "no_effect": Tolerance(
        rule="tost",
        parameters={"level": 0.05, "margin_share": 0.25},
        reason="two one-sided tests: absence is shown",
    ),
    "category": Tolerance(
        rule="probability",
        parameters={"holds": 0.95, "fails": 0.05},
        reason="plurality of the runs: exact sign tests",
    ),
}
