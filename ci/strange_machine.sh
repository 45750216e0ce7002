#!/usr/bin/env bash
# The stage on a strange machine: a fresh Debian without a compiler, another Python, a user who is not root, a path with
# spaces, pip with PyPI alone and none of this machine's settings. There a clone of HEAD makes its environment and runs
# the smoke manifest as the README says.
#
#   ci/strange_machine.sh [COMMAND…]        default: make reproduce MANIFEST=smoke
#
# SUITE=bookworm takes Debian 12 (Python 3.11) instead of 13 (Python 3.13). Exits 77 where it cannot run.
set -euo pipefail
cd "$(dirname "$0")/.."
skip() { echo "strange machine SKIPPED: $1"; exit 77; }
[ "$(id -u)" = 0 ] || skip "not root"
if ! command -v mmdebstrap > /dev/null; then
  apt-get update -qq > /dev/null 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends mmdebstrap > /dev/null 2>&1 \
    || skip "package mmdebstrap cannot be installed"
fi
suite=${SUITE:-trixie}
outside=$(mktemp -d)
root=$outside/root
leave() {
  umount --recursive "$root/proc" "$root/dev" 2> /dev/null || true
  rm -rf --one-file-system "$outside"
}
trap leave EXIT
chmod 755 "$outside"
mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,make,git,ca-certificates "$suite" "$outside/root.tar" \
  || skip "Debian's mirror does not give $suite"
mkdir "$root"
tar -xf "$outside/root.tar" -C "$root"
rm "$outside/root.tar"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
certificates=/etc/ssl/certs/ca-certificates.crt
cp "$certificates" "$root$certificates"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount --bind /dev/pts "$root/dev/pts" # terminals
chmod 1777 "$root/tmp"
chroot "$root" useradd --create-home stranger
git clone --quiet . "$root/home/stranger/project with spaces é"
chroot "$root" chown -R stranger:stranger /home/stranger
mapfile -t proxies < <(env | grep -iE '^(https?|no)_proxy=' || true)
[ $# -gt 0 ] || set -- make reproduce MANIFEST=smoke
chroot "$root" /usr/bin/env -i HOME=/home/stranger PATH=/usr/bin:/bin LANG=C PIP_CONFIG_FILE=/dev/null \
  PIP_CERT="$certificates" SSL_CERT_FILE="$certificates" "${proxies[@]}" \
  setpriv --reuid stranger --regid stranger --init-groups \
  bash -c 'cd "/home/stranger/project with spaces é" && exec "$@"' stranger "$@" < /dev/null
