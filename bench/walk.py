"""Compare a model that is measured block by block with the whole one, and its memory with the plan.

Time is processor time of one thread over the same forward passes: the whole model's alone, without
loading it, against the walk with reading its weights. Models that are not in the cache are left
out.
"""

import tempfile
from pathlib import Path
from time import process_time

import torch

from bench.shaped import held_gibibytes, measure
from bench.table import Row, missing, row
from repro.cache import is_fetched, model_folder
from repro.cost.walked import walked_gibibytes
from repro.diagnose.capture import full_precision
from repro.diagnose.walk import Pass, passes_over, walk
from repro.execute.folders import cache_folder
from repro.manifest.load import load_experiment
from repro.manifest.probes import load_probe_set
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.plan.weight_files import read_tensors
from repro.train.model import load_base, load_skeleton, load_tokenizer, without_dropout

MODELS = ("smollm2-135m", "qwen2.5-coder-1.5b-instruct")


def rows() -> list[Row]:
    """Return time and memory of each model."""
    found: list[Row] = []
    for run in expand(load_experiment("base_geometry_laptop"), local_environment()):
        folder = model_folder(cache_folder(), run.model.folder)
        if run.model.id in MODELS and is_fetched(folder):
            found += [memory(run), time(run, folder)]
        elif run.model.id in MODELS:
            found.append(missing(f"{run.model.id} block by block", "not in the cache"))
    return found


def memory(run: Run) -> Row:
    """Return the memory that a walked run held over what the plan says."""
    with tempfile.TemporaryDirectory() as scratch:
        held = held_gibibytes(measure(run, Path(scratch), cache_folder()).path)
    planned = walked_gibibytes(run)
    note = f"{held:.2f} of {planned:.2f} GiB"
    name = f"{run.model.id} block by block: held / planned memory"
    return row(name, held / planned, "×", 1.15, at_most=True, note=note)


def time(run: Run, folder: Path) -> Row:
    """Return the time of a walk over that of the whole model's forward passes."""
    torch.set_num_threads(run.threads)
    texts = load_probe_set(run.probe_set).texts()
    passes = passes_over(load_tokenizer(folder), texts)
    whole = load_base(folder, run.training)
    forward(whole, passes[:1])  # the first product initialises the library
    begun = process_time()
    forward(whole, passes)
    plain, begun = process_time() - begun, process_time()
    with tempfile.TemporaryDirectory() as scratch:
        files, state = read_tensors(folder, str(folder)), Path(scratch) / "walk.safetensors"
        walk(load_skeleton(folder, run.training), files, passes, state, lambda *_: None)
    walked = process_time() - begun
    note = f"{walked:.1f} and {plain:.1f} s of one thread"
    name = f"{run.model.id} block by block against model(**batch)"
    return row(name, walked / plain, "×", 1.3, at_most=True, note=note)


@torch.no_grad()
def forward(model: torch.nn.Module, passes: list[Pass]) -> None:
    """Run the whole decoder over the passes."""
    with without_dropout(model), full_precision(model):
        for ids, mask in passes:
            model.get_decoder()(input_ids=ids, attention_mask=mask, use_cache=False)  # type: ignore[operator]  # a method of transformers models


if __name__ == "__main__":
    for line in rows():
        print(line)
