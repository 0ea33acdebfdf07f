#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a newcomer meets, on a machine that has nothing: a bare Debian of this system's release
# (debootstrap's minbase), with a clone of this project, as it is now, in a path with a space.
#
#     sh tests/bare-root.sh [--fresh]              the demo, and in a root of its own what the README says
#                                                  of installing; as root, then as an ordinary user
#     sh tests/bare-root.sh [--root] COMMAND...    these instead, one after another; --root: as root alone
#
# The bare Debian is kept in build/bare-root, unpacked anew each time, and made anew with --fresh. Needs
# what tests/matrix.sh needs (roots.sh). Ends with 0: all ended well; 77: none could be set up.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
not_here() {
    printf 'stook: no bare root is made: %s\n' "$1" >&2
    exit 77
}

fresh=
users='root newcomer'
while [ $# -gt 0 ]; do
    case $1 in
        --fresh) fresh=1 ;;
        --root) users=root ;;
        -*)
            sed -n '/^$/q; s/^#$//; s/^# //p' "$0" >&2
            exit 2
            ;;
        *) break ;;
    esac
    shift
done

# shellcheck source=tests/roots.sh
. "$top/tests/roots.sh"

place=$top/build/bare-root
root=$place/root
mkdir -p "$place"
exec 9>"$place/lock"
flock -n 9 || not_here 'another run is at it'
clean_up() { rm -rf --one-file-system -- "$root"; }

# ------------------------------------------------------------------------------ the bare Debian

made="$release, $mirror"
if [ -n "$fresh" ] || [ ! -f "$place/base.tar" ] || [ "$(cat "$place/made-of" 2>/dev/null)" != "$made" ]; then
    clean_up
    rm -f "$place/made-of"
    bare_root "$release" - >"$place/set-up.txt" 2>&1 || not_here "$(tail -n 1 "$place/set-up.txt")"
    tar -C "$root" -cf "$place/base.tar" .
    echo "$made" >"$place/made-of"
fi

home_of() { if [ "$1" = root ]; then echo /root; else echo "/home/$1"; fi; }

# A root with a clone for each of those who are to use it.
new_root() {
    clean_up
    mkdir "$root"
    tar -C "$root" -xf "$place/base.tar"
    names_of_hosts
    inside useradd -m -s /bin/sh newcomer
    for user in $users; do
        clone=$root$(home_of "$user")/'a clone'
        git -c safe.directory="$top" clone -q --no-checkout --no-hardlinks "$top" "$clone"
        copy_tree "$clone"
        inside chown -R "$user:" "$(home_of "$user")"
    done
}

# as USER COMMAND: in that user's clone
as() {
    printf '==== %s: %s\n' "$1" "$2"
    # shellcheck disable=SC2016 # for the shell in there
    inside su -s /bin/sh "$1" -c 'cd ~/"a clone" && eval "$1"' sh "$2"
}

# ------------------------------------------------------------------------------- what is run

# The lines of the README that install: the indented block with `cmake --install`; and the program that it shows.
install_lines() {
    awk '/^    / { sub("    ", ""); block = block $0 "\n"; next }
        { if (block ~ /cmake --install/) exit; block = "" }
        END { printf "%s", block }' "$top/README.md"
}
program='awk "/^\`\`\`c\$/ { inside = 1; next } /^\`\`\`\$/ { exit } inside" README.md >demo.c'

# Those which change the system are root's.
is_for_root() {
    case $1 in
        apt-get\ * | cmake\ --install\ *) return 0 ;;
        *) return 1 ;;
    esac
}

# quietly COMMAND...: what it printed is shown if it fails
quietly() {
    began=$(date +%s)
    if "$@" >"$place/output.txt" 2>&1; then
        head -n 1 "$place/output.txt" | sed "s/\$/ ($(($(date +%s) - began)) s)/"
    else
        cat "$place/output.txt"
        printf 'FAILED\n'
        exit 1
    fi
}

if [ $# -gt 0 ]; then
    new_root
    for user in $users; do
        for command; do as "$user" "$command"; done
    done
    exit 0
fi

new_root
for user in $users; do quietly as "$user" 'sh examples/demo.sh'; done

new_root
install_lines >"$place/lines.txt"
[ "$(wc -l <"$place/lines.txt")" -ge 4 ] || { echo 'The README does not say how to install.' && exit 1; }
for user in $users; do
    quietly as "$user" "$program"
    while IFS= read -r line; do
        if [ "$user" = root ] || ! is_for_root "$line"; then quietly as "$user" "$line"; fi
    done <"$place/lines.txt"
    quietly as "$user" './a.out && case $(./a.out nonsense) in "0 nonsense "?*) ;; *) false ;; esac'
done
