"""A web server on loopback that answers what a test decides: the ground that every small hub stands
on.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

Answer = tuple[int, dict[str, str], bytes]
"""(status, headers, content). Headers may promise a longer Content-Length than follows: then the
answer breaks off.
"""


class Request(NamedTuple):
    """What a hub may look at. HEAD is answered like GET, only without the content."""

    path: str
    part: str | None
    """The Range header."""
    wanted: bool
    """Whether the content is."""


@contextmanager
def serving(decide: Callable[[Request], Answer]) -> Iterator[str]:
    """The address at which `decide` is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(wanted=False)

        def do_GET(self) -> None:
            self.answer(wanted=True)

        def answer(self, wanted: bool) -> None:
            status, headers, content = decide(Request(self.path, self.headers.get("Range"), wanted))
            self.send_response(status)
            for key, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            if wanted:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
