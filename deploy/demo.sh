#!/usr/bin/env bash
# A whole session in six minutes, in a simulated room. --headless, --minutes N: see --help.
set -euo pipefail
cd "$(dirname "$0")/.."
bash deploy/setup.sh
exec .venv/bin/stillroom demo "$@"
