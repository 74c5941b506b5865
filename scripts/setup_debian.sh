#!/usr/bin/env bash
# Installs the Debian packages that imssa is built with; quiet when nothing is missing.
# Run it, or let demo.sh and test.sh run it. Needs root or sudo only if something is missing.
set -euo pipefail

packages=(
    g++ cmake ninja-build ccache pkg-config
    libsystemc-dev libeigen3-dev libboost-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev
    libhdf5-dev librandom123-dev zlib1g-dev libssl-dev
    libgtest-dev libgmock-dev libbenchmark-dev clang-format clang-tidy
    gnuplot-nox gtkwave ngspice
)

if ! command -v dpkg-query >/dev/null; then
    echo "setup: this is no Debian system; install the equivalents of: ${packages[*]}"
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [[ $status == *" installed" ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
    exit 0
fi

as_root=()
if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
        echo "setup: run as root: apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 2
    fi
    as_root=(sudo)
fi
apt() {
    # Another apt may hold the lock for a while: wait for it.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
        -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@"
}

echo "setup: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for attempt in 1 2 3; do
    if apt update >"$log" 2>&1 && apt install --yes --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
        exit 0
    fi
    echo "setup: attempt $attempt of 3 failed: $(grep -m1 '^E:' "$log" || tail -n 1 "$log")" >&2
    ((attempt == 3)) || sleep $((attempt * 10))
done
cat "$log" >&2
echo "setup: the packages could not be installed; install them by hand: ${missing[*]}" >&2
exit 1
