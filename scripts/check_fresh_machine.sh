#!/usr/bin/env bash
# Tries the committed tree where nothing is installed: scripts/check_fresh_machine.sh [--tests] [SUITE=bookworm]
#
# Makes a minimal Debian (bookworm, trixie) in a temporary folder, clones the tree into a folder there whose name has a space, and
# runs the README's first command (--tests: the second too), each script that the README names, and the packages
# (check_packages.sh). Scripts that want the internet's large files, PyTorch or a GPU are run up to their first error line.
# Needs root, debootstrap and a network; where one is missing it says so and exits with 77.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/minimal_system.sh
. "$root/scripts/minimal_system.sh"

usage() {
    echo "usage: scripts/check_fresh_machine.sh [--tests] [SUITE=bookworm]" >&2
    exit 2
}

tests=no suite=bookworm
for word in "$@"; do
    case $word in
    --tests) tests=yes ;;
    -*) usage ;;
    *) suite=$word ;;
    esac
done
in_namespace "$@"

clone='/opt/my programs/dinoft'
say() {
    echo "== fresh $suite: $*"
}

in_clone() { inside machine "$clone" "$@"; }

# The words of the README that are scripts, to see that none is left out here.
declare -A tried=()
named_in_readme() { grep -oE 'scripts/[a-z_]+\.(sh|py)' "$root/README.md" | sort -u; }

succeeds() { # SCRIPT WORDS…
    tried[$1]=yes
    say "$*"
    in_clone "$@" >"$work/output.txt" 2>&1 || { tail -n 30 "$work/output.txt"; fail "$* failed"; }
}

# Ends with an error of its own: a last line that says what is missing, and nothing of an interpreter's.
stops() { # PATTERN SCRIPT WORDS…
    local pattern=$1 status=0
    shift
    tried[$1]=yes
    say "$* stops with an error"
    in_clone "$@" >"$work/output.txt" 2>&1 || status=$?
    [ "$status" != 0 ] || fail "$* did not fail"
    if grep -qE 'Traceback|command not found|syntax error' "$work/output.txt" ||
        ! tail -n 1 "$work/output.txt" | grep -qE "error: .*($pattern)"; then
        tail -n 30 "$work/output.txt"
        fail "$* did not end with an error line on '$pattern'"
    fi
}

check_scripts() {
    succeeds scripts/install_dependencies.sh
    succeeds scripts/build.sh build
    succeeds scripts/package.sh build
    succeeds scripts/get_frost.py
    before_chroot=(unshare --net)
    stops 'cannot download' scripts/get_weights.py dinov2_vits14_reg
    stops 'cannot download' scripts/get_voc.sh data
    stops 'cannot download' scripts/get_ade20k.sh data
    stops 'python3-venv|cannot install' scripts/compare_with_pytorch.py
    stops 'nvidia-smi' scripts/gpu_check.sh
    succeeds scripts/reproduce_tables.sh # its table says that the checkpoints are missing
    before_chroot=()
    succeeds scripts/update_options.py --check
    for script in $(named_in_readme); do
        [ -n "${tried[$script]:-}" ] || fail "the README names $script, which ${0##*/} does not try"
    done
}

# Without the rights to install: one line that names the packages.
check_user() {
    new_system "$suite" user
    git clone --quiet --no-hardlinks "$root" "$work/user/root$clone"
    inside user / useradd --create-home someone
    AS_USER=someone
    say "scripts/quickstart.sh without root names the packages"
    if inside user "$clone" scripts/quickstart.sh >"$work/output.txt" 2>&1; then
        fail "scripts/quickstart.sh ran without root and without its packages"
    fi
    if [ "$(wc -l <"$work/output.txt")" != 1 ] || ! grep -q 'error: .*libdnnl-dev' "$work/output.txt"; then
        cat "$work/output.txt"
        fail "scripts/quickstart.sh did not name the packages in one line"
    fi
    AS_USER=''
}

say "making it (debootstrap)"
new_system "$suite" machine
git clone --quiet --no-hardlinks "$root" "$work/machine/root$clone"
grep -q '^    scripts/quickstart.sh' "$root/README.md" || fail "the README's first command is another"
succeeds scripts/quickstart.sh
grep -E '^mIoU|mIoU' "$work/output.txt" | tail -n 3
tried[scripts/test.sh]=yes
if [ "$tests" = yes ]; then
    say scripts/test.sh
    in_clone scripts/test.sh || fail "scripts/test.sh failed"
fi
check_scripts
check_user
"$root/scripts/check_packages.sh" "$work/machine/root$clone/build/packages" "$suite"
echo "all that was tried on a fresh $suite works"
