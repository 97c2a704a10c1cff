#!/usr/bin/env bash
# Sets the machine up, builds a preset (release unless another is named) and runs every test:
# C++ through ctest, Python through pytest. Usage: scripts/test.sh [PRESET]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/lib/setup.sh
PACKAGES+=(g++-aarch64-linux-gnu libcds-dev libck-dev valgrind)  # what some tests would be skipped without

preset=${1:-release}

timed() {
  local name=$1 start=$SECONDS
  shift
  say "$name: $*"
  "$@"
  say "$name took $((SECONDS - start)) s"
}

timed setup install_missing
timed build build "$preset" -DSRCUTORTURE_WERROR=ON
timed ctest ctest --test-dir "build/$preset" -j "$(nproc)" --output-on-failure --no-tests=error
export SRCUTORTURE="$PWD/build/$preset/srcutorture"
timed pytest /usr/bin/python3 -m pytest -q -p no:cacheprovider scripts/tests
say 'every test passed'
