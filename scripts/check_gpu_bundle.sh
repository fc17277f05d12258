#!/usr/bin/env bash
# Tries the bundle for a GPU where nothing is installed: scripts/check_gpu_bundle.sh [FILE=build-bundle/dinoft-gpu.tar.xz] [SUITE=bookworm]
#
# In a minimal Debian without a network its check must come as far as the first call of the device and say so, and its tests must pass
# on the processor. Needs root, debootstrap and a network; where one is missing it says so and exits with 77.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/minimal_system.sh
. "$root/scripts/minimal_system.sh"
[ $# -le 2 ] || { echo "usage: scripts/check_gpu_bundle.sh [FILE=build-bundle/dinoft-gpu.tar.xz] [SUITE=bookworm]" >&2; exit 2; }
archive=${1:-$root/build-bundle/dinoft-gpu.tar.xz} suite=${2:-bookworm}
[ -e "$archive" ] || { echo "error: there is no $archive: scripts/gpu_bundle.sh makes it" >&2; exit 1; }
in_namespace "$@"

# Runs a command of the bundle; what it prints is shown only if its exit status is not STATUS.
ends_with() { # STATUS COMMAND…
    local expected=$1 status=0
    shift
    inside gpu / "$@" >"$work/output.txt" 2>&1 || status=$?
    [ "$status" = "$expected" ] || { tail -n 20 "$work/output.txt"; fail "$* ended with status $status"; }
}

check=/opt/dinoft-gpu/scripts/gpu_check.sh
new_system "$suite" gpu
tar --extract --file "$archive" --directory "$work/gpu/root/opt"
before_chroot=(unshare --net)

echo "== fresh $suite: the check says that there is no device"
ends_with 1 "$check"
report=$work/gpu/root/opt/dinoft-gpu/report/report.md
tail -n 1 "$work/output.txt" | grep 'error: .*no device: not usable: there is no NVIDIA driver here'
grep -q "^| device | the programs' libraries | passed |" "$report" || fail "the report says: $(cat "$report")"

while read -r kind name; do
    echo "== fresh $suite: $kind test $name, on the processor"
    ends_with 0 "/opt/dinoft-gpu/tests/test_$name"
done <"$root/tests/gpu_check/programs.txt"
for decoder in linear fpn; do
    echo "== fresh $suite: recorded steps, $decoder"
    ends_with 0 env DINOFT=/opt/dinoft-gpu/bin/dinoft /opt/dinoft-gpu/tests/golden/recorded_steps.sh "$decoder" fp32
done
