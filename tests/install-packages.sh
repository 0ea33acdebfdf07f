# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# What the tests need, for run.sh: `. "$root/tests/install-packages.sh"`. Installs what is missing,
# or says what to run and ends.

# shellcheck source=examples/install-missing.sh
. "$root/examples/install-missing.sh"

# Packages of servers start a service when they are installed. The tests want the programs, and no
# service on somebody's machine: Debian's policy-rc.d forbids it for as long as we install.
stook_policy=/usr/sbin/policy-rc.d
stook_servers='nginx-light apache2-bin caddy haproxy nghttp2-server squid tinyproxy-bin dante-server stunnel4'

stook_as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

stook_forbid_services() {
    trap stook_allow_services EXIT
    trap 'exit 1' HUP INT TERM
    if [ -e "$stook_policy" ]; then
        stook_as_root mv "$stook_policy" "$stook_policy.before-stook"
    fi
    printf '#!/bin/sh\nexit 101\n' | stook_as_root tee "$stook_policy" >/dev/null
    stook_as_root chmod 755 "$stook_policy"
}

stook_allow_services() {
    trap - EXIT HUP INT TERM
    stook_as_root rm -f "$stook_policy"
    if [ -e "$stook_policy.before-stook" ]; then
        stook_as_root mv "$stook_policy.before-stook" "$stook_policy"
    fi
}

stook_install_for_tests() {
    # shellcheck disable=SC2086 # words
    install_missing gcc g++ make cmake pkg-config libuv1-dev libcurl4-openssl-dev libssl-dev \
        libjansson-dev libglib2.0-dev zlib1g-dev libbrotli-dev libzstd-dev ca-certificates clang-format curl openssl valgrind iproute2 nftables $stook_servers python3-httpbin || exit 1
}

stook_lacks_a_server() {
    for stook_server in $stook_servers; do
        stook_is_there "$stook_server" || return 0
    done
    return 1
}

if stook_lacks_a_server && { [ "$(id -u)" -eq 0 ] || stook_can_sudo; }; then
    stook_forbid_services
    stook_install_for_tests
    stook_allow_services
else
    stook_install_for_tests
fi
