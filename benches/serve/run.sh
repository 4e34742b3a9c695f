#!/usr/bin/env bash
# Hello world over HTTP/1.1 on loopback: `dacapo serve` beside npm's workerd and deno, one process of
# each, driven by wrk in turns. Prints a markdown table: the best round of each.
#
#   benches/serve/run.sh [ROUNDS] [SECONDS]
#
# Needs cargo, npm, curl and wrk. DACAPO names a binary that is already built. Servers are stopped and
# downloaded packages removed at the end, however it ends.
set -euo pipefail
cd "$(dirname "$0")"
rounds=${1:-3} seconds=${2:-10}

for tool in npm curl wrk; do
    command -v "$tool" >/dev/null || { echo "run.sh needs $tool, which is not on the PATH" >&2; exit 2; }
done

work=$(mktemp -d)
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
(cd "$work" && timeout 300 npm install --silent --no-audit --no-fund --prefix "$work" workerd deno >&2)
bin="$work/node_modules/.bin"

free_port() {
    for _ in $(seq 100); do
        local port=$((20000 + RANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    echo "run.sh found no free port" >&2
    return 1
}

start() { # NAME COMMAND..., where PORT in the command stands for the port
    local name=$1
    shift
    port[$name]=$(free_port)
    "${@//PORT/${port[$name]}}" >"$work/$name.log" 2>&1 &
    server[$name]=$!
    for _ in $(seq 100); do
        if [ "$(curl --silent --max-time 1 "http://127.0.0.1:${port[$name]}/")" = "hello, world" ]; then return; fi
        kill -0 "${server[$name]}" 2>/dev/null || break
        sleep 0.1
    done
    echo "$name does not answer; it says:" >&2
    cat "$work/$name.log" >&2
    return 1
}

start "dacapo serve --loops 1" "$DACAPO" serve . --loops 1 --listen 127.0.0.1:PORT --host 127.0.0.1
start "dacapo serve" "$DACAPO" serve . --listen 127.0.0.1:PORT --host 127.0.0.1
start "workerd" "$bin/workerd" serve workerd.capnp --socket-addr http=127.0.0.1:PORT
start "deno" "$bin/deno" run --quiet --no-config --allow-net hello.deno.js PORT
names=("dacapo serve --loops 1" "dacapo serve" "workerd" "deno")

drive() { # PORT SECONDS: wrk's own summary
    timeout $(($2 + 30)) wrk -t1 -c64 -d"$2s" --latency "http://127.0.0.1:$1/"
}

for name in "${names[@]}"; do drive "${port[$name]}" 2 >/dev/null; done
for _ in $(seq "$rounds"); do
    for name in "${names[@]}"; do
        drive "${port[$name]}" "$seconds" | awk -v name="$name" '
            $1 == "50%" { p50 = $2 }
            $1 == "99%" { p99 = $2 }
            $1 == "Requests/sec:" { rate = $2 }
            /Non-2xx|Socket errors/ { failed = $0 }
            END { printf "%s\t%s\t%s\t%s\t%s\n", name, rate, p50, p99, failed }' >>"$work/results"
    done
done

# A server that answers with errors has not won.
if grep -q 'Non-2xx\|Socket errors' "$work/results"; then
    echo "not every request was answered:" >&2
    cat "$work/results" >&2
    exit 1
fi

echo "| server | version | requests per second | p50 | p99 |"
echo "|---|---|---:|---:|---:|"
version() {
    local binary="$bin/$1"
    case $1 in dacapo*) binary=$DACAPO ;; esac
    # Pre-releases and dates count too: 0.1.0, 2026-01-31.
    "$binary" --version 2>/dev/null | grep --only-matching --max-count=1 '[0-9][0-9a-z.-]*' | head -n 1 || true
}
for name in "${names[@]}"; do
    awk -F'\t' -v name="$name" -v version="$(version "$name")" '
        $1 == name && $2 > rate { rate = $2; p50 = $3; p99 = $4 }
        END { printf "| %s | %s | %d | %s | %s |\n", name, version, rate, p50, p99 }' "$work/results"
done
