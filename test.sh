#!/usr/bin/env bash
# Builds everything and runs the tests. Usage: ./test.sh [--sanitizers] [--format] [--tidy]
#   (nothing)      check the formatting, build the preset "release", run its tests
#   --sanitizers   the same with the preset "asan" (address and undefined-behaviour sanitizers)
#   --format       check the formatting only
#   --tidy         build the preset "release" and run clang-tidy over the sources
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

preset=release
job=tests
for argument in "$@"; do
    case $argument in
        --sanitizers) preset=asan ;;
        --format) job=format ;;
        --tidy) job=tidy ;;
        --help | -h)
            sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *)
            echo "test.sh: unknown option '$argument'; see ./test.sh --help" >&2
            exit 2
            ;;
    esac
done

stage=set-up
trap 'status=$?; ((status == 0)) || echo "test.sh: FAILED in $stage (exit status $status)"' EXIT

sources() { # the project's own C++ files with the given endings
    local ending
    for ending in "$@"; do
        find models tlm trainer scenarios tests -type f -name "*.$ending"
    done | sort
}

scripts/setup_debian.sh

if [[ $job != tidy ]]; then
    stage="the format check; mend it with: clang-format -i FILE"
    checked=0
    unformatted=()
    while read -r file; do
        checked=$((checked + 1))
        clang-format "$file" | cmp -s - "$file" || unformatted+=("$file")
    done < <(sources h cpp)
    if ((${#unformatted[@]} > 0)); then
        printf 'not as clang-format writes it: %s\n' "${unformatted[@]}"
        exit 1
    fi
    echo "format: $checked files are as clang-format writes them"
fi
if [[ $job == format ]]; then
    echo "test.sh: passed"
    exit 0
fi

stage="configuring (preset $preset)"
cmake --preset "$preset"
stage="the build (preset $preset)"
cmake --build --preset "$preset"

if [[ $job == tidy ]]; then
    stage=clang-tidy
    sources cpp | xargs -r -n 1 -P "$(nproc)" clang-tidy -p "build/$preset" --quiet \
        --extra-arg=-Wno-unknown-warning-option
else
    stage="the tests (preset $preset)"
    ctest --preset "$preset"
fi
echo "test.sh: passed"
