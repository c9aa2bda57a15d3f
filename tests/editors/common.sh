# Sourced by the installers: where editors go, and how one gets there whole or not at all.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
editors=${AIOPS_TEST_EDITORS:-$HOME/.cache/aiops-lsp-tests}
mkdir -p "$editors"

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$1" >&2
    exit 1
}

need_apt() {
    for tool in apt-get dpkg-deb; do
        command -v "$tool" >/dev/null || fail "$tool was not found: this installer knows Debian and Ubuntu only"
    done
    case $(dpkg --print-architecture) in
    amd64) loader=lib64/ld-linux-x86-64.so.2 libraries=usr/lib/x86_64-linux-gnu ;;
    arm64) loader=lib/ld-linux-aarch64.so.1 libraries=usr/lib/aarch64-linux-gnu ;;
    *) fail "no installer for $(dpkg --print-architecture)" ;;
    esac
}

# settle ROOT BINARY: make a program of an unpacked Debian use the loader and the libraries of that Debian, so that
# neither need match the system's. ROOT must hold patchelf.
settle() {
    root=$1 binary=$1/$2
    "$root/$loader" --library-path "$root/$libraries" "$root/usr/bin/patchelf" \
        --set-interpreter "$root/$loader" --force-rpath --set-rpath "$root/$libraries" "$binary"
}
