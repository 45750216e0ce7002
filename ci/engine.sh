# Sourced by the stages. One stage at a time on a machine, whichever copy it belongs to: they use its one container engine,
# fixed ports and most of its processors. And a container engine that answers: the one that is there, which is left
# alone, or a dockerd of our own, which is stopped.
engine_daemon=

one_stage_at_a_time() {
  local lock=/run/lock/repro-stage.lock
  (umask 0 && : >> "$lock") 2> /dev/null || true
  [ -r "$lock" ] || return 0  # no such folder here: a machine without other stages' locks either
  exec 8< "$lock"
  flock --nonblock 8 || { echo "$1: another stage is at work on this machine; waiting for it" && flock 8; }
}

engine_answers() {
  "${VENV:-.venv}"/bin/python -c 'from docker.client import DockerClient; DockerClient.from_env(timeout=5).ping()' 2> /dev/null
}

# start_engine LOG: 0 when an engine answers, else 1, with the reason in LOG.
start_engine() {
  engine_answers && return 0
  [ "$(id -u)" = 0 ] || { echo "error: starting dockerd needs root" > "$1" && return 1; }
  command -v dockerd > /dev/null || { echo "error: no dockerd" > "$1" && return 1; }
  dockerd > "$1" 2>&1 8<&- &
  engine_daemon=$!
  for _ in $(seq 30); do
    engine_answers && return 0
    kill -0 "$engine_daemon" 2> /dev/null || return 1
    sleep 0.5
  done
  return 1
}

stop_engine() {
  [ -n "$engine_daemon" ] || return 0
  kill "$engine_daemon" 2> /dev/null || true
  wait "$engine_daemon" 2> /dev/null || true
  engine_daemon=
}

# install_engine: 0 when dockerd is here, put there from Debian where root and a mirror allow; so for the registry of a test.
install_engine() {
  command -v dockerd > /dev/null && return 0
  engine_answers && return 0
  [ "$(id -u)" = 0 ] || return 1
  apt-get update -qq > /dev/null 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends docker.io iptables > /dev/null 2>&1 || return 1
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends docker-registry > /dev/null 2>&1 || true
}

# build_or_moved NAME: the locked image; where Debian has moved on and no .debs were kept, one of today's packages that
# smoke finds equal to the local runner. Says which.
build_or_moved() {
  "${VENV:-.venv}"/bin/repro images "$1" && return 0
  echo "image $1: not as locked (see above); building from the packages Debian has now, for this machine alone"
  "${VENV:-.venv}"/bin/repro images "$1" --moved
}
