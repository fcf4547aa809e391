#!/usr/bin/env bash
# Builds and runs, on a machine with NVIDIA GPUs, everything that needs one.
#   tests/gpu.sh OUT [STEP...]
# Steps, all by default and in this order:
#   build       the release preset: parley, test_gpu, bench_raw_cuda
#   test        tests on GPUs, among them PARLEY_GPU_PROBLEMS random programs (1000)
#   raw         what plain CUDA does here
#   calibrate   measures this machine into OUT/machine.json
#   speed       parley beside plain CUDA; with OUT/machine.json its predictions, too
#   prediction  measured beside simulated runs
#   sanitizer   compute-sanitizer memcheck on some kernels and a lesson, where the tool is installed
# OUT gets results.md, log.txt, gpu.json, raw.jsonl, machine.json and prediction.csv, as far as the
# steps make them; results of steps not asked for stay. PARLEY_SKIP_SETUP=1 installs nothing,
# PARLEY_BUILD names another build folder, PARLEY_PREDICTION_FOLDER one (from the project's folder)
# that keeps the journals of all runs predicted (prediction.py --again simulates them anew).
# PARLEY_GPU_SECONDS (1500) is the time for all, enough on two GPUs; what there is no time for is
# left out and said. Steps may be run one by one into the same OUT. The exit status is zero
# only if no step failed.
set -uo pipefail

usage() { sed -n '2,18s/^# \{0,1\}//p' "$0"; }

ALL_STEPS=(build test raw calibrate speed prediction sanitizer)
[[ ${1:-} == -h || ${1:-} == --help ]] && { usage; exit 0; }
[[ $# -ge 1 ]] || { usage >&2; exit 2; }
mkdir -p "$1" || exit 2
out=$(cd "$1" && pwd)
shift
steps=("$@")
(($# > 0)) || steps=("${ALL_STEPS[@]}")
cd "$(dirname "$0")/.." || exit 2
# shellcheck source=.ci/packages.sh
source .ci/packages.sh
for step in "${steps[@]}"; do
  [[ " ${ALL_STEPS[*]} " == *" $step "* ]] || die "unknown step: $step; allowed: ${ALL_STEPS[*]}"
done

build=${PARLEY_BUILD:-build}
budget=${PARLEY_GPU_SECONDS:-1500}
gpus=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | wc -l)
if [[ -n ${CUDA_VISIBLE_DEVICES+set} ]]; then  # CUDA shows those up to the first that is none
  shown=$(tr ',' '\n' <<<"$CUDA_VISIBLE_DEVICES" | sed '/^-1$/,$d' | grep -c .)
  ((shown < gpus)) && gpus=$shown
fi
((gpus > 0)) || die "no GPU found: nvidia-smi lists none, or CUDA_VISIBLE_DEVICES hides all"
counts=1
((gpus > 1)) && counts=1,2
((gpus > 3)) && counts=1,2,4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
log=$out/log.txt
(($# > 0)) || rm -f "$log"  # steps run one by one add to it
touch "$log"
failed=0
end=$((SECONDS + budget))

# left MOST: seconds that a step may take, at most MOST.
left() {
  local seconds=$((end - SECONDS))
  ((seconds > $1)) && seconds=$1
  ((seconds < 1)) && seconds=1
  echo "$seconds"
}

# share STEP PERCENT: seconds of what is left that the step may take, so that the steps after it have
# some; all of it when it is asked for alone.
share() {
  if [[ ${steps[*]} == "$1" ]]; then echo "$budget"; else echo $(((end - SECONDS) * $2 / 100)); fi
}

# verdict NAME TEXT SECONDS: how a step ended; results.md is made of these lines.
verdict() { printf '== %s: %s, %s s\n' "$1" "$2" "$3" | tee -a "$log"; }

# run NAME MOST COMMAND...: a step, with its output in the log and on the terminal.
run() {
  local name=$1 most=$2 start=$SECONDS seconds status text="ok"
  seconds=$(left "$most")
  shift 2
  if ((SECONDS >= end)); then
    verdict "$name" "not run for want of time" 0
    return 1
  fi
  say "$name"
  printf '\n-- %s: %s\n' "$name" "$*" >>"$log"
  timeout --kill-after=10 "$seconds" "$@" 2>&1 | tee -a "$log" | sed -u 's/^\(.\{300\}\).*/\1.../; s/^/  /'
  status=${PIPESTATUS[0]}
  local was_late=$((SECONDS - start >= seconds))  # else it was killed for something else
  if ((was_late && (status == 124 || status == 137) && seconds < most)); then
    text="cut off for want of time"
  elif ((was_late && (status == 124 || status == 137))); then
    text="FAILED: took longer than $most s"
  elif ((status != 0)); then
    text="FAILED: exit code $status"
  fi
  [[ $text == FAILED* ]] && failed=1
  verdict "$name" "$text" "$((SECONDS - start))"
  return "$status"
}

wants() { [[ " ${steps[*]} " == *" $1 "* ]]; }

machine_file() { if [[ -s $out/machine.json ]]; then echo "$out/machine.json"; fi; }

step_build() {
  install_missing "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
  local launcher=()
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_CUDA_COMPILER_LAUNCHER=ccache)
  fi
  export PATH=$PATH:/usr/local/cuda/bin
  run configure 60 cmake --preset release -B "$build" "${launcher[@]}" &&
    run build "$budget" cmake --build "$build" --parallel "$(nproc)" \
      --target parley test_gpu bench_raw_cuda
  # shellcheck disable=SC2181  # of either
  (($? == 0)) || die "the build failed; see $log"
}

step_test() {
  PARLEY_BINARY=$build/parley run "tests on $gpus GPUs" 150 \
    ctest --test-dir "$build" -L gpu --verbose --timeout 140
}

step_raw() {
  local before
  before=$(wc -l <"$log")
  run "plain CUDA" 90 "$build/bench_raw_cuda"
  tail -n +"$((before + 1))" "$log" | sed -n '/^{"name"/p' >"$scratch/raw"
  if [[ -s $scratch/raw ]]; then mv "$scratch/raw" "$out/raw.jsonl"; fi  # what it got to
}

step_calibrate() {
  run calibrate 180 "$build/parley" calibrate --backend cuda --output "$scratch/machine.json" &&
    mv "$scratch/machine.json" "$out/machine.json"
}

step_speed() {
  local machine raw=()
  machine=$(machine_file)
  raw=(--raw "$build/bench_raw_cuda")
  [[ -s $out/raw.jsonl ]] && raw=(--raw-file "$out/raw.jsonl")
  local seconds
  seconds=$(left "${PARLEY_SPEED_SECONDS:-$(share speed 47)}")
  if ((seconds < 20)); then  # not enough for a row to end
    verdict speed "not run for want of time" 0
    return
  fi
  # shellcheck disable=SC2086  # words of PARLEY_SPEED_FLAGS are words
  run speed $((seconds + 30)) python3 tests/benchmarks/gpu.py --binary "$build/parley" "${raw[@]}" \
    ${machine:+--machine "$machine"} --out "$scratch/speed" --budget-seconds "$seconds" \
    ${PARLEY_SPEED_FLAGS:-}
  if [[ -s $scratch/speed/gpu.md ]]; then
    cp "$scratch/speed/gpu.json" "$out/gpu.json"
    cp "$scratch/speed/gpu.md" "$out/speed.md"
  fi
}

step_prediction() {
  local machine seconds repeat=5
  machine=$(machine_file)
  if [[ -z $machine ]]; then
    verdict prediction "skipped: needs the machine file of the step calibrate" 0
    return
  fi
  seconds=$(left "${PARLEY_PREDICTION_SECONDS:-$(share prediction 85)}")
  if ((seconds < 45)); then
    verdict prediction "not run for want of time" 0
    return
  fi
  ((seconds < 300)) && repeat=3
  local folder=${PARLEY_PREDICTION_FOLDER:-$scratch/prediction}
  rm -f "$folder"/prediction.csv "$folder"/prediction.md  # of an earlier run
  # The run under way when the time is over is interrupted, and ends in order.
  run prediction $((seconds + 30)) python3 tests/benchmarks/prediction.py --binary "$build/parley" \
    --backend cuda --devices "$counts" --repeat "$repeat" --machine "$machine" \
    --minutes "$(python3 -c "print(($seconds - 15) / 60)")" --out "$folder" \
    ${PARLEY_PREDICTION_FOLDER:+--journals}
  if [[ -s $folder/prediction.csv ]]; then cp "$folder/prediction.csv" "$out/prediction.csv"; fi
  if [[ -s $folder/prediction.md ]]; then cp "$folder/prediction.md" "$out/prediction.md"; fi
}

step_sanitizer() {
  local tool
  tool=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null)
  if [[ -z $tool ]]; then
    verdict sanitizer "skipped: compute-sanitizer is not installed" 0
    return
  fi
  local check=("$tool" --tool memcheck --error-exitcode 9 --launch-timeout 60)
  run "sanitizer: a lesson" 60 "${check[@]}" "$build/parley" exec \
    workloads/lessons/tutorial_04/16_write_invalidation.json --backend cuda --limit gpu=64MiB
  run "sanitizer: a factorisation" 90 "${check[@]}" "$build/parley" exec \
    cholesky:tiles=4,tile=64 --backend cuda --limit gpu=1MiB --verify
  PARLEY_GPU_PROBLEMS=20 run "sanitizer: random programs" 120 "${check[@]}" "$build/test_gpu" \
    "--test-case=random programs*"
  run "sanitizer: kernels" 120 "${check[@]}" "$build/test_gpu" \
    "--test-case=hash_mix*,stencils*,reductions*,fill and random*,tile kernels take*"
}

write_results() {
  printf '# Results on GPUs\n\n%s UTC, commit %s, %s cores\n\n' "$(date -u '+%Y-%m-%d %H:%M')" \
    "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" "$(nproc)"
  nvidia-smi --query-gpu=index,name,driver_version,memory.total,power.limit --format=csv | sed 's/^/    /'
  printf '\n| step | result | seconds |\n|---|---|---|\n'
  sed -nE 's/^== ([^:]*(: [a-z ]+)?): ((ok|FAILED|not run|cut off|skipped).*), ([0-9]+) s$/| \1 | \3 | \5 |/p' "$log" |
    tac | awk -F'|' '!seen[$2]++' | tac  # the last run of each
  printf '\n'
  sed -nE 's/^.*MESSAGE: (.* (problems|runs of .*) on [0-9]+ GPUs.*)$/- \1/p; s/^.*(\[doctest\] test cases.*)$/- \1/p' "$log"
  for part in speed prediction; do
    if [[ -s $out/$part.md ]]; then printf '\n' && sed 's/^#/##/' "$out/$part.md"; fi
  done
}

# After every step: whoever stops this has what was measured.
for step in "${ALL_STEPS[@]}"; do
  wants "$step" || continue
  "step_$step"
  write_results >"$scratch/results.md" && mv "$scratch/results.md" "$out/results.md"
done
say "results in $out: $(ls "$out" | tr '\n' ' ')"
exit "$failed"
