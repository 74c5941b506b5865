#!/usr/bin/env bash
# Builds imssa and runs a trained network on two simulated chips: one with ideal devices, one with those of the
# 28 nm projection. Usage: ./demo.sh [--data DIR] [--sequences N]
# Without MNIST (see scripts/check_mnist.sh) the built-in generated digits take its place.
set -euo pipefail

data=${IMSSA_DATA:-}
sequences=1000
usage() { sed -n '2,4s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
while (($# > 0)); do
    case $1 in
        --data | --sequences)
            if (($# < 2)); then
                echo "demo.sh: $1 needs a value" >&2
                exit 2
            fi
            if [[ $1 == --data ]]; then data=$2; else sequences=$2; fi
            shift 2
            ;;
        --help | -h)
            usage
            exit 0
            ;;
        *)
            echo "demo.sh: unknown option '$1'" >&2
            usage >&2
            exit 2
            ;;
    esac
done
# A folder the user names is meant from where the user stands.
[[ -z $data ]] || data=$(realpath -m -- "$data")
cd "$(dirname "${BASH_SOURCE[0]}")"

out=out/demo
log=build/demo-build.log
mkdir -p "$out" build

has_mnist() {
    local folder=${data:-../shared/data} place
    for place in "$folder/mnist" "$folder"; do
        if compgen -G "$place/t10k-images[-.]idx3-ubyte*" >/dev/null &&
            compgen -G "$place/t10k-labels[-.]idx1-ubyte*" >/dev/null; then
            return 0
        fi
    done
    return 1
}

build() { # build TARGETS...: quiet unless it fails
    if ! { cmake --preset release && cmake --build --preset release --target "$@"; } >"$log" 2>&1; then
        cat "$log" >&2
        echo "demo.sh: the build failed; the log above is in $log" >&2
        exit 1
    fi
}

infer() { # infer TITLE CHIP OPTIONS...: the checkpoint on a chip
    local title=$1 chip=$2
    shift 2
    echo
    echo "== $title ($chip)"
    build/release/bin/infer --checkpoint "$checkpoint" --chip "$chip" --engine chip --sequences "$sequences" \
        "${data_option[@]}" "$@"
}

data_option=()
if has_mnist; then
    checkpoint=scenarios/checkpoints/smnist_small_8bit_noise.h5
    [[ -z $data ]] || data_option=(--data "$data")
    images="MNIST, pixel by pixel"
else
    checkpoint=scenarios/checkpoints/glyphs_small_8bit.h5
    images="generated digits, pixel by pixel (no MNIST in ${data:-../shared/data}; scripts/check_mnist.sh says where it is found)"
fi

echo "== Set-up: packages"
scripts/setup_debian.sh
echo "== Build: $log"
build infer
echo "== Data: $images; network: $checkpoint; $sequences sequences"
infer "Ideal devices: the chip computes what the reference inference computes" scenarios/chips/ideal.toml \
    --json "$out/ideal.json" --out "$out"
infer "28 nm projection: analog errors of five programmed chips, latency, energy, area" scenarios/chips/imssa_28nm.toml \
    --chips 5 --json "$out/imssa_28nm.json" --vcd "$out/waveform.vcd" --out "$out"
echo
echo "== Done: results in $out/*.json, pictures in $out/*.png; waveform: gtkwave $out/waveform.vcd traces/imssa.gtkw"
