# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Installs the Debian packages that are missing, and says which. To be sourced:
#
#     . "$root/examples/install-missing.sh"
#     install_missing gcc make cmake libuv1-dev [-- g++ libjansson-dev]
#
# What stands behind -- is welcome but not needed: taken along where something is installed anyway,
# never a reason to ask for root. A package counts as there when what it is needed for is there, so
# that clang will do for gcc, and any flavour of libcurl for another. Returns 1, having said what to
# do, where it can do nothing; and touches nothing where nothing is missing.

install_missing() {
    stook_needed=
    stook_welcome=
    stook_where=needed
    for stook_package in "$@"; do
        if [ "$stook_package" = -- ]; then
            stook_where=welcome
        elif stook_is_there "$stook_package"; then
            continue
        elif [ "$stook_where" = needed ]; then
            stook_needed="$stook_needed $(stook_with_company "$stook_package")"
        else
            stook_welcome="$stook_welcome $(stook_with_company "$stook_package")"
        fi
    done
    [ -n "$stook_needed" ] || return 0
    stook_install "$stook_needed$stook_welcome"
}

# Is there what the package is needed for?
stook_is_there() {
    case $1 in
    gcc) stook_compiles '#include <stdio.h>' "${CC:-cc}" gcc clang ;;
    g++) stook_has_program c++ g++ clang++ ;;
    make) stook_has_program make ninja ;;
    nginx-light) stook_has_program nginx ;;
    libuv1-dev) stook_knows libuv ;;
    libcurl4-openssl-dev) stook_knows libcurl ;;
    libjansson-dev) stook_knows jansson ;;
    libglib2.0-dev) stook_knows glib-2.0 ;;
    libssl-dev) stook_knows openssl ;;
    zlib1g-dev) stook_knows zlib ;;
    libbrotli-dev) stook_knows libbrotlidec ;;
    libzstd-dev) stook_knows libzstd ;;
    ca-certificates) [ -s /etc/ssl/certs/ca-certificates.crt ] ;;
    apache2-bin) stook_has_program apache2 ;;
    nghttp2-server) stook_has_program nghttpd ;;
    iproute2) stook_has_program ip ;;
    nftables) stook_has_program nft ;;
    libclang-rt-dev) clang -fsanitize=fuzzer -x c /dev/null -shared -o /dev/null 2>/dev/null ;;
    python3-*) /usr/bin/python3 -c "import ${1#python3-}" 2>/dev/null ;;
    *) stook_has_program "$1" ;;
    esac
}

# Without recommended packages the compiler comes without the headers of the C library.
stook_with_company() {
    case $1 in
    gcc) echo "gcc libc6-dev" ;;
    *) echo "$1" ;;
    esac
}

stook_compiles() {
    stook_source=$1
    shift
    for stook_compiler in "$@"; do
        echo "$stook_source" | "$stook_compiler" -E - >/dev/null 2>&1 && return 0
    done
    return 1
}

# Also where users seldom look for programs: servers stand in sbin.
stook_has_program() {
    for stook_program in "$@"; do
        command -v "$stook_program" >/dev/null 2>&1 && return 0
        [ -x "/usr/sbin/$stook_program" ] && return 0
    done
    return 1
}

# Is there a library of that name to pkg-config? Where pkg-config itself is missing its file is
# looked for: else a libcurl that is there would be thrown out in favour of another flavour.
stook_knows() {
    if command -v pkg-config >/dev/null 2>&1; then
        pkg-config --exists "$1" 2>/dev/null
        return
    fi
    for stook_file in /usr/lib/*/pkgconfig/"$1".pc /usr/lib/pkgconfig/"$1".pc \
        /usr/local/lib/pkgconfig/"$1".pc; do
        [ -f "$stook_file" ] && return 0
    done
    return 1
}

stook_install() {
    echo "stook: missing:$1"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "stook: no apt-get here: please install what these Debian packages hold" >&2
        return 1
    fi
    if [ "$(id -u)" -eq 0 ]; then
        stook_apt '' "$1"
    elif stook_can_sudo; then
        stook_apt sudo "$1"
    else
        echo "stook: installing takes root. Please run this as root, then try again:" >&2
        echo "    apt-get update && apt-get install -y --no-install-recommends$1" >&2
        return 1
    fi
}

# Without a question, or with one where somebody sits at the terminal to answer it.
stook_can_sudo() {
    command -v sudo >/dev/null 2>&1 || return 1
    sudo -n true 2>/dev/null && return 0
    [ -t 0 ] && [ -t 2 ] && sudo -v
}

# The list is one string, to be split into words.
# shellcheck disable=SC2086
stook_apt() {
    $1 apt-get update &&
        $1 env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $2
}
