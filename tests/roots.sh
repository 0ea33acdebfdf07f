# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Small Debians of one's own, made by debootstrap from the mirror that this system's apt uses: for
# matrix.sh and bare-root.sh, which set $top and define not_here(), that ends with why there are none.
#
# But for debootstrap nothing is installed in the system around, no service is started, and what is
# mounted and what runs in a root lives in namespaces that end with it.

[ "$(id -u)" -eq 0 ] || not_here 'it takes root, to make a root directory and to change to it'
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=examples/install-missing.sh
. "$top/examples/install-missing.sh"
install_missing debootstrap git >&2 || not_here 'debootstrap cannot be installed'
for program in debootstrap unshare flock apt-get git; do
    command -v "$program" >/dev/null || not_here "there is no $program here"
done

# The mirror is the one from which this system takes its own release.
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
# shellcheck disable=SC2016 # these are apt's variables
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    sed -n "s/ $release\$//p" | head -n 1)
[ -n "$mirror" ] || not_here "the sources of apt name no mirror of $release"

# What this system's apt was told about reaching that mirror holds inside too.
about_mirror() {
    apt-config dump | grep -E '^Acquire::(Check-Valid-Until|Check-Date|Retries|https?::Proxy)' || :
}

# Namespaces for mounts and processes: when the first process ends, however it ends, nothing is
# mounted and nothing runs any more. In the background, so that a signal reaches the trap at once.
apart=
limit=
apart() {
    # shellcheck disable=SC2086 # words
    unshare --mount --pid --fork --kill-child -- $limit "$@" </dev/null &
    apart=$!
    ended=0
    wait "$apart" || ended=$?
    apart=
    return "$ended"
}
# What is left behind; bare-root.sh has something.
clean_up() { :; }
leave() {
    trap - EXIT HUP INT TERM
    [ -z "$apart" ] || kill -KILL "$apart" 2>/dev/null || :
    clean_up
    exit "$1"
}
trap 'leave $?' EXIT
trap 'leave 1' HUP INT TERM

# inside COMMAND...: in $root. Of the devices it has a few, none of which it could replace or remove.
inside() {
    # shellcheck disable=SC2016 # for the shell in there
    apart sh -euc 'mount -t proc proc "$0/proc"
        mount -t tmpfs -o mode=755 dev "$0/dev"
        for node in null zero full random urandom tty fuse; do
            [ -e "/dev/$node" ] || continue
            : >"$0/dev/$node"
            mount --bind "/dev/$node" "$0/dev/$node"
        done
        mkdir "$0/dev/pts" "$0/dev/shm"
        mount -t devpts -o newinstance,ptmxmode=666 devpts "$0/dev/pts"
        mount -t tmpfs -o mode=1777 shm "$0/dev/shm"
        ln -s pts/ptmx "$0/dev/ptmx"
        ln -s /proc/self/fd "$0/dev/fd"
        for i in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${i%:*}" "$0/dev/${i#*:}"; done
        exec chroot "$0" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"' "$root" "$@"
}

# names_of_hosts: as they are now
names_of_hosts() { cp /etc/hosts /etc/resolv.conf "$root/etc/"; }

# bare_root SUITE [another suite]: debootstrap's minbase in $root, with the sources of both
bare_root() {
    script=/usr/share/debootstrap/scripts/$1
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
    apart debootstrap --variant=minbase "$1" "$root" "$mirror" "$script" || return 1
    names_of_hosts
    : >"$root/etc/apt/sources.list"
    for suite_of_sources; do
        [ "$suite_of_sources" = - ] || echo "deb $mirror $suite_of_sources main" >>"$root/etc/apt/sources.list"
    done
    about_mirror >"$root/etc/apt/apt.conf.d/90around"
}

# copy_tree DIRECTORY: what git tracks or would track, as it is now. Times are kept.
copy_tree() {
    mkdir -p "$1"
    git -C "$top" -c safe.directory="$top" -c core.quotePath=off \
        ls-files --cached --others --exclude-standard |
        while IFS= read -r file; do
            [ ! -f "$top/$file" ] || printf '%s\n' "$file"
        done | LC_ALL=C sort -u | tar -C "$top" -cf - -T - | tar -C "$1" -xf -
}
