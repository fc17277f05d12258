#!/usr/bin/env bash
# Installs through apt whatever is not there yet of what dinoft needs to be built, and of what the scripts that download use;
# with --tests what it needs to be tested too, with --packages what scripts/package.sh needs, with --fuzz what scripts/fuzz.sh
# needs.
set -euo pipefail

packages=(gcc cmake ninja-build pkg-config python3 python3-pip curl ca-certificates
    libdnnl-dev ocl-icd-opencl-dev zlib1g-dev libjpeg-dev libspng-dev libcjson-dev liblapack-dev libstb-dev)
for word in "$@"; do
    case $word in
    --tests) packages+=(clang g++ libomp-dev libcmocka-dev bash-completion zsh fish man-db groff-base debootstrap) ;;
    --packages) packages+=(dpkg-dev file) ;;
    --fuzz) packages+=(clang libclang-rt-dev llvm g++ libomp-dev libcmocka-dev) ;;
    *)
        echo "usage: $0 [--tests] [--packages] [--fuzz]" >&2
        exit 2
        ;;
    esac
done

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
        echo "error: these packages are missing; as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
