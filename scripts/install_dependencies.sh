#!/usr/bin/env bash
# Installs through apt whatever dinoft needs to be built (and, with --tests, to be tested) and is not there yet.
set -euo pipefail

packages=(gcc cmake ninja-build pkg-config python3 python3-pip
    libdnnl-dev ocl-icd-opencl-dev zlib1g-dev libjpeg-dev libspng-dev libcjson-dev liblapacke-dev libstb-dev)
if [ "${1:-}" = --tests ]; then
    packages+=(clang g++ libomp-dev libcmocka-dev bash-completion zsh fish man-db groff-base)
elif [ $# -gt 0 ]; then
    echo "usage: $0 [--tests]" >&2
    exit 2
fi

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "error: to install ${missing[*]} this script needs to be root, or sudo" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
