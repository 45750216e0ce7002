"""Post a file as a comment on the pull request of this job, or renew the comment posted before.

    comment.py FILE        with INPUT_TOKEN, GITHUB_EVENT_PATH, GITHUB_REPOSITORY, GITHUB_API_URL

A comment is this action's own where it begins with the file's first line, which names the manifest.
Where the token may not comment (a pull request from a fork), a line says so, and the job goes on:
the same words are in the job's summary.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

LONGEST = 65_000
"""Characters that GitHub takes in a comment, less a few."""
PAGE = 100


def post_comment(text: str, number: int) -> str:
    """Post or renew the comment; return where it is. Raises urllib.error.HTTPError."""
    mark, at = text.split("\n", 1)[0], f"/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    own = _earlier(mark, f"{at}/{number}/comments")
    body = {"body": _shortened(text)}
    if own is None:
        return str(_call("POST", f"{at}/{number}/comments", body)["html_url"])
    return str(_call("PATCH", f"{at}/comments/{own}", body)["html_url"])


def _earlier(mark: str, at: str) -> int | None:
    """Return the number of the comment that begins with a mark; None without one."""
    page = 1
    while found := _call("GET", f"{at}?per_page={PAGE}&page={page}"):
        for comment in found:
            if str(comment["body"]).startswith(mark):
                return int(comment["id"])
        if len(found) < PAGE:
            return None
        page += 1
    return None


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    kept = text[:LONGEST].rsplit("\n", 1)[0]
    return f"{kept}\n\n…and more; the job's summary and its files have all of it.\n"


def _call(method: str, at: str, body: object = None) -> Any:
    """Send one request; return its JSON."""
    request = urllib.request.Request(
        os.environ.get("GITHUB_API_URL", "https://api.github.com") + at,
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={
            "Authorization": f"Bearer {os.environ['INPUT_TOKEN']}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def main(file: Path) -> None:
    """Post the file where the job has a pull request."""
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text("utf-8"))
    number = (event.get("pull_request") or {}).get("number")
    if number is None:
        print("no pull request: nothing to comment on")
        return
    try:
        print(post_comment(file.read_text("utf-8"), number))
    except urllib.error.HTTPError as error:
        if error.code not in (401, 403, 404):
            raise
        print(f"the token may not comment here ({error.code}); the job's summary has the words")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
