#!/usr/bin/env bash
# Installs what is missing (Debian 12, Ubuntu 24.04; root or sudo), builds and runs the tests.
#   ./test.sh        all tests under AddressSanitizer and UndefinedBehaviorSanitizer with 90 seconds
#                    of random problems, what is threaded under ThreadSanitizer, and that the
#                    code for GPUs compiles, where nvcc is found
#   ./test.sh --all  also the release build, clang, long random testing and the mutation check
# PARLEY_FUZZ_SECONDS sets the time for random problems. The last line is "N passed, N failed"; the
# exit status is zero only if none failed.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=.ci/packages.sh
source .ci/packages.sh

usage() { sed -n '2,8s/^# \{0,1\}//p' "$0"; }

run_all=false
for argument in "$@"; do
  case $argument in
    --all) run_all=true ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      die "unknown argument: $argument"
      ;;
  esac
done

packages=("${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}")
if $run_all; then packages+=("${CLANG_PACKAGES[@]}"); fi
install_missing "${packages[@]}"

fuzz_seconds=${PARLEY_FUZZ_SECONDS:-90}
jobs=$(nproc)
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# note_result NAME STATUS: one test that is not CTest's; STATUS is run (passed) or fail.
note_result() {
  printf '<testsuite><testcase name="%s" status="%s"/></testsuite>\n' "$1" "$2" \
    >"$results/${1// /-}.xml"
}

# test_preset PRESET SECONDS TARGETS [CTEST ARGUMENT...]: builds and runs; SECONDS of random problems.
# What fails is counted, and the rest still runs.
test_preset() {
  local preset=$1 seconds=$2 targets
  read -ra targets <<<"$3"
  shift 3
  say "building $preset ($SECONDS s)"
  configure "$preset"
  if ! cmake --build --preset "$preset" --parallel "$jobs" --target "${targets[@]}"; then
    note_result "build $preset" fail
    return
  fi
  say "testing $preset ($SECONDS s)"
  PARLEY_FUZZ_SECONDS=$seconds ctest --preset "$preset" --parallel "$jobs" \
    --test-output-size-passed 1000000 --test-output-size-failed 1000000 \
    --output-junit "$results/$preset.xml" "$@" || true
}

test_preset asan-ubsan "$fuzz_seconds" all
test_preset tsan 20 "test_exec test_property test_golden parley" \
  -R '^(exec|property|golden|compare_jobs)$'
# Sanitizers do without CUDA; where there is a compiler for it, that its code compiles is checked.
if command -v nvcc >/dev/null || [[ -x /usr/local/cuda/bin/nvcc ]]; then
  say "compiling for GPUs ($SECONDS s)"
  configure cuda
  if cmake --build --preset cuda --parallel "$jobs" --target parley_cuda; then
    note_result "build cuda" run
  else
    note_result "build cuda" fail
  fi
fi
if $run_all; then
  test_preset release 600 all
  test_preset clang 60 all
  say "mutation check ($SECONDS s)"
  if tests/mutants.sh build-asan; then note_result mutants run; else note_result mutants fail; fi
fi

say "results ($SECONDS s)"
python3 .ci/tally.py "$results"/*.xml
