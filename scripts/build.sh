#!/usr/bin/env bash
# Builds dinoft: scripts/build.sh [FOLDER] [CMAKE OPTIONS…]. The program is FOLDER/dinoft; FOLDER is the source tree's build/ where
# none is named. docs/installing.md lists the options.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

folder=${1:-$root/build}
[ $# -gt 0 ] && shift
cmake -S "$root" -B "$folder" -G Ninja "$@"
cmake --build "$folder"
