#!/usr/bin/env bash
# Kills small training runs at random moments (LoRA, FPN, moving average, accumulation and cached features in turn), resumes
# them and compares the final bits with those of an undisturbed run:
# scripts/kill_runs.sh [KILLS] [PROGRAM]. 500 kills take some minutes; scripts/test.sh does 20.
set -euo pipefail
cd "$(dirname "$0")/.."
export DINOFT_KILLS=${1:-500} DINOFT=${2:-$PWD/build/dinoft} DINOFT_FIXTURES=$PWD/tests/fixtures PYTHONDONTWRITEBYTECODE=1
exec python3 tests/cli/test_resume.py Kills
