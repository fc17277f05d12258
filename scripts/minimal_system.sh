# shellcheck shell=bash
# Minimal Debian systems in folders, to try things where nothing is installed; to be sourced under set -euo pipefail by a script
# that sets suite and calls `in_namespace "$@"` first. Root, debootstrap and a mirror of Debian are needed.

readonly CANNOT_RUN=77 # the exit status of a test that could not be run, as automake has it

fail() {
    # shellcheck disable=SC2154 # the script's
    echo "error: on a fresh $suite, $*" >&2
    exit 1
}

cannot_run() {
    echo "skipped: ${0##*/} needs $*" >&2
    exit "$CANNOT_RUN"
}

# Runs the script once more, with mounts and processes of its own, which end with it whatever happens. There `work` is an empty
# folder that goes with it too.
in_namespace() {
    if [ -n "${MINIMAL_SYSTEM_WORK:-}" ]; then
        work=$MINIMAL_SYSTEM_WORK
        return
    fi
    [ "$(id -u)" = 0 ] || cannot_run "to be root, for a minimal system of its own"
    command -v debootstrap >/dev/null || cannot_run "debootstrap (apt-get install debootstrap)"
    unshare --mount --pid --fork true 2>/dev/null || cannot_run "the right to mount (not in a plain container)"
    local status=0
    work=$(mktemp -d "${TMPDIR:-/var/tmp}/minimal-system-XXXXXX")
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf --one-file-system '$work'" EXIT
    MINIMAL_SYSTEM_WORK=$work unshare --mount --pid --fork --kill-child "$0" "$@" || status=$?
    exit "$status"
}

# Makes the system that all others start from: Debian's minimal one with git and certificates, in $work/SUITE.
make_base() { # SUITE
    local mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
    [ ! -d "$work/$1" ] || return 0
    wget --quiet --timeout=30 --tries=2 --output-document=/dev/null "$mirror/dists/$1/Release" ||
        cannot_run "a network, with Debian's packages of $1 at $mirror"
    debootstrap --variant=minbase --include=git,ca-certificates "$1" "$work/$1" "$mirror" >"$work/$1.log" 2>&1 ||
        { tail "$work/$1.log"; return 1; }
    copy_network "$work/$1"
}

# The way to the network is this machine's: certificates, proxies, pip's settings.
copy_network() { # SYSTEM
    local file
    apt-config dump | grep -E '^Acquire::https?::' >"$1/etc/apt/apt.conf.d/90network" || true
    for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
        [ ! -e "$file" ] || cp --dereference "$file" "$1$file"
    done
}

# A fresh system named NAME, at $work/NAME/root: the base under a layer of its own.
new_system() { # SUITE NAME
    make_base "$1"
    mkdir -p "$work/$2/layer" "$work/$2/scratch" "$work/$2/root"
    mount -t overlay overlay -o "lowerdir=$work/$1,upperdir=$work/$2/layer,workdir=$work/$2/scratch" "$work/$2/root"
    mount -t proc proc "$work/$2/root/proc"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$work/$2/root/dev/pts" # terminals, for the tests
    ln -sf pts/ptmx "$work/$2/root/dev/ptmx"
}

# Runs a command in a system, in FOLDER (a folder there), with an environment of its own.
inside() { # NAME FOLDER COMMAND…
    local root=$work/$1/root folder=$2 name home=/root user=() network=()
    shift 2
    for name in http_proxy https_proxy no_proxy PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_PROXY PIP_CERT SSL_CERT_FILE; do
        [ -z "${!name:-}" ] || network+=("$name=${!name}")
    done
    [ -z "$AS_USER" ] || { home=/home/$AS_USER; user=("--userspec=$AS_USER"); }
    # shellcheck disable=SC2016 # for the shell inside
    env -i HOME="$home" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb \
        "${network[@]}" "${before_chroot[@]}" chroot "${user[@]}" "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
}
before_chroot=() # a command that starts chroot, such as unshare --net
AS_USER=''       # a user other than root
