"""Choose the texts of a run: which it trains on at which step, and which are held out."""

from functools import cache as cached
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from repro.errors import InputError
from repro.plan.run import Run
from repro.plan.texts import shared
from repro.train.batches import check_embedded, check_predicting, tokenise, tokenise_probe
from repro.train.leaks import HeldOut
from repro.train.mixture import order, order_by_tokens, split
from repro.train.texts import texts

Parts = dict[str, list[tuple[list[str], list[str]]]]
"""Domain → (texts to train on, held-out texts) of each of its sources."""


def _split(run: Run, cache: Path) -> Parts:
    """Return the texts of each domain, source by source: those to train on, and those held out."""
    edition = run.environment.texts
    return {
        domain: [
            split(source.id, texts(source, edition, cache), count)
            for source, count in zip(
                sources, shared(run.training.heldout, len(sources)), strict=True
            )
        ]
        for domain, sources in run.domains.items()
    }


def attention_windows(run: Run, tokenizer: PreTrainedTokenizerBase, cache: Path) -> list[list[int]]:
    """Return the windows that attention is read on, domain by domain: held-out texts whole, a blank
    line between two.

    Each window begins with what the tokenizer puts in front of a text. Raises InputError where the
    texts are too short.
    """
    wanted, found = run.diagnostics.attention, []
    for domain, parts in _split(run, cache).items():
        ids, special = tokenise_probe(
            tokenizer, "\n\n".join(text for _, chosen in parts for text in chosen)
        )
        start = ids[: special.index(0)] if 0 in special else []
        inner = [token for token, mark in zip(ids, special, strict=True) if not mark]
        size = wanted.lengths[-1] - len(start)
        if size * wanted.windows > len(inner):
            raise InputError(
                f"the held-out texts of domain {domain} have {len(inner)} tokens, expected "
                f"{size * wanted.windows} for "
                f"{wanted.windows} windows of {wanted.lengths[-1]}; raise training.heldout, "
                "or lower diagnostics.attention"
            )
        found += [[*start, *inner[size * at : size * (at + 1)]] for at in range(wanted.windows)]
    check_embedded(
        found, tokenizer, run.model.architecture.vocabulary, "the texts that attention is read on"
    )
    return found


def training_data(
    run: Run, tokenizer: PreTrainedTokenizerBase, cache: Path
) -> tuple[list[list[list[int]]], dict[str, list[list[int]]]]:
    """Return (token sequences of each step, held-out sequences by domain).

    Raises InputError for texts that leave a step or a domain nothing to predict, or have tokens
    the model does not.
    """
    parts = _split(run, cache)
    used = sorted({domain for phase in run.condition.phases for domain in phase.mixture})
    encode = cached(lambda text: tokenise(tokenizer, text, run.training))
    held = HeldOut(
        (text for sources in parts.values() for _, chosen in sources for text in chosen),
        encode,
        tokenizer,
    )
    trained = {
        name: [[text for text in kept if not held.holds(text)] for kept, _ in parts[name]]
        for name in used
    }
    per_step = run.training.sequences_per_step
    phases, seed = run.condition.phases, run.draw_seed
    if run.condition.mixing == "tokens":
        drawn = order_by_tokens(
            phases, trained, per_step, seed, length=lambda text: len(encode(text))
        )
    else:
        drawn = order(phases, trained, per_step, seed)
    ids = [encode(text) for _, text in drawn]
    heldout = {
        domain: [encode(text) for _, chosen in sources for text in chosen]
        for domain, sources in parts.items()
    }
    steps = [ids[start : start + per_step] for start in range(0, len(ids), per_step)]
    for number, sequences in enumerate(steps, 1):
        check_predicting(sequences, f"the texts of step {number}")
    heldout = {domain: rows for domain, rows in heldout.items() if rows}
    for domain, rows in heldout.items():
        check_predicting(rows, f"the held-out texts of domain {domain}")
    everything = (row for rows in (ids, *heldout.values()) for row in rows)
    check_embedded(everything, tokenizer, run.model.architecture.vocabulary, "the training texts")
    return steps, heldout
