"""A shelf in S3, at any endpoint: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
AWS_DEFAULT_REGION say where and as whom.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import S3Store

from repro.errors import SetupError, first_line

_CODE = re.compile(r"<Code>(\w+)</Code>|status: (\d+)|(error trying to connect[^\",]*)")


@contextmanager
def opened_s3(bucket: str, prefix: str) -> Iterator["S3Shelf"]:
    """Open what lies below a prefix of a bucket.

    Raises SetupError where it cannot be reached, then or later.
    """
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http:")
    try:
        store = S3Store(
            bucket,
            prefix=prefix or None,
            client_options={"allow_http": plain, "connect_timeout": timedelta(seconds=10)},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=60)},
        )
        next(iter(obstore.list(store)), None)  # whether we may look
        yield S3Shelf(store)
    except BaseError as error:
        said = _CODE.search(str(error))
        problem = next(filter(None, said.groups())) if said else first_line(error)
        raise SetupError(
            f"s3://{bucket}: {problem}; correct AWS_ENDPOINT_URL, the bucket's name, or the "
            "credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY); the same command goes on"
        ) from None


class S3Shelf:
    """A bucket, or what lies below a prefix of it. S3 shows no file before it is whole."""

    def __init__(self, store: S3Store) -> None:
        self.store = store

    def names(self, under: str) -> list[str]:
        """Return the names of all files below a folder, sorted."""
        return sorted(one["path"] for some in obstore.list(self.store, under) for one in some)

    def size(self, name: str) -> int | None:
        """Return the bytes of a file; None where there is none."""
        try:
            return obstore.head(self.store, name)["size"]
        except (NotFoundError, FileNotFoundError):
            return None

    def put(self, name: str, file: Path) -> None:
        """Bring a file."""
        obstore.put(self.store, name, file)

    def create(self, name: str, content: bytes) -> bool:
        """Bring a new file, on the condition that there is none (If-None-Match: *)."""
        try:
            obstore.put(self.store, name, content, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        return True

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file. Raises FileNotFoundError where there is none."""
        try:
            yield from map(bytes, obstore.get(self.store, name))
        except NotFoundError:
            raise FileNotFoundError(name) from None
