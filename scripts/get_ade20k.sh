#!/usr/bin/env bash
# Downloads the SceneParse150 edition of ADE20K and unpacks it into DIR/ADEChallengeData2016.
set -euo pipefail
# shellcheck source=scripts/download.sh
. "$(dirname "$0")/download.sh"

readonly ARCHIVE=ADEChallengeData2016.zip
readonly MD5=7328b3957e407ddae1d3cbf487f149ef
readonly URL=${ADE20K_URL:-http://data.csail.mit.edu/places/ADEchallenge/$ARCHIVE}

usage() {
    cat <<EOF
usage: ${DINOFT_SCRIPT_NAME:-scripts/get_ade20k.sh} [DIR]

Downloads $ARCHIVE (0.9 GB) to DIR (default: data), checks its MD5 sum and
unpacks the images and annotations to DIR/ADEChallengeData2016. An interrupted download goes on where it
stopped; what is already there is not done again. The archive is removed at the end; KEEP_ARCHIVE=1 keeps it.
ADE20K_URL names another place to download from.
EOF
}

unpack() { # ARCHIVE DIR
    if command -v unzip >/dev/null; then
        unzip -q -o "$1" -d "$2"
    else
        python3 -m zipfile -e "$1" "$2"
    fi
}

parse_arguments "$@"
folder=$dir/ADEChallengeData2016
exit_if_complete "$folder"
command -v unzip >/dev/null || command -v python3 >/dev/null || fail "neither unzip nor python3 is installed"
fetch "$URL" "$dir/$ARCHIVE" "$MD5"
unpack "$dir/$ARCHIVE" "$dir" || fail "cannot unpack $dir/$ARCHIVE"
finish "$folder" "$dir/$ARCHIVE"
echo "ADE20K is in $folder"
