#!/usr/bin/env bash
# From a fresh clone to a simulated, compared and drawn run, in one command:
#   ./quickstart.sh
# installs what is missing (Debian 12, Ubuntu 24.04; root or sudo), builds build/parley and simulates
# a tiled Cholesky factorisation on four H200 under several mappers. Results go to out/.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=.ci/packages.sh
source .ci/packages.sh

workload=cholesky:tiles=32,tile=2048
machine=h200x4
mappers=(round_robin parla earliest_finish)

install_missing "${BUILD_PACKAGES[@]}"

say "building build/parley (release)"
configure release
cmake --build --preset release --target parley
parley=build/parley

mkdir -p out
say "comparing mappers: $workload on $machine"
policies=()
for mapper in "${mappers[@]}"; do
  policies+=(--policy "mapper=$mapper")
done
"$parley" compare "$workload" --machine "$machine" "${policies[@]}" \
  --json out/comparison.json --csv out/comparison.csv

best=$(python3 - out/comparison.json <<'PYTHON'
import json, sys
rows = json.load(open(sys.argv[1], encoding="utf-8"))["rows"]
print(min(rows, key=lambda row: row["makespan_ns"])["policies"]["mapper"])
PYTHON
)

say "the best of them in detail: $best"
"$parley" sim "$workload" --machine "$machine" --mapper "$best" \
  --summary out/summary.json --trace out/trace.json

say "drawing"
"$parley" plot gantt out/summary.json -o out/gantt.png
"$parley" plot compare out/comparison.json -o out/comparison.png

cat <<TEXT

Done in $SECONDS s. Written:
  out/gantt.png        what each GPU and copy engine of the best run does over time
  out/comparison.png   the mappers beside each other (figures: out/comparison.csv, .json)
  out/trace.json       the same run for Perfetto: open https://ui.perfetto.dev, "Open trace file"
  out/summary.json     the run's figures, tasks and copies
Next: $parley --help, $parley list policies, or a workload of your own (README.md).
TEXT
