#!/usr/bin/env bash
# Measures every row of the two result tables of dinov2-finetune (Pascal VOC and ADE20K; clean and corrupted at level 5) and prints
# what comes out beside what that project published.
#
# usage: scripts/reproduce_tables.sh [--data_root DIR] [--checkpoints DIR] [--train] [--epochs N] [--only voc|ade20k]
#                                    [--family dinov2|dinov3] [--size SIZE] [--weights FILE] [--output_dir DIR]
#                                    [-- FLAGS of both corrupt and train]
#
# Checkpoints are looked for in --checkpoints (output): that project's files, under the names that it published, or those that
# --train writes, under the rows' names. --train trains the rows whose checkpoint is missing as that project did (for 100 epochs:
# days without a GPU). --size and --weights name other backbones than its ViT-L, to try all this out: then no figure is comparable.
# The published number is that project's own, printed here as "reference"; it is not an mIoU, which stands beside it.
set -euo pipefail
cd "$(dirname "$0")/.."

data_root=data checkpoints=output output=output/tables only='' only_family='' epochs=100 size=large weights='' train=no extra=()
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || [ "$1" = --train ] || set -- --help # a flag without its value
    case $1 in
    --data_root) data_root=$2; shift 2 ;;
    --checkpoints) checkpoints=$2; shift 2 ;;
    --output_dir) output=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    --family) only_family=$2; shift 2 ;;
    --epochs) epochs=$2; shift 2 ;;
    --size) size=$2; shift 2 ;;
    --weights) weights=$2; shift 2 ;;
    --train) train=yes; shift ;;
    --) shift; extra=("$@"); break ;;
    *) sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
    esac
done
program=${DINOFT:-build/dinoft}
[ -x "$program" ] || { echo "error: $program is not there: scripts/build.sh makes it" >&2; exit 1; }

# data set | components | family | published file | published clean | published level 5 | flags of the training
rows='voc|1x1|dinov2|dinov2/large_voc_no_lora.pt|70.9|66.6|
voc|LoRA + 1x1|dinov3|dinov3/large_voc_lora.pt|77.6||--use_lora
voc|LoRA + 1x1|dinov2|dinov2/large_voc_lora.pt|85.2|72.2|--use_lora
voc|LoRA + FPN|dinov2|dinov2/large_voc_fpn.pt|74.1|65.6|--use_lora --use_fpn
ade20k|1x1|dinov2|dinov2/large_ade20k_no_lora.pt|57.2|54.4|
ade20k|LoRA + 1x1|dinov3|dinov3/large_ade20k_lora.pt|63.9|57.7|--use_lora
ade20k|LoRA + 1x1|dinov2|dinov2/large_ade20k_lora.pt|62.2|55.8|--use_lora
ade20k|LoRA + FPN|dinov2|dinov2/large_ade20k_fpn.pt|62.0|54.7|--use_lora --use_fpn'

# A member of a JSON file, in per cent, or "-".
percent() {
    python3 -c '
import json, sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2].split("."):
    value = value[int(key)] if isinstance(value, list) else value[key]
print("-" if value is None else f"{100 * value:.1f}")' "$1" "$2"
}

# The row's checkpoint: the published one, or the one trained here; trained now if that is wanted. Prints its path, or nothing.
find_checkpoint() { # published file, name, data set, family, training flags
    local own="$checkpoints/$2.pt"
    if [ -f "$checkpoints/$1" ]; then
        echo "$checkpoints/$1"
    elif [ -f "$own" ]; then
        echo "$own"
    elif [ "$train" = yes ]; then
        # shellcheck disable=SC2086 # flags are words
        "$program" train --dataset "$3" --dino_type "$4" $5 --recipe reference --epochs "$epochs" --exp_name "$2" \
            --output_dir "$checkpoints" "${common[@]}" >&2 || exit 1 # set -e does not reach here
        echo "$own"
    fi
}

common=(--data_root "$data_root" --size "$size")
[ -n "$weights" ] && common+=(--weights "$weights")
[ ${#extra[@]} -gt 0 ] && common+=("${extra[@]}")
mkdir -p "$output"
table=()
while IFS='|' read -r dataset components family published clean corrupted flags; do
    [ -z "$only" ] || [ "$only" = "$dataset" ] || continue
    [ -z "$only_family" ] || [ "$only_family" = "$family" ] || continue
    name="${size}_${dataset}_${family}_$(echo "$components" | tr -d ' ' | tr '+' '_' | tr '[:upper:]' '[:lower:]')"
    line="$dataset|$components|$family|$clean|${corrupted:--}"
    checkpoint=$(find_checkpoint "$published" "$name" "$dataset" "$family" "$flags")
    if [ -z "$checkpoint" ]; then
        table+=("$line|no checkpoint ($published)|||")
        continue
    fi
    echo "== $dataset, $components, $family: $checkpoint" >&2
    "$program" corrupt --dataset "$dataset" --dino_type "$family" --lora_weights "$checkpoint" --suite reference \
        --severity 5 --exp_name "$name" --output_dir "$output" "${common[@]}" >"$output/$name.txt"
    results="$output/${name}_corruptions.json"
    table+=("$line|$(percent "$results" clean.reference_iou)|$(percent "$results" corruptions.0.cells.0.reference_iou)|$(
        percent "$results" clean.miou)|$(percent "$results" corruptions.0.cells.0.miou)")
done <<<"$rows"

[ ${#table[@]} -gt 0 ] || { echo "error: no row is of data set '$only' and backbone '$only_family'" >&2; exit 2; }
head='data set|components|backbone|published clean|published level 5|reference clean|reference level 5|mIoU clean|mIoU level 5'
printf '%s\n' "$head" "${table[@]}" >"$output/tables.txt"
python3 -c '
import sys
rows = [line.rstrip("\n").split("|") for line in open(sys.argv[1], encoding="utf-8")]
widths = [max(map(len, column)) for column in zip(*rows)]
for row in rows:
    print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())' "$output/tables.txt"
