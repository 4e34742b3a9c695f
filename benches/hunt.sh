#!/usr/bin/env bash
# The same planted bugs on Dacapo and its peers: executions to find them, as one table. First the twins without the bug
# run, which must survive: an accused twin would mean that something else was counted.
#
#   benches/hunt.sh [CAMPAIGNS] [EXECUTIONS OF EACH TWIN]
set -euo pipefail
cd "$(dirname "$0")/peers"
campaigns=${1:-30} twins=${2:-1000}
bugs="lost-update retry-without-idempotency stale-fill read-without-write-back"
peers="madsim turmoil moonpool"

cargo build --quiet --release --locked --bins
target=$(cargo metadata --format-version 1 --no-deps --offline | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
bin=$target/release

for bug in $bugs; do
    for peer in dacapo $peers; do
        "$bin/hunt-$peer" "$bug" "$twins" twin >&2
    done
done

row() { # BUG, WHO, COMMAND...
    local line
    line=$("${@:3}")
    read -r median p95 ms <<<"$line"
    echo "| $1 | $2 | $median | $p95 | $ms |"
}

echo "| bug | simulator | executions, median | p95 | ms each |"
echo "|---|---|---:|---:|---:|"
for bug in $bugs; do
    for strategy in portfolio uniform; do
        row "$bug" "dacapo, $strategy" "$bin/hunt-dacapo" "$bug" "$campaigns" "$strategy"
    done
    for peer in $peers; do
        row "$bug" "$peer" "$bin/hunt-$peer" "$bug" "$campaigns"
    done
done
