#!/usr/bin/env bash
# Asks other versions of cuDNN than the toolkit's for plans, without a GPU: scripts/cudnn_offline.sh [VERSION…]
#
# VERSION is 9.8 (the oldest that can be asked) or newest; both where none is named. Each is downloaded from PyPI into
# build-tools/ (2 GB). tests/cudnn_offline/README.md says what is asked.
set -euo pipefail
cd "$(dirname "$0")/.."

program=build/tests/test_cudnn_plans
stub=build/tests/cudnn_offline/driver
if [ ! -x "$program" ]; then
    echo "error: no $program; where nvcc and cuDNN's headers are: scripts/build.sh build -DDINOFT_TESTS=ON" >&2
    exit 1
fi

status=0
[ $# -gt 0 ] || set -- 9.8 newest
for name in "$@"; do
    case $name in
    9.8) packages=('nvidia-cudnn-cu12==9.8.*' nvidia-cublas-cu12 nvidia-cuda-nvrtc-cu12) ;;
    newest) packages=(nvidia-cudnn-cu13 nvidia-cublas nvidia-cuda-nvrtc) ;;
    *)
        echo "usage: $0 [9.8] [newest]" >&2
        exit 2
        ;;
    esac
    folder=build-tools/cudnn-$name
    if [ ! -d "$folder" ]; then
        rm -rf "$folder.part"
        PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps \
            --only-binary :all: --target "$folder.part" "${packages[@]}"
        mv "$folder.part" "$folder"
    fi
    libraries=$(printf '%s:' "$folder"/nvidia/*/lib)
    LD_LIBRARY_PATH=$stub:${libraries%:} "$program" --all tests/cudnn_offline/devices/*.json || status=1
done
exit "$status"
