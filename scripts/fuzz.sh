#!/usr/bin/env bash
# Looks for inputs that the readers of files stumble over: scripts/fuzz.sh [MINUTES] [TARGET…]
#
# Builds the fuzz targets (tests/fuzz/fuzz_TARGET.c, all where none is named) with clang and the address and
# undefined-behaviour sanitizers into build-fuzz, and runs them for MINUTES in all (10 where none are given), equally long
# each. What was learnt stays in build-fuzz/corpus: a later run goes on from there. Exits with 1 if anything was found; an
# input that shows it belongs into tests/fuzz/findings/TARGET once it is mended.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=10
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
    minutes=$1
    shift
fi
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for file in tests/fuzz/fuzz_*.c; do
        name=$(basename "$file" .c)
        targets+=("${name#fuzz_}")
    done
fi
for target in "${targets[@]}"; do
    if [ ! -e "tests/fuzz/fuzz_$target.c" ]; then
        echo "error: there is no target $target: no tests/fuzz/fuzz_$target.c" >&2
        exit 2
    fi
done
seconds=$((minutes * 60 / ${#targets[@]}))
if [ "$seconds" -lt 1 ]; then
    echo "error: $minutes minutes are too few for ${#targets[@]} targets" >&2
    exit 2
fi

folder=build-fuzz
scripts/install_dependencies.sh --fuzz
mkdir -p "$folder"
log=$folder/build.log
if ! { cmake -S . -B "$folder" -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DDINOFT_CUDA=OFF \
    -DDINOFT_TESTS=ON -DDINOFT_SANITIZE=ON -DDINOFT_FUZZ=ON && cmake --build "$folder" --target fuzzers; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "error: the fuzz targets cannot be built; the whole log is $log" >&2
    exit 1
fi
python3 -B tests/fuzz/make_seeds.py "$folder/seeds"

inputs=/tmp
[ -w /dev/shm ] && inputs=/dev/shm
inputs=$(mktemp -d "$inputs/dinoft-fuzz-XXXXXX")
trap 'rm -rf "$inputs"' EXIT

# The number behind a name in libFuzzer's final statistics.
statistic() {
    sed -n "s/^stat::$1: *//p" "$2"
}

# "cov: N ft: M" of the last line that has them.
coverage() {
    grep -o 'cov: [0-9]* ft: [0-9]*' "$1" | tail -n 1
}

status=0
printf '%-18s %12s %10s   %-26s %s\n' target executions "a second" coverage findings
for target in "${targets[@]}"; do
    corpus=$folder/corpus/$target
    found=$folder/findings/$target
    log=$folder/$target.log
    given=("$folder/seeds/$target")
    [ -d "tests/fuzz/findings/$target" ] && given+=("tests/fuzz/findings/$target")
    mkdir -p "$corpus" "$found"
    before=$(find "$found" -type f | wc -l)
    ended=0
    # 3: what the readers say about each input is not printed; the sanitizers' reports are.
    TMPDIR=$inputs "$folder/tests/fuzz_$target" -max_total_time="$seconds" -print_final_stats=1 -close_fd_mask=3 \
        -malloc_limit_mb=256 -rss_limit_mb=2048 -timeout=20 -artifact_prefix="$found/" \
        "$corpus" "${given[@]}" >"$log" 2>&1 || ended=$?
    after=$(find "$found" -type f | wc -l)
    printf '%-18s %12s %10s   %-26s %s\n' "$target" "$(statistic number_of_executed_units "$log")" \
        "$(statistic average_exec_per_sec "$log")" "$(coverage "$log")" "$((after - before))"
    if [ "$ended" -ne 0 ]; then
        status=1
        echo "    $(grep -m 1 '^SUMMARY' "$log" || tail -n 1 "$log")"
        echo "    the report: $log; the inputs: $found/; again, with more words: $folder/tests/fuzz_$target INPUT"
    fi
done
exit "$status"
