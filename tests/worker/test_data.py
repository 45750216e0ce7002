"""What a run trains on and is measured on, or the one line that says why its texts cannot be."""

import json
from pathlib import Path

import pytest

from repro.errors import InputError
from repro.fetch.texts import fetch_texts
from repro.manifest.load import MANIFESTS, load_experiment
from repro.plan.expand import expand, local_environment
from repro.train.model import load_tokenizer
from repro.worker.data import training_data

OWN = (MANIFESTS / "smoke.yaml").read_text().replace("id: smoke", "id: mine")
OWN = (
    OWN.replace("code: [standard_library]", "code: [notes]")
    + "sources:\n  notes: {kind: file, path: notes.jsonl}\n"
)


def prepared(
    folder: Path, tiny: Path, texts: list[str], **training: object
) -> tuple[list[list[list[int]]], dict[str, list[list[int]]]]:
    """The data of a manifest's first trained run on these texts; `training`: fields of it that
    differ.
    """
    (folder / "notes.jsonl").write_text(
        "".join(json.dumps({"text": text}) + "\n" for text in texts)
    )
    (folder / "mine.yaml").write_text(OWN)
    run = next(
        run
        for run in expand(load_experiment(str(folder / "mine.yaml")), local_environment())
        if run.steps
    )
    phases = tuple(
        phase.model_copy(update={"mixture": {"code": 1.0}}) for phase in run.condition.phases
    )
    run = run.model_copy(
        update={
            "domains": {"code": run.domains["code"]},
            "condition": run.condition.model_copy(update={"phases": phases}),
            "training": run.training.model_copy(update=training),
        }
    )
    fetch_texts(run.domains["code"], folder, print)
    return training_data(run, load_tokenizer(tiny), folder)


WORDS = [f"text {number} of forty" for number in range(40)]


def test_more_held_out_texts_than_the_data_can_give_are_refused(
    tmp_path: Path, tiny_llama: Path
) -> None:
    assert len(prepared(tmp_path, tiny_llama, WORDS, heldout=20)[1]["code"]) == 20
    expected = (
        r"^data notes: found 40 texts, .*\(20\), expected 100 held out; lower `heldout` or bring "
        r"more texts$"
    )
    with pytest.raises(InputError, match=expected):
        prepared(tmp_path, tiny_llama, WORDS, heldout=100)


@pytest.mark.parametrize("texts", [["a"] * 40, ["a", *"bcdefgh"]], ids=["one text", "many"])
def test_texts_of_one_token_are_refused_where_nothing_else_is_trained_on(
    tmp_path: Path, tiny_llama: Path, texts: list[str]
) -> None:
    """The first token of a text is not predicted; with the end of the text after it, that one is."""
    steps, _ = prepared(tmp_path, tiny_llama, texts, heldout=0, append_eos=True)
    assert {len(row) for step in steps for row in step} == {2}
    with pytest.raises(
        InputError, match=r"^the texts of step 1: found no text of two tokens .* `append_eos: true`"
    ):
        prepared(tmp_path, tiny_llama, texts, heldout=0, append_eos=False)


def test_held_out_texts_of_one_token_are_refused(tmp_path: Path, tiny_llama: Path) -> None:
    """The first text is held out; the others are long enough to be trained on."""
    assert len(prepared(tmp_path, tiny_llama, WORDS, heldout=1, append_eos=False)[1]["code"]) == 1
    with pytest.raises(
        InputError, match=r"^the held-out texts of domain code: found no text of two tokens"
    ):
        prepared(tmp_path, tiny_llama, ["a", *WORDS], heldout=1, append_eos=False)


def test_a_text_held_out_anywhere_is_trained_on_nowhere(tmp_path: Path, tiny_llama: Path) -> None:
    """Not as a copy of itself, nor by way of another domain or source that holds it too."""
    texts = ["the first of many texts", *WORDS[:5], "the first of many texts", *WORDS[5:]]
    held = tuple(prepared(tmp_path, tiny_llama, texts, heldout=1)[1]["code"][0])
    steps, _ = prepared(tmp_path, tiny_llama, texts, heldout=1)
    assert held not in {tuple(row) for step in steps for row in step}
    steps, _ = prepared(tmp_path, tiny_llama, texts, heldout=0)
    assert held in {tuple(row) for step in steps for row in step}, (
        "it is trained on where it is not held out"
    )
