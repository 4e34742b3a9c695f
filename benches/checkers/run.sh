#!/usr/bin/env bash
# Judges the same histories with dacapo-check and with porcupine (Go).
#
#   PORCUPINE=path/to/a/checkout benches/checkers/run.sh
#
# Needs Go, and a checkout of github.com/anishathalye/porcupine. The numbers are in docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${PORCUPINE:?says where porcupine is checked out}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --quiet --release --package dacapo-benches --no-default-features --example judge_histories
judge=target/release/examples/judge_histories
cp benches/checkers/main.go "$work"
cat > "$work/go.mod" <<MOD
module checkers

go 1.16

require github.com/anishathalye/porcupine v0.0.0

replace github.com/anishathalye/porcupine => $(realpath "$PORCUPINE")
MOD
(cd "$work" && GOFLAGS=-mod=mod go build -o porcupine .)

"$judge" write "$work"
for history in "$work"/*.txt; do
  echo "$(basename "$history" .txt)"
  echo "  dacapo-check: $("$judge" judge "$history")"
  echo "  porcupine:    $("$work/porcupine" "$history" | sed 's/.*: //')"
done
