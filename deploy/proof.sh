#!/usr/bin/env bash
# The proofs in their full length, of which deploy/test.sh runs a sample each, and the times that the room is promised to
# the figure. Let nothing else run beside it. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
bash deploy/setup.sh --dev
STILLROOM_QUIET=1 exec .venv/bin/python -m pytest -m "proof or timed" "$@"
