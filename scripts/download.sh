# shellcheck shell=bash
# What get_voc.sh and get_ade20k.sh share; to be sourced. The script that does defines usage() and runs under
# set -euo pipefail.

fail() {
    echo "${DINOFT_SCRIPT_NAME:-${0##*/}}: error: $*" >&2
    exit 1
}

# The script's arguments: sets `dir`, the folder that the data set goes to.
parse_arguments() { # [DIR]
    case ${1:-} in
    -h | --help)
        usage
        exit 0
        ;;
    -*)
        usage >&2
        exit 2
        ;;
    esac
    [ $# -le 1 ] || { usage >&2; exit 2; }
    # shellcheck disable=SC2034 # the sourcing script uses it
    dir=${1:-data}
}

# Ends the script if an earlier run has unpacked FOLDER to its end.
exit_if_complete() { # FOLDER
    if [ -e "$1/.complete" ]; then
        echo "$1 is already there"
        exit 0
    fi
}

# Fetches what FILE lacks of URL.
download() { # URL FILE
    local http_code status=0
    if command -v curl >/dev/null; then
        http_code=$(curl --fail --location --retry 3 --continue-at - --write-out '%{http_code}' --output "$2" "$1") ||
            status=$?
        # "Range not satisfiable": FILE has all the bytes that there are. wget takes that for success by itself.
        [ "$http_code" != 416 ] || status=0
        # 33: the server cannot send the rest alone.
        [ "$status" -ne 33 ] || fail "$1 cannot be continued; remove $2 and run this again"
        return "$status"
    elif command -v wget >/dev/null; then
        wget --continue --tries=3 --output-document="$2" "$1"
    else
        fail "neither curl nor wget is installed"
    fi
}

md5_of() { # FILE
    md5sum "$1" | cut -d ' ' -f 1
}

# Makes sure that ARCHIVE is there and has the MD5 sum. Until then it is called ARCHIVE.part, which an interrupted
# run leaves for the next one to continue.
fetch() { # URL ARCHIVE MD5
    local found
    command -v md5sum >/dev/null || fail "md5sum is not installed"
    mkdir -p "$(dirname "$2")" || fail "cannot make the folder $(dirname "$2")"
    if [ -e "$2" ]; then
        found=$(md5_of "$2")
        [ "$found" = "$3" ] || fail "$2 has the MD5 sum $found, expected $3; remove it and run this again"
        return
    fi
    download "$1" "$2.part" || fail "cannot download $1; run this again to go on"
    found=$(md5_of "$2.part")
    if [ "$found" != "$3" ]; then
        rm -f "$2.part"
        fail "$2.part had the MD5 sum $found, expected $3; it is removed, run this again to start anew"
    fi
    mv "$2.part" "$2"
}

# Marks FOLDER as unpacked and removes ARCHIVE unless KEEP_ARCHIVE=1.
finish() { # FOLDER ARCHIVE
    touch "$1/.complete"
    [ "${KEEP_ARCHIVE:-0}" = 1 ] || rm -f "$2"
}
