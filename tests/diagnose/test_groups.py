"""Groups from a real base model: the same whenever they are measured, and untouched by an adapter
that comes later.
"""

from pathlib import Path

import torch

from repro.diagnose.groups import base_groups
from repro.manifest.adapters import DIRECTIONS, BlockDiagonal
from repro.manifest.experiment import Diagnostics
from repro.manifest.load import load_models
from repro.manifest.probes import load_probe_set
from repro.manifest.training import Quantisation, Training
from repro.train.adapters.place import adapt, trained_rows
from repro.train.model import load_base, load_tokenizer, trainable

ISOLATED = BlockDiagonal(grouping="isolated")


def protocol(adapter: BlockDiagonal = ISOLATED) -> Training:
    """Real NF4 below."""
    return Training(
        quantisation=Quantisation(),
        adapter=adapter,
        compute="float32",
        gradient_checkpointing=False,
    )


def test_groups_are_the_same_bits_each_time_and_orthonormal(tiny_llama: Path) -> None:
    probes, tokenizer = load_probe_set("factorial_48"), load_tokenizer(tiny_llama)
    first, again = (
        base_groups(load_base(tiny_llama, protocol()), tokenizer, probes, Diagnostics(), ISOLATED)
        for _ in range(2)
    )
    assert [group.concepts for group in first] == [("domain",), ("register",), ("shape",)]
    assert all(torch.equal(a.directions, b.directions) for a, b in zip(first, again, strict=True))
    basis = torch.cat([group.directions for group in first], dim=1)
    torch.testing.assert_close(basis.T @ basis, torch.eye(basis.shape[1]), rtol=0, atol=1e-6)


def test_what_is_counted_before_a_run_is_never_below_what_it_trains(tiny_llama: Path) -> None:
    """The worker's own count stands in the evidence, with each group's directions and rank."""
    shape, tokenizer = load_models()["tiny-llama"].architecture, load_tokenizer(tiny_llama)
    probes = load_probe_set("factorial_48")
    for rank in (1, 2, 8):
        training = protocol(BlockDiagonal(grouping="isolated", rank=rank))
        base = load_base(tiny_llama, training)
        groups = base_groups(base, tokenizer, probes, Diagnostics(), ISOLATED)
        model = adapt(base, training, 0, groups)
        rows = {(row.quantity, row.concept): row.value for row in trained_rows(model)}
        counted = sum(value.numel() for value in trainable(model).values())
        assert rows["trainable_parameters", None] == counted
        assert rows["trainable_matrices", None] == len(trainable(model))
        for group in groups:
            size = group.directions.shape[1]
            name = "+".join(group.concepts)
            assert rows["group_directions", name] == size
            assert rows["group_rank", name] == min(rank, size)
        assert sum(group.directions.shape[1] for group in groups) <= DIRECTIONS
        assert counted <= training.trained.parameters(shape) <= 4 * counted
