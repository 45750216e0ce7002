"""Make an image in steps: containers without network whose file system is kept as a layer."""

import io
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from repro.errors import SetupError
from repro.execute.engine import step_name
from repro.execute.images.rootfs import EPOCH, write_tar
from repro.execute.images.wheels import bring_wheels
from repro.files import digest, file_digest
from repro.plain import Say
from repro.plan.code import PACKAGE, worker_code
from repro.plan.image_lock import DOCKER, ImageName

IMAGE_PYTHON = "/opt/venv/bin/python"
BUILD_ENVIRONMENT = {
    "PATH": "/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PYTHONPATH": "/opt/repro",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "HOME": "/tmp",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRITON_CACHE_DIR": "/tmp/triton",
}


def tag(name: ImageName) -> str:
    """Return an image's name in the engine.

    There is one per version of the worker, so that checkouts do not collide.
    """
    return f"repro-{name}:{digest(worker_code())[:12]}"


def make_packages(
    client: Any,
    name: ImageName,
    base: str,
    requirements: Path,
    packages: str,
    compiler: list[Path],
    scratch: Path,
    say: Say,
) -> None:
    """Install the worker's packages on the base, and name the result `packages`.

    The container sees the wheels and nothing else.
    """
    say(f"bringing the wheels of {requirements.name}")
    wheels = bring_wheels(name, requirements, scratch)
    say(f"installing them into {packages} (no network)")
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        shutil.copy(requirements, Path(folder) / "requirements.lock")
        shutil.copy(DOCKER / "install.py", folder)
        (Path(folder) / "wheelhouse").mkdir()
        mounts = [_seen("/run/build", folder), _seen("/run/build/wheelhouse", str(wheels))]
        command = ["/usr/bin/python3.11", "/run/build/install.py"]
        labels = {"repro.lock": file_digest(requirements), "repro.base": base}
        with _container(client, base, command, mounts=mounts) as container:
            made = _commit(container, None if compiler else packages, labels)
    if compiler:
        say("making Triton's launcher with a compiler that stays outside the image")
        _add_launcher(client, made, packages, compiler, scratch)


def _seen(inside: str, outside: str) -> Any:
    """Return a read-only mount of a host folder.

    A mount leaves no trace in the image; a volume would.
    """
    from docker.types import Mount

    return Mount(inside, outside, type="bind", read_only=True)


def _add_launcher(
    client: Any, image: str, packages: str, compiler: list[Path], scratch: Path
) -> None:
    """Compile Triton's launcher in a temporary container, add it to `image`, and name the
    result `packages`. The compiler stays behind in that container.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        tools = Path(folder) / "tools.tar"
        write_tar(compiler, tools)
        command = [IMAGE_PYTHON, "/run/launcher.py"]
        with _container(client, image, command, start=False, user="0:0") as container:
            container.put_archive("/", tools.read_bytes())
            container.put_archive("/run", _one_file(DOCKER / "launcher.py"))
            _finish(container)
            content = b"".join(container.get_archive("/opt/triton")[0])
    with _container(client, image, [], start=False) as container:
        container.put_archive("/opt", content)
        _commit(container, packages, {})


def _one_file(path: Path) -> bytes:
    """Return a tar archive of one file."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        archive.add(path, path.name)
    return sink.getvalue()


def with_worker(client: Any, name: ImageName, image: str) -> None:
    """Make this machine's image of `name`: the given one with this checkout's worker in the
    place of any other.
    """
    before = client.images.list(tag(name))
    clear = f"import shutil; shutil.rmtree({'/opt/repro'!r}, ignore_errors=True)"
    with _container(
        client, image, [IMAGE_PYTHON, "-c", clear], user="0:0", environment={}
    ) as container:
        container.put_archive("/opt", _worker_tar())
        _commit(container, tag(name), {"repro.code": digest(worker_code())})
    for old in before:  # It lost its name to the new image, and nothing would find it again.
        _remove_nameless(client, old)


def _remove_nameless(client: Any, image: Any) -> None:
    """Remove an image without a name, unless a container still uses it."""
    from docker.errors import APIError, ImageNotFound

    try:
        image.reload()
        if not image.tags:
            client.images.remove(image.id)
    except (APIError, ImageNotFound):
        return  # A container still uses it.


def _worker_tar() -> bytes:
    """Return repro/ as a tar file for /opt, the same bytes for the same sources."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(PACKAGE.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                item = tarfile.TarInfo(f"repro/repro/{path.relative_to(PACKAGE)}")
                item.size, item.mode, item.mtime = path.stat().st_size, 0o644, EPOCH
                archive.addfile(item, io.BytesIO(path.read_bytes()))
    return sink.getvalue()


@contextmanager
def _container(
    client: Any, image: str, command: list[str], start: bool = True, **given: Any
) -> Iterator[Any]:
    """Yield a container without network, and remove it afterwards.

    With `start` it has run `command` successfully.
    """
    given |= {"entrypoint": command or ["/none"], "network_mode": "none", "name": step_name()}
    container = client.containers.create(image, **given)
    try:
        if start:
            _finish(container)
        yield container
    finally:
        container.remove(force=True, v=True)


def _finish(container: Any) -> None:
    """Run a container to its end. Raises SetupError with its last lines when it fails."""
    container.start()
    if container.wait(timeout=3600)["StatusCode"]:
        lines = container.logs().decode(errors="replace").strip().splitlines() or ["no output"]
        raise SetupError(
            f"image: a step of its build failed ({' / '.join(lines[-3:])}); see docker/README.md"
        )


def _commit(container: Any, name: str | None, labels: dict[str, str]) -> str:
    """Make an image of a container, with a name if one is given. Return its id."""
    repository, _, version = (name or "").partition(":")
    made = container.commit(
        repository or None,
        version or None,
        changes=[
            *(f"ENV {key}={value}" for key, value in BUILD_ENVIRONMENT.items()),
            *(f'LABEL {key}="{value}"' for key, value in labels.items()),
            "USER 10001:10001",
            "WORKDIR /tmp",
            f'ENTRYPOINT ["{IMAGE_PYTHON}", "-m", "repro.worker"]',
        ],
    )
    return str(made.id)
