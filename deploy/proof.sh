#!/usr/bin/env bash
# The proofs in their full length; deploy/test.sh runs a sample of each. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
bash deploy/setup.sh --dev
exec .venv/bin/python -m pytest -m proof "$@"
