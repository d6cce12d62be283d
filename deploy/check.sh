#!/usr/bin/env bash
# Format, lint, types, import directions: what a change must pass besides the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
bash deploy/setup.sh --dev
.venv/bin/ruff format --check controller tests
.venv/bin/ruff check controller tests
.venv/bin/mypy
.venv/bin/lint-imports
