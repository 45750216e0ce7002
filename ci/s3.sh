#!/usr/bin/env bash
# Starts a real S3 server (Ceph's object gateway over one daemon that keeps everything in memory) on
# loopback, runs a command with the variables that reach it, and ends it.
#
#   ci/s3.sh .venv/bin/python -m pytest tests/share
#
# Needs Debian's packages ceph-mon, ceph-osd and radosgw, and installs them where it may. Prints SKIPPED and why, and exits 77,
# where they cannot be had, or the server does not start.
set -euo pipefail
skip() { echo "S3 stage SKIPPED: $1"; exit 77; }
here() { for program in ceph-mon ceph-osd radosgw radosgw-admin ceph monmaptool; do command -v "$program" > /dev/null || return 1; done; }
if ! here && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ceph-mon ceph-osd radosgw) > /dev/null 2>&1 || true
fi
here || skip "no Ceph here, and ceph-mon, ceph-osd and radosgw cannot be installed (root and a Debian mirror are needed)"
made=$(mktemp -d)
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
mon=$(port) web=$(port) fsid=$(cat /proc/sys/kernel/random/uuid)
pids=()
stop() { kill "${pids[@]}" 2> /dev/null || true; wait 2> /dev/null || true; rm -rf "$made"; }
trap stop EXIT
cat > "$made/ceph.conf" << CONF
[global]
fsid = $fsid
mon host = [v1:127.0.0.1:$mon]
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 1073741824
run dir = $made
admin socket = $made/\$name.sock
log file = $made/\$name.log
mon data = $made/mon
osd data = $made/osd
rgw data = $made/rgw
rgw frontends = beast endpoint=127.0.0.1:$web
rgw dns name = 127.0.0.1
CONF
export CEPH_CONF="$made/ceph.conf"
mkdir -p "$made/mon" "$made/osd" "$made/rgw"
start() {
  local osd try
  osd=$(cat /proc/sys/kernel/random/uuid)
  ceph-authtool --create-keyring "$made/keyring" --gen-key -n mon. --cap mon 'allow *' &&
    monmaptool --create --fsid "$fsid" --addv a "[v1:127.0.0.1:$mon]" "$made/monmap" &&
    ceph-mon --mkfs -i a --monmap "$made/monmap" --keyring "$made/keyring" || return
  ceph-mon -f -i a & pids+=($!)
  timeout 60 ceph osd new "$osd" && ceph-osd -i 0 --mkfs --osd-uuid "$osd" || return
  ceph-osd -f -i 0 & pids+=($!)
  timeout 60 radosgw-admin user create --uid repro --display-name repro --access-key reprokey --secret-key reprosecret || return
  radosgw -f -n client.rgw & pids+=($!)
  for try in $(seq 60); do
    if (exec 3<> "/dev/tcp/127.0.0.1/$web"); then return 0; fi
    sleep 1
  done
  echo "nobody listens after $try seconds"
  return 1
}
start > "$made/start.log" 2>&1 || skip "Ceph's object gateway does not start here ($(tail -n 1 "$made/start.log"))"
export AWS_ENDPOINT_URL="http://127.0.0.1:$web" AWS_ACCESS_KEY_ID=reprokey AWS_SECRET_ACCESS_KEY=reprosecret
export AWS_DEFAULT_REGION=us-east-1 REPRO_TEST_S3=s3://tests
python3 - << 'BUCKET'
import base64, email.utils, hmac, os, urllib.request
date = email.utils.formatdate(usegmt=True)
mac = hmac.new(os.environ["AWS_SECRET_ACCESS_KEY"].encode(), f"PUT\n\n\n{date}\n/tests".encode(), "sha1")
sign = f"AWS {os.environ['AWS_ACCESS_KEY_ID']}:{base64.b64encode(mac.digest()).decode()}"
asked = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/tests", method="PUT", headers={"Date": date, "Authorization": sign})
urllib.request.urlopen(asked).close()
BUCKET
"$@"
