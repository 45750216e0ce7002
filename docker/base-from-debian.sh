#!/usr/bin/env bash
# The small CPU base as a tar file, from Debian packages alone: for machines that reach a Debian mirror but no registry.
#
#   docker/base-from-debian.sh OUT.tar [SUITE]
#
# Same packages, same bytes: times are fixed, and what differs from one day or machine to the next (package lists, logs,
# caches, host names) is left out. No compiler, no package manager's caches, no documentation.
set -euo pipefail
out=${1:?usage: docker/base-from-debian.sh OUT.tar [SUITE]}
suite=${2:-bookworm}
command -v mmdebstrap >/dev/null || { echo "base-from-debian: mmdebstrap is missing: apt-get install mmdebstrap" >&2; exit 2; }

mirror=()
if sources=$(grep -lE "^(deb |URIs:)" /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null) && grep -qs "^VERSION_CODENAME=$suite" /etc/os-release; then
  # This machine's own mirrors of the suite: on a closed network there is no other. Debian's key ring still decides.
  mapfile -t mirror <<<"$sources"
fi

SOURCE_DATE_EPOCH=1700000000 mmdebstrap --quiet --variant=minbase --mode=auto \
  --include=python3,python3-venv \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
  --customize-hook='find "$1/usr/lib" "$1/usr/share" -name __pycache__ -type d -prune -exec rm -rf {} +' \
  --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/* "$1"/var/log/* "$1"/tmp/* "$1"/etc/apt/sources.list*' \
  --customize-hook='rm -f "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/machine-id "$1"/var/lib/dbus/machine-id' \
  "$suite" "$out" "${mirror[@]}"
