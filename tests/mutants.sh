#!/bin/sh
# Switches on each deliberate protocol fault of the core in turn and requires that the random problems
# catch it; prints a table fault -> number of problems until caught.
# usage: tests/mutants.sh [BUILD_DIR]   (built with -DPARLEY_FAULTS=ON; PARLEY_FUZZ_SEED: first seed)
set -eu
build=${1:-build-debug}
if [ ! -x "$build/test_property" ]; then
  echo "$build/test_property is missing: cmake --preset debug && cmake --build build-debug" >&2
  exit 2
fi
exec "$build/test_property" --no-skip --test-case="every deliberate protocol fault*"
