#!/usr/bin/env bash
# Installs what the tests need and runs them all. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
bash deploy/setup.sh --dev
# Four at a time: most tests wait for something. One file stays in one process; the longest begin (tests/conftest.py).
exec .venv/bin/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder "$@"
