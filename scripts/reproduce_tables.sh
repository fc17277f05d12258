#!/usr/bin/env bash
# Measures every row of the result tables of dinov2-finetune (Pascal VOC and ADE20K; clean and corrupted at level 5), those of August
# 2025, which it has withdrawn, and those of October 2025, and prints what comes out beside what that project published. A third table
# has the same rows trained with dinoft's default recipe, as mIoU at original size, beside what others have published.
#
# usage: scripts/reproduce_tables.sh [--data_root DIR] [--checkpoints DIR] [--train] [--epochs N] [--only voc|ade20k]
#                                    [--family dinov2|dinov3] [--recipes reference|default] [--size SIZE] [--weights FILE]
#                                    [--output_dir DIR] [-- FLAGS of both corrupt and train]
#
# Checkpoints are looked for in --checkpoints (output): that project's files, under the names that it published, or those that
# --train writes, under the rows' names, with _default behind them for the default recipe. --train trains the rows whose checkpoint is
# missing (for 100 epochs: days without a GPU). The first tables' are trained as that project did: with the recipe of August, but for
# the three DINOv3 models of VOC, which it trained anew in October. --recipes makes the first two tables alone, or the third. --size
# and --weights name another backbone for all rows of its ViT-L, to try all this out: then no figure is comparable.
# The numbers that the project published are its own: in August no mIoU, in October a mean over batches, of 64 images here as there.
# The mIoU stands beside them. Those of others are mIoU: with a linear decoder on a frozen backbone, of one view and of several scales
# (+ms), from the papers' tables and model cards (DINOv2: arXiv 2304.07193, table 10; DINOv3: the model cards of the ViT-L/16); and
# what a user of the project measured of its own checkpoint with mmsegmentation's mIoU (its issue 9).
set -euo pipefail
cd "$(dirname "$0")/.."

data_root=data checkpoints=output output=output/tables only='' only_family='' recipes='' epochs=100 size='' weights='' train=no extra=()
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || [ "$1" = --train ] || set -- --help # a flag without its value
    case $1 in
    --data_root) data_root=$2; shift 2 ;;
    --checkpoints) checkpoints=$2; shift 2 ;;
    --output_dir) output=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    --family) only_family=$2; shift 2 ;;
    --recipes) recipes=$2; shift 2 ;;
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

case $recipes in '' | reference | default) ;; *) echo "error: --recipes is '$recipes', not reference or default" >&2; exit 2 ;; esac

# data set | components | family | size | published file | August: clean | level 5 | October: clean | level 5 | recipe | what others
# published | flags of the training
august=reference-2025-08
rows="voc|1x1|dinov2|large|dinov2/large_voc_no_lora.pt|70.9|66.6|49.2|40.0|$august|82.1, +ms 86.0|
voc|LoRA + 1x1|dinov3|base|dinov3/base_voc_lora.pt|||71.5||reference||--use_lora
voc|LoRA + 1x1|dinov3|large|dinov3/large_voc_lora.pt|77.6||71.8|65.4|reference||--use_lora
voc|LoRA + 1x1|dinov3|huge|dinov3/huge_voc_lora.pt|||73.3||reference||--use_lora
voc|LoRA + 1x1|dinov2|large|dinov2/large_voc_lora.pt|85.2|72.2|67.7|57.3|$august|82.1, +ms 86.0|--use_lora
voc|LoRA + FPN|dinov2|large|dinov2/large_voc_fpn.pt|74.1|65.6|54.9|46.7|$august|82.1, +ms 86.0|--use_lora --use_fpn
ade20k|1x1|dinov2|large|dinov2/large_ade20k_no_lora.pt|57.2|54.4|31.3|26.8|$august|47.7, +ms 53.1|
ade20k|LoRA + 1x1|dinov3|large|dinov3/large_ade20k_lora.pt|63.9|57.7|40.0|33.3|$august|54.9; the project's checkpoint 52.09|--use_lora
ade20k|LoRA + 1x1|dinov2|large|dinov2/large_ade20k_lora.pt|62.2|55.8|39.0|30.1|$august|47.7, +ms 53.1|--use_lora
ade20k|LoRA + FPN|dinov2|large|dinov2/large_ade20k_fpn.pt|62.0|54.7|36.9|28.9|$august|47.7, +ms 53.1|--use_lora --use_fpn"

# A score of a file of scores, clean and at level 5, in per cent or "-", with a bar between them.
scores() { # file, name
    python3 -c '
import json, sys
results = json.load(open(sys.argv[1], encoding="utf-8"))
cells = results["clean"], results["corruptions"][0]["cells"][0]
values = [cell[sys.argv[2]] for cell in cells]
print("|".join("-" if value is None else f"{100 * value:.1f}" for value in values))' "$1" "$2"
}

# Trains a row now if that is wanted and it has no checkpoint. Prints the checkpoint's path, or nothing.
train_row() { # name, data set, family, recipe, training flags
    local own="$checkpoints/$1.pt"
    if [ ! -f "$own" ]; then
        [ "$train" = yes ] || return 0
        # shellcheck disable=SC2086 # flags are words
        "$program" train --dataset "$2" --dino_type "$3" $5 --recipe "$4" --epochs "$epochs" --exp_name "$1" \
            --overwrite --output_dir "$checkpoints" "${common[@]}" >&2 || exit 1 # set -e does not reach here
    fi
    echo "$own"
}

# Scores a checkpoint, clean and at level 5.
score() { # checkpoint, name of the results, flags
    echo "== $dataset, $components, $family ${size:-$own_size}: $1" >&2
    "$program" corrupt --dataset "$dataset" --dino_type "$family" --lora_weights "$1" --suite reference --severity 5 \
        --exp_name "$2" --output_dir "$output" "${common[@]}" "${@:3}" >"$output/$2.txt"
}

# Of the row whose columns a loop has read: what it is called, and whether it is among those that are asked for.
row_name() {
    echo "${size:-$own_size}_${dataset}_${family}_$(echo "$components" | tr -d ' ' | tr '+' '_' | tr '[:upper:]' '[:lower:]')"
}
is_wanted() {
    [ -z "$only" ] || [ "$only" = "$dataset" ] || return 1
    [ -z "$only_family" ] || [ "$only_family" = "$family" ] || return 1
    [ -z "$size$weights" ] || [ "$own_size" = large ]
}

# Days may pass until a row's training begins: what it would refuse is said before the first.
check_epochs() {
    local dataset components family own_size published recipe
    while IFS='|' read -r dataset components family own_size published _ _ _ _ recipe _; do
        if is_wanted && [ "$recipe" = reference ] && [ ! -f "$checkpoints/$published" ] &&
            [ ! -f "$checkpoints/$(row_name).pt" ]; then
            echo "error: --epochs $epochs: with the recipe of October, as DINOv3 is trained for VOC, the learning rate rises for" \
                "20 epochs and falls after them (--family dinov2 and --only ade20k leave these rows out)" >&2
            exit 2
        fi
    done <<<"$rows"
}

# Rows of the first two tables.
reference_rows() { # description, name
    local checkpoint="$checkpoints/$published" iou miou usual='|'
    [ -f "$checkpoint" ] || checkpoint=$(train_row "$2" "$dataset" "$family" "$recipe" "$flags")
    if [ -n "$checkpoint" ]; then
        score "$checkpoint" "$2" --batch_size 64
        local results="$output/${2}_corruptions.json"
        iou=$(scores "$results" reference_iou) miou=$(scores "$results" reference_miou) usual=$(scores "$results" miou)
    else
        iou="no checkpoint ($published)|" miou=$iou
    fi
    [ -z "$august_clean" ] || august_table+=("$1|$august_clean|${august_corrupted:--}|$iou")
    october_table+=("$1|$october_clean|${october_corrupted:--}|$miou|$usual")
}

# The row of the third.
default_row() { # description, name
    local checkpoint miou="no checkpoint ($2.pt)|"
    checkpoint=$(train_row "$2" "$dataset" "$family" default "$flags")
    if [ -n "$checkpoint" ]; then
        score "$checkpoint" "$2" --eval_size original
        miou=$(scores "$output/${2}_corruptions.json" miou)
    fi
    default_table+=("$1|$miou|${others:--}")
}

# Prints a title, and the lines of a table, also to a file, in columns.
print_table() { # file, title, lines
    printf '%s\n' "${@:3}" >"$1"
    echo "$2"
    python3 -c '
import sys
rows = [line.rstrip("\n").split("|") for line in open(sys.argv[1], encoding="utf-8")]
widths = [max(map(len, column)) for column in zip(*rows)]
for row in rows:
    print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())' "$1"
}

[ "$train" = no ] || [ "$recipes" = default ] || [ "$epochs" -gt 20 ] || check_epochs
mkdir -p "$output"
august_table=() october_table=() default_table=()
while IFS='|' read -r dataset components family own_size published august_clean august_corrupted october_clean october_corrupted \
    recipe others flags; do
    is_wanted || continue
    common=(--data_root "$data_root" --size "${size:-$own_size}")
    [ -n "$weights" ] && common+=(--weights "$weights")
    [ ${#extra[@]} -gt 0 ] && common+=("${extra[@]}")
    description="$dataset|$components|$family ${size:-$own_size}"
    [ "$recipes" = default ] || reference_rows "$description" "$(row_name)"
    [ "$recipes" = reference ] || default_row "$description" "$(row_name)_default"
done <<<"$rows"

[ $((${#october_table[@]} + ${#default_table[@]})) -gt 0 ] ||
    { echo "error: no row is of data set '$only' and backbone '$only_family'" >&2; exit 2; }
head='data set|components|backbone'
if [ "$recipes" != default ]; then
    print_table "$output/tables_2025-08.txt" 'August 2025 (withdrawn), reference IoU in %:' \
        "$head|published clean|published level 5|reference IoU clean|level 5" "${august_table[@]}"
    echo
    print_table "$output/tables_2025-10.txt" 'October 2025, reference mIoU in %:' \
        "$head|published clean|published level 5|reference mIoU clean|level 5|mIoU clean|level 5" "${october_table[@]}"
fi
[ -n "$recipes" ] || echo
if [ "$recipes" != reference ]; then
    print_table "$output/tables_default.txt" 'The default recipe, mIoU at original size in %:' \
        "$head|clean|level 5|published by others, clean" "${default_table[@]}"
fi
