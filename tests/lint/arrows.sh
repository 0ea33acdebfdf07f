#!/bin/sh
# SPDX-License-Identifier: MIT
# The rooms of src/ and who may include whom, as docs/architecture.md draws it.
. "$(dirname -- "$0")/common.sh"

# Of each room, all that lies further along its arrows.
allowed() {
    case $1 in
        api | core) echo request core sched deliver http curl http1 loop origin util ;;
        http) echo request deliver curl http1 loop origin util ;; # of deliver: flow_control.h
        sched) echo request origin util ;;
        deliver) echo request util ;;
        curl) echo http1 loop origin util ;;
        http1) echo loop origin util ;;
        request | loop | origin) echo util ;;
        util) echo ;;
        *) return 1 ;;
    esac
}

files src | grep '\.[ch]$' | while IFS= read -r file; do
    room=${file#src/}
    case $room in */*) room=${room%%/*} ;; *) room= ;; esac
    if ! may=$(allowed "$room"); then
        printf '%s: in no room that docs/architecture.md knows\n' "$file"
        continue
    fi
    bare "$file" | grep -nE '^[[:space:]]*#[[:space:]]*include' | while IFS= read -r found; do
        line=${found%%:*}
        name=$(printf '%s\n' "$found" | sed 's/^[^"<]*["<]//; s/[">].*$//')
        say() { printf '%s:%s: %s %s\n' "$file" "$line" "$name" "$1"; }
        case $found in *'<'*) style=system ;; *) style=own ;; esac
        case $style:$name in
            system:stook.h | system:stook/*) ;;
            system:uv.h | system:uv/*) [ "$room" = loop ] || say "is for src/loop alone" ;;
            system:curl/*)
                case $room in
                    curl | http | http1 | request) ;;
                    *) say "is for src/curl, src/http, src/http1 and src/request alone" ;;
                esac
                ;;
            system:pthread.h | system:threads.h | system:time.h | system:sys/time.h)
                case $room in
                    sched | deliver | util) say "brings threads or a clock into src/$room" ;;
                esac
                ;;
            system:*) ;;
            own:*..*) say "climbs: write it from src/" ;;
            own:*/*)
                other=${name%%/*}
                case " $room $may " in
                    *" $other "*) ;;
                    *) say "runs against the arrows: $room may include ${may:-nothing}" ;;
                esac
                [ -f "src/$name" ] || say "does not exist"
                ;;
            own:*) say "is without its room: write it from src/" ;;
        esac
    done
done | refuse "includes that docs/architecture.md does not allow"
