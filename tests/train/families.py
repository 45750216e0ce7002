"""Tokenizers of the papers' families, made here: their special tokens, their habits at both ends,
small vocabularies.
"""

from pathlib import Path

from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from repro.train.model import load_tokenizer

FAMILIES: dict[str, dict[str, object]] = {
    "qwen": {"eos": "<|endoftext|>", "more": ["<|im_start|>", "<|im_end|>", "<|fim_prefix|>"]},
    "llama": {"bos": "<|begin_of_text|>", "eos": "<|end_of_text|>", "more": ["<|eot_id|>"]},
    "mistral": {
        "bos": "<s>",
        "eos": "</s>",
        "unk": "<unk>",
        "more": ["[INST]", "[/INST]"],
        "spaces": True,
    },
    "codellama": {
        "bos": "<s>",
        "eos": "</s>",
        "unk": "<unk>",
        "more": ["▁<PRE>", "▁<MID>"],
        "spaces": True,
        "ends": True,
    },
    "deepseek": {
        "bos": "<｜begin▁of▁sentence｜>",
        "eos": "<｜end▁of▁sentence｜>",
        "more": ["<|EOT|>"],
        "ends": True,
    },
}
"""`ends`: the tokenizer adds EOS itself. `spaces`: SentencePiece's way, a mark for each space and
one in front.
"""
TEXTS = [
    "def total(prices):\n    return sum(prices)  # all of them\n",
    "The rain in Spain stays mainly.",
    "x = [1, 2, 3]",
]


def specials(family: str) -> list[str]:
    """Every special token of a family."""
    known = FAMILIES[family]
    more = known["more"]
    assert isinstance(more, list)
    return [str(known[name]) for name in ("bos", "eos", "unk") if name in known] + more


def tokenizer_of(family: str, folder: Path) -> PreTrainedTokenizerBase:
    """Make the tokenizer, save it, and load it as a worker does."""
    known, names = FAMILIES[family], specials(family)
    if known.get("spaces"):
        made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        made.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
        made.decoder = decoders.Sequence(
            [
                decoders.Replace("▁", " "),
                decoders.ByteFallback(),
                decoders.Fuse(),
                decoders.Strip(" ", 1, 0),
            ]
        )
        alphabet = sorted({*"".join(TEXTS), "▁"})
        bytes_ = [f"<0x{number:02X}>" for number in range(256)]
        trainer = trainers.BpeTrainer(
            special_tokens=[*names, *bytes_], vocab_size=600, initial_alphabet=alphabet
        )
    else:
        made = Tokenizer(models.BPE())
        made.normalizer = normalizers.NFC()
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            special_tokens=names, vocab_size=400, initial_alphabet=alphabet
        )
    made.train_from_iterator(TEXTS * 20, trainer)
    made.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    front = [str(known["bos"])] if "bos" in known else []
    back = [str(known["eos"])] if known.get("ends") else []
    if front or back:
        pairs = [(name, made.token_to_id(name)) for name in front + back]
        made.post_processor = processors.TemplateProcessing(
            single=[*front, "$A", *back], special_tokens=pairs
        )
    given = {f"{name}_token": str(known[name]) for name in ("bos", "eos", "unk") if name in known}
    whole = PreTrainedTokenizerFast(
        tokenizer_object=made,
        additional_special_tokens=known["more"],
        clean_up_tokenization_spaces=False,
        **given,
    )
    whole.save_pretrained(str(folder))
    return load_tokenizer(folder)
