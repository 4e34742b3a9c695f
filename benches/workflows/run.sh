#!/usr/bin/env bash
# Steps of workflows per second on `dacapo serve`, driven by wrk: each request begins an instance of ten steps, each step
# calls another service, and the answer comes when all are done and on the disk. Prints a markdown table.
#
#   benches/workflows/run.sh [ROUNDS] [SECONDS]
#
# Needs cargo, curl, wrk and python3. DACAPO names a binary that is already built. DATA is the folder on whose disk the
# instances are kept [default: a new one below the present folder].
set -euo pipefail
cd "$(dirname "$0")"
rounds=${1:-3} seconds=${2:-5}
steps=10

for tool in curl wrk python3; do
    command -v "$tool" >/dev/null || { echo "run.sh needs $tool, which is not on the PATH" >&2; exit 2; }
done

work=$(mktemp -d "${DATA:-$PWD}/run.XXXXXX")
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
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
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$DACAPO" serve . --listen "127.0.0.1:$port" --host 127.0.0.1 --data "$work/data" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 100); do
    if [ "$(curl --silent --max-time 5 "http://127.0.0.1:$port/")" = "$steps" ]; then break; fi
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done

for _ in $(seq "$rounds"); do
    for clients in 1 16 64; do
        timeout $((seconds + 60)) wrk -t1 "-c$clients" "-d${seconds}s" --timeout 10s --latency "http://127.0.0.1:$port/" |
            awk -v clients="$clients" -v steps="$steps" '
            $1 == "50%" { p50 = $2 }
            $1 == "99%" { p99 = $2 }
            $1 == "Requests/sec:" { rate = $2 }
            /Non-2xx|Socket errors/ { failed = $0 }
            END { printf "%d\t%.0f\t%.0f\t%s\t%s\t%s\n", clients, rate * steps, rate, p50, p99, failed }' >>"$work/results"
    done
done
echo "| instances at once | steps per second | instances per second | p50 of one | p99 | failed |"
echo "|---:|---:|---:|---:|---:|---|"
sort -k1,1n -k2,2nr "$work/results" | sort -t "$(printf '\t')" -u -k1,1n |
    awk -F '\t' '{ printf "| %s | %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5, $6 }'
