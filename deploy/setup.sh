#!/usr/bin/env bash
# Leaves .venv/bin/stillroom ready to run. Does nothing when nothing is to be done.
#   bash deploy/setup.sh          what the product needs
#   bash deploy/setup.sh --dev    and what its tests and checks need
set -euo pipefail
cd "$(dirname "$0")/.."

# libvlc-bin brings the tool that caches libVLC's plugin list: 40 MB less memory and a quicker start of the engine.
packages=(libvlc5 vlc-plugin-base libvlc-bin ffmpeg mosquitto libportaudio2 libasound2-plugins python3 python3-venv ca-certificates)
[ "${1:-}" = "--dev" ] && packages+=(tmux procps git faketime)
# The tests of the sound device start a server of their own. Where another one runs the desktop, apt would put it out.
[ "${1:-}" = "--dev" ] && ! command -v pipewire >/dev/null && packages+=(pulseaudio pulseaudio-utils)

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
    echo "Installing: ${missing[*]}"
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    # A service that apt would start beside ours is not wanted: the demo brings its own broker.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# Whatever Python is first on PATH may be a build without ensurepip; Debian's own is the one we test.
python=/usr/bin/python3
stamp=.venv/.stillroom-lock
version=$("$python" --version)
wanted=$(cat deploy/requirements.lock pyproject.toml | sha256sum; echo "$version")
if [ ! -x .venv/bin/stillroom ] || [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "Making the virtual environment in .venv (a minute or two, once)"
    # An environment of the same Python is brought up to date in place: something may be running in it.
    [ "$(.venv/bin/python --version 2>/dev/null)" = "$version" ] || { rm -rf .venv; "$python" -m venv .venv; }
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r deploy/requirements.lock
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
    printf '%s' "$wanted" >"$stamp"
fi
