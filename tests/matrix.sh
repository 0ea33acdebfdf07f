#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The tests against other versions of libcurl and libuv:
#
#     sh tests/matrix.sh [--fresh] [--sanitize | --fast | --cost] [--minutes N] [row...] [-- argument of ctest...]
#
#   backports   Debian 12 with the libcurl of its backports
#   gnutls      Debian 12 with the libcurl that stands on GnuTLS
#   newest      the newest libcurl of Debian's newer suites, with that suite's libuv
#
# These three unless rows are named. By name there are also trixie, trixie-backports, forky, sid.
#
# Each row has a small Debian of its own in build/matrix/ROW, made by debootstrap from the mirror that
# this system's apt uses (roots.sh), and kept for the next run; --fresh makes it anew. --sanitize builds
# with the address and undefined behaviour sanitizers, beside the plain build; --fast leaves out the slow
# tests; --cost runs the tests of tests/bench and no others. After --minutes no more roots are made: what
# is not there by then counts as not set up.
#
# Ends with 0: every row that could be set up passed; 1: one did not; 77: none could be set up, which
# takes root, debootstrap, unshare, and a mirror that answers.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
packages='gcc g++ libc6-dev make cmake pkg-config libjansson-dev libglib2.0-dev libssl-dev zlib1g-dev libbrotli-dev libzstd-dev
    nginx-light apache2-bin caddy haproxy nghttp2-server python3-httpbin openssl ca-certificates'

# ----------------------------------------------------------------------------------- the rows

# Lines of: a suite, a suite to take the two libraries from (-: the same), the flavour of libcurl.
# The first that can be set up is taken.
candidates() {
    case $1 in
        backports) echo bookworm bookworm-backports openssl ;;
        gnutls) echo bookworm - gnutls ;;
        newest)
            echo sid experimental openssl
            echo sid - openssl
            echo forky - openssl
            echo trixie trixie-backports openssl
            echo trixie - openssl
            ;;
        trixie-backports) echo trixie trixie-backports openssl ;;
        trixie | forky | sid) echo "$1" - openssl ;;
        *) return 1 ;;
    esac
}

fresh=
kind=
until=
rows=
while [ $# -gt 0 ]; do
    case $1 in
        --fresh) fresh=1 ;;
        --sanitize) kind=address,undefined ;;
        --fast | --cost) kind=${1#--} ;;
        --minutes)
            [ "${2:-0}" -gt 0 ] || exit 2
            until=$(($(date +%s) + $2 * 60))
            shift
            ;;
        --) shift && break ;;
        *)
            if ! candidates "$1" >/dev/null; then
                sed -n '/^$/q; s/^#$//; s/^# //p' "$0" >&2
                exit 2
            fi
            rows="$rows $1"
            ;;
    esac
    shift
done
rows=${rows:-backports gnutls newest}

# --------------------------------------------------------------------------- what is needed

not_here() {
    printf 'stook: the matrix is not run: %s\n' "$1" >&2
    exit 77
}

# shellcheck source=tests/roots.sh
. "$top/tests/roots.sh"

# ------------------------------------------------------------------------------------- roots

# As long as roots may still be made.
in_time() {
    [ -n "$until" ] || return 0
    left=$((until - $(date +%s)))
    [ "$left" -gt 0 ] || return 1
    limit="timeout -k 5 $left"
}

# make_root SUITE EXTRA FLAVOUR, saying what it does to a file
make_root() {
    in_time || return 1
    bare_root "$1" "$2" || return 1
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    [ "$2" != - ] || set -- "$1" "$1" "$3"
    inside apt-get update || return 1
    inside DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -t "$2" \
        "libcurl4-$3-dev" libuv1-dev || return 1
    # shellcheck disable=SC2086 # words
    inside DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages || return 1
    inside apt-get clean
}

# A root that is whole says what it was made of; another is made anew.
set_up() {
    made=$place/made-of
    whole=
    reasons=
    candidates "$row" >"$place/candidates"
    while read -r suite extra flavour; do
        definition="$suite $extra $flavour: $packages; $mirror"
        if [ -z "$fresh" ] && [ "$(cat "$made" 2>/dev/null)" = "$definition" ]; then
            whole=1
            break
        fi
        printf '\nRow %s: making a root of %s %s\n' "$row" "$suite" "${extra#-}"
        rm -rf --one-file-system -- "$made" "$root"
        if make_root "$suite" "$extra" "$flavour" >"$place/set-up.txt" 2>&1; then
            echo "$definition" >"$made"
            whole=1
            break
        fi
        if ! in_time; then
            reasons="$reasons; $suite ${extra#-}: not within the minutes given"
            break
        fi
        reason=$(grep -E '^(E|Err|W):' "$place/set-up.txt" | tail -n 1)
        reasons="$reasons; $suite ${extra#-}: ${reason:-$(tail -n 1 "$place/set-up.txt")}"
    done <"$place/candidates"
    reasons=${reasons#; }
    limit=
    [ -n "$whole" ]
}

# --------------------------------------------------------------------------------- the table

# The closing lines of ctest do not tell what was skipped from what passed.
count() {
    awk '/[0-9]+\/[0-9]+ Test +#[0-9]+: / {
            if (/\*\*\*Skipped/) skipped++; else if (/ Passed /) passed++; else failed++
        }
        END { printf "%d %d %d", passed, failed, skipped }' "$1"
}

table='row|libcurl|libuv|passed|failed|skipped'
add_to_table() {
    table="$table
$1"
}

failed=
tested=
for row in $rows; do
    place=$top/build/matrix/$row
    root=$place/root
    mkdir -p "$place"
    exec 9>"$place/lock"
    if ! flock -n 9; then
        add_to_table "$row|not run: another run is at it"
        continue
    fi
    if ! set_up; then
        add_to_table "$row|not set up: $reasons"
        continue
    fi
    tested=1
    rm -rf -- "$root/stook/source"
    copy_tree "$root/stook/source" # only what changed is built again
    rm -f -- "$root/stook/versions" "$root/stook/ctest.txt"
    printf '\nRow %s: %s %s, %s\n' "$row" "$suite" "${extra#-}" "$flavour"
    # valgrind reads the symbols of this very libc.
    # shellcheck disable=SC2016 # for the shell in there
    if [ "$kind" = cost ]; then
        inside DEBIAN_FRONTEND=noninteractive sh -c 'apt-get update
            apt-get install -y --no-install-recommends valgrind strace \
                "libc6-dbg=$(dpkg-query -W -f "\${Version}\n" libc6 | head -n 1)"' \
            >"$place/cost.txt" 2>&1 || tail -n 3 "$place/cost.txt"
    fi
    inside sh /stook/source/tests/matrix/inside.sh "$kind" "$@" || failed="$failed $row"
    versions=$(cat "$root/stook/versions" 2>/dev/null || echo '?|?')
    if [ -s "$root/stook/ctest.txt" ]; then
        counts=$(count "$root/stook/ctest.txt" | tr ' ' '|')
    else
        counts='not built||'
    fi
    case $row in
        newest) add_to_table "$row ($suite)|$versions|$counts" ;;
        *) add_to_table "$row|$versions|$counts" ;;
    esac
done

printf '\n'
printf '%s\n' "$table" | awk -F'|' '
    NF < 6 { printf "%-18s %s\n", $1, $2; next }
    { printf "%-18s %-18s %-8s %7s %7s %8s\n", $1, $2, $3, $4, $5, $6 }'
[ -z "$failed" ] || exit 1
[ -n "$tested" ] || exit 77
