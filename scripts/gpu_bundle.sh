#!/usr/bin/env bash
# Makes a bundle that scripts/gpu_check.sh runs in, for a machine with a GPU on which nothing is installed.
#
# usage: scripts/gpu_bundle.sh [FOLDER=build-bundle] [CMAKE OPTIONS…]
#
# Builds in FOLDER, for all devices that dinoft has code for, and leaves FOLDER/dinoft-gpu.tar.xz there, and what is in it unpacked
# beside it. It holds the program, the tests of operations and models with their fixtures, and all libraries but those of C and C++, which
# may be as old as Ubuntu 22.04's, the driver's, cuBLASLt and cuDNN. On the machine with the GPU:
#
#     tar xf dinoft-gpu.tar.xz && dinoft-gpu/scripts/gpu_check.sh --python PYTHON_THAT_HAS_TORCH
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

folder=$(realpath -m "${1:-$root/build-bundle}")
[ $# -gt 0 ] && shift
readonly MOST_BYTES=$((60 * 1000 * 1000))
bundle=$folder/dinoft-gpu archive=$folder/dinoft-gpu.tar.xz

cmake -S "$root" -B "$folder" -G Ninja -DDINOFT_CUDA=ON -DDINOFT_TESTS=ON -DDINOFT_SHARED_KERNELS=ON \
    -DCMAKE_CUDA_ARCHITECTURES="80-real;86-real;89-real;90-real;100-real;120" "$@"
cmake --build "$folder" --target gpu_check_programs
rm -rf "$bundle" "$archive"
cmake --install "$folder" --component gpu_check --strip --prefix "$bundle"
cuda=$(sed -n 's/^DINOFT_NVCC:.*=\(.*\)\/bin\/nvcc$/\1/p' "$folder/CMakeCache.txt")
cmake -DFOLDER="$bundle" -DCUDA_LIBRARIES="$cuda/lib64" -P "$root/cmake/bundle_libraries.cmake"
"$root/scripts/elf_versions.py" "$bundle"

tar --create --directory "$folder" --sort=name --owner=0 --group=0 --numeric-owner dinoft-gpu | xz --threads=0 -9 >"$archive"
if [ "$(stat -c %s "$archive")" -gt "$MOST_BYTES" ]; then
    echo "error: $archive has more than $MOST_BYTES bytes" >&2
    exit 1
fi
ls -l "$archive"
