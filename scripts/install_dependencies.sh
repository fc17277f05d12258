#!/usr/bin/env bash
# Installs through apt whatever is not there yet of what dinoft needs to be built, and of what the scripts that download use;
# with --tests what it needs to be tested too, with --packages what scripts/package.sh needs, with --fuzz what scripts/fuzz.sh
# needs. The tests want one version of clang-format whatever the system has, and where there is nvcc CUDA's disassembler and
# the headers of CuTe, and TensorBoard to read event files: these come from PyPI, into build-tools/.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
clang_format=14.0.6 # as in tests/house/test_format.py
disassembler=13.5.37 # as in tests/sass/cubins.py
cutlass=4.2.0.0 # as in tests/layouts/CMakeLists.txt
tensorboard=2.21.0 # as in tests/files/test_tensorboard.py

packages=(gcc cmake ninja-build pkg-config python3 python3-pip curl ca-certificates
    libdnnl-dev ocl-icd-opencl-dev zlib1g-dev libjpeg-dev libspng-dev libtiff-dev libwebp-dev libcjson-dev liblapack-dev libstb-dev)
tests=no
for word in "$@"; do
    case $word in
    --tests)
        tests=yes
        packages+=(clang g++ libomp-dev libcmocka-dev bash-completion zsh fish man-db groff-base debootstrap)
        ;;
    --packages) packages+=(dpkg-dev file) ;;
    --fuzz) packages+=(clang libclang-rt-dev llvm g++ libomp-dev libcmocka-dev) ;;
    *)
        echo "usage: $0 [--tests] [--packages] [--fuzz]" >&2
        exit 2
        ;;
    esac
done

install_packages() {
    local package missing=() as_root=()
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "error: these packages are missing; as root: apt-get install ${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    echo "installing: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# get_tool NAME [--no-deps] PACKAGE…: into a folder of its own, made whole or not at all: it is no part of the system's Python.
get_tool() {
    local folder=$root/build-tools/$1
    shift
    [ ! -d "$folder" ] || return 0
    rm -rf "$folder.part"
    if PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check \
        --only-binary :all: --target "$folder.part" "$@"; then
        mv "$folder.part" "$folder"
    else
        rm -rf "$folder.part"
        echo "${folder##*/} cannot be had: the test that needs it is skipped"
    fi
}

get_tools() {
    get_tool "tensorboard-$tensorboard" "tensorboard==$tensorboard" # 160 MB with what it needs
    if ! clang-format --version 2>/dev/null | grep -qF "version $clang_format"; then
        get_tool "clang-format-$clang_format" --no-deps "clang-format==$clang_format"
    fi
    if command -v nvcc /usr/local/cuda/bin/nvcc >/dev/null && ! command -v cuobjdump /usr/local/cuda/bin/cuobjdump >/dev/null; then
        get_tool "cuda-disassembler-$disassembler" --no-deps "nvidia-cuda-cuobjdump==$disassembler" "nvidia-cuda-nvdisasm==$disassembler"
    fi
    if command -v nvcc /usr/local/cuda/bin/nvcc >/dev/null; then
        get_tool "cutlass-$cutlass" --no-deps "nvidia-cutlass==$cutlass"
    fi
}

install_packages
if [ "$tests" = yes ]; then
    get_tools
fi
