"""What spells a special token is text, and a text begins and ends as the manifest says, for every
family's tokenizer.
"""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from transformers import PreTrainedTokenizerBase

from repro.manifest.training import Training
from repro.train.batches import tokenise, tokenise_probe

NAMES = ["qwen", "llama", "mistral", "codellama", "deepseek"]


@pytest.fixture(scope="module")
def families(helper: Callable[[str], ModuleType]) -> ModuleType:
    """tests/train/families.py."""
    return helper("train/families.py")


@pytest.fixture(params=NAMES)
def family(request: pytest.FixtureRequest) -> str:
    """Each family in turn."""
    name: str = request.param
    return name


@pytest.fixture
def tokenizer(family: str, families: ModuleType, tmp_path: Path) -> PreTrainedTokenizerBase:
    """The family's tokenizer, as loaded from its folder."""
    found: PreTrainedTokenizerBase = families.tokenizer_of(family, tmp_path)
    return found


def test_the_tokenizers_have_the_habits_they_stand_for(
    tokenizer: PreTrainedTokenizerBase, family: str, families: ModuleType
) -> None:
    """The positive control: read plainly, a spelt token is that token, and each family has its own
    ends.
    """
    known = families.FAMILIES[family]
    ids = tokenizer(f"x {known['eos']} y")["input_ids"]
    assert ids.count(tokenizer.eos_token_id) == 1 + bool(known.get("ends"))
    assert (ids[0] == tokenizer.bos_token_id) == ("bos" in known)


def test_special_tokens_that_a_text_spells_are_its_characters(
    tokenizer: PreTrainedTokenizerBase, family: str, families: ModuleType
) -> None:
    """In training and in probes alike: the ids hold none of them, and decode to the text itself."""
    special = {tokenizer.convert_tokens_to_ids(name) for name in families.specials(family)}
    text = "if x: print('" + " ".join(families.specials(family)) + "')  # not an end"
    ids = tokenise(tokenizer, text, Training(append_eos=False))
    inner = ids[1:] if "bos" in families.FAMILIES[family] else ids
    assert not special & set(inner)
    # SentencePiece knows no difference between ▁ and a space
    spaces = bool(families.FAMILIES[family].get("spaces"))
    assert tokenizer.decode(inner) == (text.replace("▁", " ") if spaces else text)
    probe, mask = tokenise_probe(tokenizer, text)
    kept = [token for token, special_token in zip(probe, mask, strict=True) if not special_token]
    assert kept == inner


@pytest.mark.parametrize("append_eos", [True, False])
def test_a_text_begins_and_ends_once_as_the_manifest_says(
    tokenizer: PreTrainedTokenizerBase, family: str, families: ModuleType, append_eos: bool
) -> None:
    ids = tokenise(tokenizer, "x = [1, 2, 3]", Training(append_eos=append_eos))
    assert ids.count(tokenizer.eos_token_id) == append_eos
    assert (ids[-1] == tokenizer.eos_token_id) == append_eos
    bos = "bos" in families.FAMILIES[family]
    assert (ids[0] == tokenizer.bos_token_id) == bos
    if bos:
        assert ids.count(tokenizer.bos_token_id) == 1


def test_a_plain_text_has_the_ids_it_always_had(
    tokenizer: PreTrainedTokenizerBase, families: ModuleType
) -> None:
    """Splitting changes nothing where nothing is spelt: what the tokenizer says, and one EOS."""
    for text in families.TEXTS:
        plain = tokenizer(text)["input_ids"]
        ends = [] if plain[-1] == tokenizer.eos_token_id else [tokenizer.eos_token_id]
        assert tokenise(tokenizer, text, Training()) == [*plain, *ends]
        assert tokenise_probe(tokenizer, text)[0] == plain


def test_cutting_takes_the_beginning(
    tokenizer: PreTrainedTokenizerBase, families: ModuleType
) -> None:
    whole = tokenise(tokenizer, families.TEXTS[0], Training())
    assert tokenise(tokenizer, families.TEXTS[0], Training(max_length=5)) == whole[:5]
