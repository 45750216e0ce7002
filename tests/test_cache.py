"""Where things lie in the cache, and which entries are repro's own."""

from pathlib import Path

from repro.cache import (
    IDENTITY,
    LIST,
    image_record,
    is_fetched,
    model_folder,
    partial,
    read_own,
    record_as_ours,
)


def test_a_model_is_there_once_its_identity_is(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, "tiny-0123")
    folder.mkdir(parents=True)
    assert not is_fetched(folder)
    (folder / IDENTITY).write_text("{}")
    assert is_fetched(folder)
    assert not is_fetched(partial(folder)), "what is being brought lies beside it"
    assert partial(folder).parent == folder.parent


def test_own_entries_are_those_that_were_noted_and_lie_in_a_room_of_the_cache(
    tmp_path: Path,
) -> None:
    record_as_ours(
        tmp_path, [model_folder(tmp_path, "tiny-0123"), tmp_path / "data" / "code.jsonl"]
    )
    record_as_ours(tmp_path, [model_folder(tmp_path, "tiny-0123")])
    with (tmp_path / LIST).open("a") as file:
        file.write("../elsewhere\nmodels/../../elsewhere\n")
    assert read_own(tmp_path) == {"models/tiny-0123", "data/code.jsonl"}
    assert len((tmp_path / LIST).read_text().splitlines()) == 4, "noted once each"


def test_the_record_of_an_image_is_named_after_it(tmp_path: Path) -> None:
    assert image_record(tmp_path, "cpu") != image_record(tmp_path, "cuda")
