"""One run over several cards, played on the processor: each block behind the hook that moves its
inputs to its card, as `device_map="auto"` puts one there.
"""

from pathlib import Path

import pytest
import torch
from accelerate.hooks import AlignDevicesHook, attach_align_device_hook_on_blocks

from repro.manifest.training import Training
from repro.train.adapters.place import adapt
from repro.train.loop import accumulate
from repro.train.model import load_base, trainable

SEQUENCES = [[*range(5, 25)], [*range(9, 16)], [*range(3, 40)]]


@pytest.mark.worker
@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_spread_model_has_the_gradients_of_one_in_one_place(
    tiny_llama: Path, checkpointing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(gradient_checkpointing=checkpointing, tokens_per_forward=40)
    moved: list[AlignDevicesHook] = []
    before = AlignDevicesHook.pre_forward

    def noted(hook: AlignDevicesHook, *given: object, **named: object) -> object:
        moved.append(hook)
        return before(hook, *given, **named)

    monkeypatch.setattr(AlignDevicesHook, "pre_forward", noted)
    found = []
    for spread in (False, True):
        base = load_base(tiny_llama, training)
        if spread:
            parts = ["model.embed_tokens", "model.norm", "model.rotary_emb", "lm_head"]
            parts += [f"model.layers.{block}" for block in range(len(base.model.layers))]
            place = dict.fromkeys(parts, torch.device("cpu"))
            attach_align_device_hook_on_blocks(base, place, offload=dict.fromkeys(parts, False))
        model = adapt(base, training, 0)
        loss, _ = accumulate(model, SEQUENCES, training)
        found.append(
            (loss, [one.grad for one in trainable(model).values() if one.grad is not None])
        )
        assert bool(moved) == spread
    assert len({id(hook) for hook in moved}) >= len(base.model.layers)
    (loss, gradients), (again, others) = found
    assert loss == again
    assert gradients
    assert all(torch.equal(one, other) for one, other in zip(gradients, others, strict=True))
