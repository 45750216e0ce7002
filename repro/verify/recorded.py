"""Which quantities the runs of this project record, and which of a claim's quantities none of them does.

A run records what its worker writes: geometry of activations (`repro.diagnose`) and what training tells of itself
(`repro.train`). Nothing generates or scores code, so the benchmarks of docs/SCIENCE.md §10 are not among them.
"""

from repro.manifest.claim import Claim, Term
from repro.verify.algebra import leaves
from repro.verify.prints import TRAJECTORIES
from repro.verify.settings import manifest

RECORDED = frozenset(
    ("accuracy", "accuracy_after", "activation_rms", "activation_trace", "asymmetry", "binary_accuracy",
     "block_diagonal_ratio", "centroid_cosine", "chance", "cosine_between", "cosine_within", "crosstalk", "csr_loss",
     "damage", "directed_damage", "domain_directions", "empty_directions", "entanglement_intensity", "gradient_norm",
     "group_directions", "group_rank", "heldout_loss", "interval_high", "interval_low", "interval_median",
     "learning_rate", "loading", "loss", "margin", "null_median", "null_p", "null_q025", "null_q975", "null_undefined",
     "rank", "singular_value", "singular_value_concentration", "singular_value_energy", "singular_value_ratio",
     "singular_value_sum", "subspace_dimension", "subspace_overlap", "sweep_accuracy", "sweep_entanglement_intensity",
     "sweep_singular_value", "sweep_v_purity", "theory", "theory_measured_rank", "trainable_matrices",
     "trainable_parameters", "v_purity", "weakest_concept")
)  # fmt: skip
"""Every quantity that a worker writes; a test compares it with what workers write."""
COMPUTED = ("formula", "rank_bound", "theory_bound")
"""Statistics that follow from other values, whatever the quantity is called."""


def unrecorded(claim: Claim) -> tuple[str, ...]:
    """The quantities a claim rests on that no run records; empty while its manifest is only announced."""
    if claim.measured_by is None or manifest(claim.measured_by) is None:
        return ()
    asked = {leaf.quantity for leaf in leaves(claim.term) if not _follows(leaf)}
    return tuple(sorted(asked - RECORDED - set(TRAJECTORIES)))


def _follows(leaf: Term) -> bool:
    """Whether a leaf is known without a row of its own: computed, or a level that is selected (λ at λ = 0.03)."""
    return leaf.statistic in COMPUTED or leaf.quantity in {*leaf.selector, leaf.over}
