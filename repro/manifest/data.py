"""Where training texts come from: one entry of manifests/datasets.yaml.

Local sources need no download: the interpreter's own library, its documentation, and generated problems. Hub sources
are pinned to a revision. A domain (code, math, natural_language, …) is a list of sources in equal shares
(docs/SCIENCE.md §9).
"""

from typing import Annotated, Literal

from pydantic import Field

from repro.frozen import Frozen
from repro.manifest.model import Revision


class HubDataset(Frozen):
    """A data set on the hub at a pinned revision."""

    kind: Literal["hub"] = "hub"
    repository: str
    revision: Revision
    configuration: str | None = None
    split: str = "train"
    files: tuple[str, ...] = ()
    """Files inside the repository to read directly, for sets that are published as a script."""
    template: str
    """How one record becomes one text, e.g. ``{question}\\n{answer}``."""
    note: str = ""


class StandardLibrary(Frozen):
    """Functions and classes of the running interpreter's standard library, as code."""

    kind: Literal["standard_library"] = "standard_library"


class PythonTopics(Frozen):
    """Paragraphs of prose from the interpreter's language reference (``pydoc_data.topics``)."""

    kind: Literal["python_topics"] = "python_topics"


class ReasoningGym(Frozen):
    """Generated problems with their answers (package reasoning-gym)."""

    kind: Literal["reasoning_gym"] = "reasoning_gym"
    task: str
    size: int = Field(gt=0)
    seed: int = 0


class Source(Frozen):
    """A named source of training texts."""

    id: str
    data: Annotated[HubDataset | StandardLibrary | PythonTopics | ReasoningGym, Field(discriminator="kind")]
