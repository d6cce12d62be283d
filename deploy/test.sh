#!/usr/bin/env bash
# Installs what the tests need and runs them all. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
bash deploy/setup.sh --dev
exec .venv/bin/python -m pytest "$@"
