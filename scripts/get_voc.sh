#!/usr/bin/env bash
# Downloads Pascal VOC 2012 and unpacks what segmentation needs into DIR/VOCdevkit/VOC2012.
set -euo pipefail

readonly ARCHIVE=VOCtrainval_11-May-2012.tar
readonly MD5=6cd6e144f989b92b3379bac3b3de84fd
readonly URL=${VOC_URL:-http://host.robots.ox.ac.uk/pascal/VOC/voc2012/$ARCHIVE}

usage() {
    cat <<EOF
usage: scripts/get_voc.sh [DIR]

Downloads $ARCHIVE (1.9 GB) to DIR (default: data), checks its MD5 sum and
unpacks the images, masks and lists of the segmentation task to DIR/VOCdevkit/VOC2012. An interrupted download
goes on where it stopped; what is already there is not done again. The archive is removed at the end;
KEEP_ARCHIVE=1 keeps it. VOC_URL names another place to download from.
EOF
}

fail() {
    echo "get_voc.sh: error: $*" >&2
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
done_mark=$dir/VOCdevkit/VOC2012/.complete
if [ -e "$done_mark" ]; then
    echo "$dir/VOCdevkit/VOC2012 is already there"
    exit 0
fi
command -v tar >/dev/null || fail "tar is not installed"
command -v md5sum >/dev/null || fail "md5sum is not installed"
mkdir -p "$dir" || fail "cannot make the folder $dir"

archive=$dir/$ARCHIVE
if [ ! -e "$archive" ]; then
    download "$URL" "$archive.part" || fail "cannot download $URL; run this again to go on"
    mv "$archive.part" "$archive"
fi
found=$(md5sum "$archive" | cut -d ' ' -f 1)
[ "$found" = "$MD5" ] || fail "$archive has the MD5 sum $found, expected $MD5; remove it and run this again"

tar --extract --file "$archive" --directory "$dir" \
    VOCdevkit/VOC2012/JPEGImages VOCdevkit/VOC2012/SegmentationClass VOCdevkit/VOC2012/ImageSets/Segmentation ||
    fail "cannot unpack $archive"
touch "$done_mark"
[ "${KEEP_ARCHIVE:-0}" = 1 ] || rm -f "$archive"
echo "Pascal VOC 2012 is in $dir/VOCdevkit/VOC2012"
