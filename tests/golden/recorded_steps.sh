#!/usr/bin/env bash
# Twenty training steps on drawn images against the losses that the CPU found in float32, which recorded_losses.csv holds.
#
# usage: DINOFT=PROGRAM tests/golden/recorded_steps.sh linear|fpn fp32|bf16 [STEPS=20]
#
# DINOFT_TEST_DEVICE names the device, the CPU if it is not set. Bash and awk are enough. What this prints as found, on the CPU in fp32, is
# what the table holds.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 2 ] || { sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
decoder=$1 precision=$2 steps=${3:-20}

# The bounds are those of `dinoft selftest`.
case $decoder-$precision in
linear-fp32) bound=2e-4 ;;
linear-bf16) bound=5e-3 ;;
fpn-fp32) bound=2e-3 ;;
fpn-bf16) bound=5e-2 ;;
*) echo "error: $decoder in $precision is not recorded" >&2; exit 2 ;;
esac
model=(--weights "$here/../fixtures/dinov2_tiny_reg/backbone.pth" --img_dim 70 70)
[ "$decoder" = linear ] || model=(--weights "$here/../fixtures/dinov3_tiny/backbone.pth" --img_dim 128 128 --use_fpn)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$DINOFT" demo-data --data_root "$folder" --train_images 40 --val_images 1
"$DINOFT" train --dataset voc --data_root "$folder" "${model[@]}" --use_lora --batch_size 2 --lr 3e-3 --lr_head 1 --no_shuffle \
    --schedule constant --warmup_steps 0 --augment none --head_norm none \
    --max_steps "$steps" --device "${DINOFT_TEST_DEVICE:-cpu}" --precision "$precision" --output_dir "$folder" --exp_name steps

awk -F , -v decoder="$decoder" -v steps="$steps" -v bound="$bound" '
    FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    NR == FNR { if ($column["decoder"] == decoder) expected[$column["step"]] = $column["loss"]; next }
    {
        loss = $column["loss"]; want = expected[$column["step"]]
        apart = (loss - want) / want; apart = apart < 0 ? -apart : apart
        printf "%s,%d,%s found, %s recorded, %.2e apart\n", decoder, $column["step"], loss, want, apart
        if (!(apart <= largest)) largest = apart
        count += loss == loss + 0 && apart <= bound
    }
    END {
        printf "%d of %d losses within %s; the largest relative difference is %.2e\n", count, steps, bound, largest
        exit count != steps
    }' "$here/recorded_losses.csv" "$folder/steps_steps.csv"
