#!/usr/bin/env bash
# Figures, each beside its floor or peer in the same run.
set -euo pipefail
cd "$(dirname "$0")/.."
bash deploy/setup.sh --dev
for bench in tests/bench/bench_*.py; do
    name=$(basename "$bench" .py)
    echo "== $name"
    .venv/bin/python -m "tests.bench.$name"
done
