"""What a folder keeps is part of what it takes while its run is at work."""

from repro.cost.space import disk_gibibytes, forward_tokens, kept_gibibytes, models_gibibytes
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment


def test_disk_counts_states_while_a_run_is_at_work_and_each_model_once() -> None:
    """Eight seeds of a model need one copy of it; one that trains nothing has no states."""
    runs = expand(load_experiment("scale_ladder"), local_environment())
    assert all(disk_gibibytes(run) > 4 * kept_gibibytes(run) > 0 for run in runs)
    by_model = {run.model.id: run for run in runs}
    assert models_gibibytes(runs) == sum(models_gibibytes([run]) for run in by_model.values())
    base = runs[0].model_copy(
        update={"condition": runs[0].condition.model_copy(update={"phases": ()})}
    )
    assert disk_gibibytes(base) == kept_gibibytes(base) > 0


def test_the_largest_pass_is_what_the_protocol_lets_share_one() -> None:
    training = expand(load_experiment("scale_ladder"), local_environment())[0].training
    assert forward_tokens(training, 250) == 2048
    assert forward_tokens(training, 4096) == 4096, "a longer text has a pass of its own"
    assert forward_tokens(training.model_copy(update={"accumulation": 1}), 250) == 250
