"""Check that a model's folder holds exactly the tensors of its architecture.

Only the files' headers are read, without torch. A library that loads a model draws missing weights
at random, and says so only in a warning. So every parameter must be there in its shape, and every
tensor must belong to the model: the host checks before a run begins, the worker before it loads
(docs/SCIENCE.md §9, how weights came to be).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from repro.errors import SetupError
from repro.files import is_file
from repro.manifest.explain import explain
from repro.manifest.model import Architecture, Model
from repro.plan.safetensors_header import STORED, Tensor, equal_bytes, read_header, read_json_whole

_WEIGHTS, INDEX, _ADAPTER = (
    "model.safetensors",
    "model.safetensors.index.json",
    "adapter_config.json",
)
EMBEDDINGS, OUTPUT = "model.embed_tokens.weight", "lm_head.weight"
COMPUTED = re.compile(r"model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq")
"""A buffer in older files that the architecture computes from its configuration."""
SETTINGS_FILES = ("config.json", _ADAPTER)
"""What says of which kind a model is."""
KNOWN_FAMILIES: tuple[str, ...] = get_args(Architecture.model_fields["family"].annotation)
CONFIGURED = {
    "hidden_size": "hidden",
    "num_hidden_layers": "layers",
    "num_attention_heads": "heads",
    "num_key_value_heads": "kv_heads",
    "intermediate_size": "intermediate",
    "vocab_size": "vocabulary",
    "tie_word_embeddings": "tied",
    "model_type": "family",
}
"""Field of config.json → field of an architecture in models.yaml."""


def check_weights(folder: Path, model: Model) -> None:
    """Compare a model's folder with its architecture, tensor by tensor.

    Raises SetupError naming what differs.
    """
    where = f"model {model.id} ({folder})"
    _check_configuration(folder, model.architecture, where)
    tensors = read_tensors(folder, where)
    expected = expected_tensors(model.architecture)
    problems = [*_differences(tensors, expected, model.architecture)]
    if problems:
        why = (
            "what is missing would be drawn at random"
            if expected.keys() - tensors.keys()
            else "the weights are not those of the model that is named"
        )
        raise SetupError(
            f"{where}: {'; '.join(problems)}; "
            f"{_saved_under(tensors, model.architecture)}refused, since {why}: name a source of "
            "this very architecture, or correct models.yaml"
        )
    both = [tensors[name] for name in (EMBEDDINGS, OUTPUT) if name in tensors]
    if model.architecture.tied and len(both) == 2 and not equal_bytes(*both):
        raise SetupError(
            f"{where}: {OUTPUT} differs from {EMBEDDINGS}, but models.yaml says tied: true, "
            "under which the first "
            "is never read; say tied: false there if the model has two matrices"
        )


def expected_tensors(shape: Architecture) -> dict[str, tuple[int, ...]]:
    """Return name → shape of every parameter of an architecture, as transformers names them."""
    linear = shape.linear_sizes
    found: dict[str, tuple[int, ...]] = {EMBEDDINGS: (shape.vocabulary, shape.hidden)}
    for layer in range(shape.layers):
        at = f"model.layers.{layer}."
        for name, (into, out) in linear.items():
            part = "mlp" if name in ("gate_proj", "up_proj", "down_proj") else "self_attn"
            found[f"{at}{part}.{name}.weight"] = (out, into)
            if shape.family == "qwen2" and name in ("q_proj", "k_proj", "v_proj"):
                found[f"{at}{part}.{name}.bias"] = (out,)
        for name in ("input_layernorm", "post_attention_layernorm"):
            found[f"{at}{name}.weight"] = (shape.hidden,)
    found["model.norm.weight"] = (shape.hidden,)
    if not shape.tied:
        found[OUTPUT] = (shape.vocabulary, shape.hidden)
    return found


def read_tensors(folder: Path, where: str) -> dict[str, Tensor]:
    """Return every tensor of a folder's weights, as their headers describe them.

    Raises SetupError for a missing shard, and for a file that is not complete safetensors.
    """
    if (folder / _WEIGHTS).is_file():
        return read_header(folder / _WEIGHTS, where)
    if not (folder / INDEX).is_file():
        there = sorted(folder.glob("*.safetensors"))
        if strange := [path.name for path in there if not path.is_file()]:
            raise SetupError(
                f"{where}: {strange[0]} is no file (a folder, or a link to nothing); get it again"
            )
        others = ", ".join(path.name for path in there) or "no safetensors"
        raise SetupError(
            f"{where}: found {others}, expected {_WEIGHTS}, or {INDEX} and the shards that it names"
        )
    named = _index(folder, where)
    shards = sorted(set(named.values()))
    absent = [shard for shard in shards if Path(shard).name != shard or not is_file(folder / shard)]
    if absent:
        raise SetupError(
            f"{where}: {INDEX} names {_some(absent)}, of {len(shards)} shards, which is not "
            "there; the source is incomplete: fetch it again, or name another"
        )
    found: dict[str, Tensor] = {}
    for shard in shards:
        for name, tensor in read_header(folder / shard, where).items():
            if name in found:
                raise SetupError(
                    f"{where}: {_short(name)} is in two shards, {found[name].file.name} and "
                    f"{shard}, and nothing says "
                    "which is meant; name another source of the model"
                )
            found[name] = tensor
    for name, shard in named.items():
        if name not in found or found[name].file.name != shard:
            raise SetupError(
                f"{where}: {INDEX} says that {shard} holds {_short(name)}, which it does "
                "not; fetch it again"
            )
    return found


def _index(folder: Path, where: str) -> dict[str, str]:
    """Return tensor → shard, from the index of a folder."""
    content = read_json_whole(folder / INDEX, where)
    named = content.get("weight_map") if isinstance(content, dict) else None
    if (
        not isinstance(named, dict)
        or "metadata" not in content  # The library reads it first.
        or not all(isinstance(shard, str) for shard in named.values())
    ):
        raise SetupError(
            f"{where}: {INDEX} has no metadata, or no weight_map from tensors to shards; "
            "fetch the model again"
        )
    return named


def _check_configuration(folder: Path, shape: Architecture, where: str) -> None:
    """Compare config.json, which the model is built from, with models.yaml."""
    given, stated = _configuration(folder, where), shape.model_dump()
    for field, ours in CONFIGURED.items():
        if given.get(field) != stated[ours]:
            raise SetupError(
                f"{where}: config.json says {field} {_short(given.get(field))}, models.yaml "
                f"says {ours} {stated[ours]}; "
                "correct it there, or name another source of the model"
            )


def check_family(folder: Path, where: str) -> None:
    """Raise SetupError for a folder whose model is of no family or no size that is known here."""
    given = _configuration(folder, where)
    if (family := given.get("model_type")) not in KNOWN_FAMILIES:
        raise SetupError(
            f"{where}: config.json: found model_type {str(family)[:40]!r}, expected one of "
            f"{', '.join(KNOWN_FAMILIES)}; measure activations that you captured yourself "
            "(--activations, --labels)"
        )
    try:
        Architecture.model_validate(
            {ours: given.get(field) for field, ours in CONFIGURED.items()}, strict=True
        )
    except ValidationError as error:
        problem = explain(error, Architecture)
        for field, ours in CONFIGURED.items():
            problem = problem.replace(f"field {ours}:", f"{field}:")
        raise SetupError(f"{where}: config.json: {problem}; use another copy") from None


def _configuration(folder: Path, where: str) -> dict[str, Any]:
    """Return config.json of a folder that holds a whole model, with plain weights.

    What is not said there is what transformers takes for it.
    """
    path = folder / "config.json"
    if (folder / _ADAPTER).is_file():
        raise SetupError(
            f"{where}: found {_ADAPTER}, so an adapter lies in it, expected a base model "
            "alone; name the model that the "
            "adapter was trained on, or one that it was merged into"
        )
    if not path.is_file():
        raise SetupError(f"{where}: found no config.json; name a source that holds a whole model")
    found = read_json_whole(path, where)
    if not isinstance(found, dict):
        raise SetupError(
            f"{where}: config.json is no mapping of settings; name another source of the model"
        )
    if found.get("quantization_config"):
        raise SetupError(
            f"{where}: config.json says that the weights are stored quantised; name a source "
            "of plain ones, which "
            "are quantised here as the protocol says"
        )
    unsaid = {"num_key_value_heads": found.get("num_attention_heads"), "tie_word_embeddings": False}
    return unsaid | {field: value for field, value in found.items() if value is not None}


def _differences(
    tensors: dict[str, Tensor], expected: dict[str, tuple[int, ...]], shape: Architecture
) -> Iterator[str]:
    """Yield what is missing, foreign, of another shape, or of another format."""
    # One matrix, under either name.
    here = {*tensors, EMBEDDINGS} if shape.tied and OUTPUT in tensors else {*tensors}
    if missing := [name for name in expected if name not in here]:
        yield f"{len(missing)} of {len(expected)} weights are in no file ({_some(missing)})"
    spare = {OUTPUT: expected[EMBEDDINGS]} if shape.tied else {}
    computed = {
        name: (shape.hidden // shape.heads // 2,) for name in tensors if COMPUTED.fullmatch(name)
    }
    known = expected | spare | computed
    if foreign := [name for name in tensors if name not in known]:
        yield f"{len(foreign)} tensors are no weights of this architecture ({_some(foreign)})"
    for name, tensor in tensors.items():
        if name in known and tensor.shape != known[name]:
            yield f"{name} has shape {_times(tensor.shape)}, expected {_times(known[name])}"
            break
    if problem := otherwise_stored(tensors):
        yield problem


def otherwise_stored(tensors: Mapping[str, Tensor]) -> str | None:
    """Return what is said of the first tensor in another format than those of weights."""
    return next(
        (
            f"{_short(name)} is stored as {_short(tensor.dtype)}, expected one of "
            f"{', '.join(STORED)}"
            for name, tensor in tensors.items()
            if tensor.dtype not in STORED
        ),
        None,
    )


def _saved_under(tensors: Iterable[str], shape: Architecture) -> str:
    """Return a hint for names with a prefix, as those of a wrapped or compiled model."""
    first = next(iter(tensors), "")
    prefix = (
        first[: first.find("model.")]
        if "model." in first
        else first[: max(first.find("lm_head."), 0)]
    )
    if not prefix or not all(name.startswith(prefix) for name in tensors):
        return ""
    inside = {name.removeprefix(prefix) for name in tensors}
    if not expected_tensors(shape).keys() <= inside:
        return ""
    return (
        f"every name begins with {prefix!r}, as of a wrapped or compiled model: save it without; "
    )


def _some(names: list[str]) -> str:
    """Return the first three names and the number of others."""
    shown = ", ".join(map(_short, names[:3]))
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _short(value: object) -> str:
    """Return a value from a foreign file, fit for one line."""
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _times(shape: tuple[int, ...]) -> str:
    """Return a shape in words: "4×8"."""
    return "×".join(map(str, shape)) or "a single number"
