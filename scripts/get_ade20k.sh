#!/usr/bin/env bash
# Downloads the SceneParse150 edition of ADE20K and unpacks it into DIR/ADEChallengeData2016.
set -euo pipefail

readonly ARCHIVE=ADEChallengeData2016.zip
readonly MD5=7328b3957e407ddae1d3cbf487f149ef
readonly URL=${ADE20K_URL:-http://data.csail.mit.edu/places/ADEchallenge/$ARCHIVE}

usage() {
    cat <<EOF
usage: scripts/get_ade20k.sh [DIR]

Downloads $ARCHIVE (0.9 GB) to DIR (default: data), checks its MD5 sum and
unpacks the images and annotations to DIR/ADEChallengeData2016. An interrupted download goes on where it
stopped; what is already there is not done again. The archive is removed at the end; KEEP_ARCHIVE=1 keeps it.
ADE20K_URL names another place to download from.
EOF
}

fail() {
    echo "get_ade20k.sh: error: $*" >&2
    exit 1
}

download() { # URL FILE
    if command -v curl >/dev/null; then
        curl --fail --location --retry 3 --continue-at - --output "$2" "$1"
    elif command -v wget >/dev/null; then
        wget --continue --tries=3 --output-document="$2" "$1"
    else
        fail "neither curl nor wget is installed"
    fi
}

unpack() { # ARCHIVE DIR
    if command -v unzip >/dev/null; then
        unzip -q -o "$1" -d "$2"
    elif command -v python3 >/dev/null; then
        python3 -m zipfile -e "$1" "$2"
    else
        fail "neither unzip nor python3 is installed"
    fi
}

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

dir=${1:-data}
done_mark=$dir/ADEChallengeData2016/.complete
if [ -e "$done_mark" ]; then
    echo "$dir/ADEChallengeData2016 is already there"
    exit 0
fi
command -v md5sum >/dev/null || fail "md5sum is not installed"
mkdir -p "$dir" || fail "cannot make the folder $dir"

archive=$dir/$ARCHIVE
if [ ! -e "$archive" ]; then
    download "$URL" "$archive.part" || fail "cannot download $URL; run this again to go on"
    mv "$archive.part" "$archive"
fi
found=$(md5sum "$archive" | cut -d ' ' -f 1)
[ "$found" = "$MD5" ] || fail "$archive has the MD5 sum $found, expected $MD5; remove it and run this again"

unpack "$archive" "$dir" || fail "cannot unpack $archive"
touch "$done_mark"
[ "${KEEP_ARCHIVE:-0}" = 1 ] || rm -f "$archive"
echo "ADE20K is in $dir/ADEChallengeData2016"
