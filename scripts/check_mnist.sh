#!/usr/bin/env bash
# Says where MNIST is found, and checks the four files in DIR.
# Usage: scripts/check_mnist.sh [DIR]   (default: $IMSSA_DATA, else ../shared/data; also DIR/mnist)
set -euo pipefail

default=$(realpath -m --relative-to=. "$(dirname "${BASH_SOURCE[0]}")/../../shared/data")
folder=${1:-${IMSSA_DATA:-$default}}
sums=(
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609 train-images-idx3-ubyte.gz"
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c train-labels-idx1-ubyte.gz"
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6 t10k-images-idx3-ubyte.gz"
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6 t10k-labels-idx1-ubyte.gz"
)

bad=0
for entry in "${sums[@]}"; do
    read -r expected name <<<"$entry"
    path=
    for candidate in "$folder/mnist/$name" "$folder/$name"; do
        if [[ -z $path && -f $candidate ]]; then
            path=$candidate
        fi
    done
    if [[ -z $path ]]; then
        echo "missing   $name (neither in $folder/mnist nor in $folder)"
        bad=1
        continue
    fi
    found=$(sha256sum "$path" | cut -d' ' -f1)
    if [[ $found == "$expected" ]]; then
        echo "ok        $path"
    else
        echo "damaged   $path (sha256 $found, expected $expected)"
        bad=1
    fi
done
if ((bad == 0)); then
    echo "MNIST is complete: use --data $folder"
    exit 0
fi
cat <<'TEXT'

Download the missing or damaged files (11 MB together) from either of their public places, e.g. with
    curl -fLO https://ossci-datasets.s3.amazonaws.com/mnist/NAME
    curl -fLO https://storage.googleapis.com/cvdf-datasets/mnist/NAME
put them into one folder DIR, and check them with scripts/check_mnist.sh DIR; then use --data DIR, or export
IMSSA_DATA=DIR. MNIST is (c) Yann LeCun and Corinna Cortes, commonly given as CC BY-SA 3.0.
Without MNIST, the built-in generated digits need no files: --set data.name=glyphs
TEXT
exit 1
