#!/usr/bin/env bash
# Durable increments over HTTP: `dacapo serve` beside npm's workerd, both with storage on the same disk, driven by wrk
# in turns: one hot object, and 10,000 objects. Prints a markdown table: the best round of each, and what the disk
# itself takes for a sync.
#
#   benches/objects/run.sh [ROUNDS] [SECONDS]
#
# Needs cargo, npm, curl, wrk and python3. DACAPO names a binary that is already built. DATA is the folder on whose disk
# the objects are kept [default: a new one below the present folder].
set -euo pipefail
cd "$(dirname "$0")"
rounds=${1:-3} seconds=${2:-5}

for tool in npm curl wrk python3; do
    command -v "$tool" >/dev/null || { echo "run.sh needs $tool, which is not on the PATH" >&2; exit 2; }
done

work=$(mktemp -d "${DATA:-$PWD}/run.XXXXXX")
declare -A server port
finish() {
    for pid in "${server[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

if [ -z "${DACAPO:-}" ]; then
    (cd ../.. && cargo xtask setup >&2 && cargo build --release --locked --package dacapo >&2)
    DACAPO=$(cd ../.. && cargo metadata --format-version 1 --no-deps |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/dacapo
fi
(timeout 300 npm install --silent --no-audit --no-fund --prefix "$work" workerd >&2)
mkdir "$work/dacapo" "$work/workerd"

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() { # NAME COMMAND..., where PORT in the command stands for the port
    local name=$1
    shift
    port[$name]=$(free_port)
    "${@//PORT/${port[$name]}}" >"$work/$name.log" 2>&1 &
    server[$name]=$!
    for _ in $(seq 100); do
        if curl --silent --fail --max-time 1 "http://127.0.0.1:${port[$name]}/probe" >/dev/null; then return; fi
        kill -0 "${server[$name]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "$name does not answer; it says:" >&2
    cat "$work/$name.log" >&2
    return 1
}

start dacapo "$DACAPO" serve . --listen 127.0.0.1:PORT --host 127.0.0.1 --data "$work/dacapo"
start workerd "$work/node_modules/.bin/workerd" serve workerd.capnp --socket-addr http=127.0.0.1:PORT \
    --directory-path data="$work/workerd"

drive() { # NAME PATTERN CONNECTIONS
    local script=()
    [ "$2" = hot ] || script=(-s spread.lua)
    timeout $((seconds + 60)) wrk -t1 "-c$3" "-d${seconds}s" --timeout 10s --latency "${script[@]}" \
        "http://127.0.0.1:${port[$1]}/hot" | awk -v name="$1" -v what="$2, $3 at once" '
        $1 == "50%" { p50 = $2 }
        $1 == "99%" { p99 = $2 }
        $1 == "Requests/sec:" { rate = $2 }
        /Non-2xx|Socket errors/ { failed = $0 }
        END { printf "%s\t%s\t%s\t%s\t%s\t%s\n", what, name, rate, p50, p99, failed }' >>"$work/results"
}

for _ in $(seq "$rounds"); do
    for what in "hot 1" "hot 64" "10,000 64"; do
        for name in dacapo workerd; do drive "$name" ${what% *} "${what#* }"; done
    done
done

python3 - "$work" <<'PY'
import os, sys, time
path = os.path.join(sys.argv[1], "fsync")
times = []
with open(path, "wb", buffering=0) as file:
    for _ in range(300):
        file.write(b"x" * 150)
        begun = time.perf_counter()
        os.fsync(file.fileno())
        times.append((time.perf_counter() - begun) * 1e6)
times.sort()
print(f"A sync of 150 bytes on this disk: p50 {times[150]:.0f} us, p99 {times[297]:.0f} us.\n")
PY
echo "| objects | server | increments per second | p50 | p99 | failed |"
echo "|---|---|---:|---:|---:|---|"
sort -t "$(printf '\t')" -k1,1 -k2,2 -k3,3gr "$work/results" | sort -t "$(printf '\t')" -u -k1,1 -k2,2 |
    awk -F '\t' '{ printf "| %s | %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5, $6 }'
