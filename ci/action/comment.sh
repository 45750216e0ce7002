#!/usr/bin/env bash
# Comment on the pull request, or renew this action's earlier comment.
. "$(dirname "$0")/places.sh"
exec "$VENV/bin/python" "$here/ci/action/comment.py" "${COMMENT:?the file to post}"
