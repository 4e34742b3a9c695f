#!/usr/bin/env bash
# The same ping-pong on Dacapo and its peers, alternately, on this machine: prints one table of
# nanoseconds and deliveries per second (a delivery is a request or a response handed to its
# receiver). The best of ROUNDS counts, because whatever else a machine does only adds to a time.
#
#   benches/peers.sh [ROUNDS] [CALLS]
set -euo pipefail
cd "$(dirname "$0")/peers"
rounds=${1:-5} calls=${2:-100000}
peers="dacapo madsim moonpool-rpc turmoil-http turmoil moonpool"

cargo build --quiet --release --locked --bins
target=$(cargo metadata --format-version 1 --no-deps --offline | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

measure() { # IN_FLIGHT: lines of "peer nanoseconds"
    for _ in $(seq "$rounds"); do
        for peer in $peers; do
            echo "$peer $("$target/release/$peer" "$calls" "$1")"
        done
    done
}

table() { # TITLE, lines on stdin
    awk -v title="$1" -v peers="$peers" '
        !($1 in best) || $2 < best[$1] { best[$1] = $2 }
        END {
            printf "\n| %s | ns per delivery | deliveries per second | Dacapo is faster by |\n|---|---:|---:|---:|\n", title
            n = split(peers, names)
            for (i = 1; i <= n; i++) {
                ns = best[names[i]]
                printf "| %s | %.0f | %.2f M | %.1f |\n", names[i], ns, 1000 / ns, ns / best["dacapo"]
            }
        }'
}

measure 1 | table "one call at a time"
measure 100 | table "100 calls in flight"
