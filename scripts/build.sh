#!/usr/bin/env bash
# Builds dinoft: scripts/build.sh [FOLDER=build] [CMAKE OPTIONS…]. The program is FOLDER/dinoft.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:-build}
[ $# -gt 0 ] && shift
cmake -S . -B "$folder" -G Ninja "$@"
cmake --build "$folder"
