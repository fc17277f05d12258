#!/usr/bin/env bash
# Downloads Pascal VOC 2012 and unpacks what segmentation needs into DIR/VOCdevkit/VOC2012.
set -euo pipefail
# shellcheck source=scripts/download.sh
. "$(dirname "$0")/download.sh"

readonly ARCHIVE=VOCtrainval_11-May-2012.tar
readonly MD5=6cd6e144f989b92b3379bac3b3de84fd
readonly URL=${VOC_URL:-http://host.robots.ox.ac.uk/pascal/VOC/voc2012/$ARCHIVE}

usage() {
    cat <<EOF
usage: ${DINOFT_SCRIPT_NAME:-scripts/get_voc.sh} [DIR]

Downloads $ARCHIVE (1.9 GB) to DIR (default: data), checks its MD5 sum and
unpacks the images, masks and lists of the segmentation task to DIR/VOCdevkit/VOC2012. An interrupted download
goes on where it stopped; what is already there is not done again. The archive is removed at the end;
KEEP_ARCHIVE=1 keeps it. VOC_URL names another place to download from.
EOF
}

parse_arguments "$@"
folder=$dir/VOCdevkit/VOC2012
exit_if_complete "$folder"
command -v tar >/dev/null || fail "tar is not installed"
fetch "$URL" "$dir/$ARCHIVE" "$MD5"
tar --extract --file "$dir/$ARCHIVE" --directory "$dir" \
    VOCdevkit/VOC2012/JPEGImages VOCdevkit/VOC2012/SegmentationClass VOCdevkit/VOC2012/ImageSets/Segmentation ||
    fail "cannot unpack $dir/$ARCHIVE"
finish "$folder" "$dir/$ARCHIVE"
echo "Pascal VOC 2012 is in $folder"
