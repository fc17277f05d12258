#!/usr/bin/env bash
# Makes the packages: scripts/package.sh [FOLDER] [CMAKE OPTIONS…]
#
# Builds as scripts/build.sh does and leaves in FOLDER/packages a .deb for the Debian release on which it is built, a .tar.gz that
# runs from any folder, and a wheel. The last two run on systems with the C library of this one, or a newer one.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

folder=${1:-$root/build}
[ $# -gt 0 ] && shift
"$root/scripts/install_dependencies.sh" --packages
"$root/scripts/build.sh" "$folder" "$@"
rm -rf "$folder/packages"
(cd "$folder" && cpack)
rm -rf "$folder/packages/_CPack_Packages" # what was packed
"$root/scripts/make_wheel.py" "$folder"/packages/*.tar.gz "$folder/packages"
echo
ls -l "$folder/packages"
