#!/bin/sh
# SPDX-License-Identifier: MIT
# One word a thing, the field's own: docs/glossary.md. Refuses words that this project once used for things
# that have a name, in code, comments, messages, documents and names of files. `words.sh [PATH...]`: there alone.
. "$(dirname -- "$0")/common.sh"

# Where, what (a part of an identifier or a word of a sentence), what is said instead. Where:
#   all      everywhere
#   src      in the code of src/, without comments and strings
#   transfer in the code of src/curl and src/http, where it would be a handle
#   manual   in public headers
# A letter is refused as a struct or a pointer; one of the alphabet is a number, as in dns.c.
rules() {
    cat <<'RULES'
all|trays?|result queue
all|parcels?|entry
all|lent|borrowed
all|thirst|limited by look-ups
all|thirsty|waiting for a lookup slot
all|nameless|waiting for DNS
all|brakes?|flow control
all|gauges?|byte counter
all|ceilings?|quota
all|mute|paused
all|held[ _]up|paused, delayed
all|condemn(s|ed|ing)?|terminate
all|verdicts?|end error, decision
src|spares|drains
all|amiss|extra failures
all|inbox(es)?|mailbox
all|heeds?|handle
all|stir(s|red)?|mark ready, ready
all|nudg(e|es|ed|ing)|try the next address
all|goodbyes?|TLS close (close_notify)
all|patience|connect-timeout extension
all|bur(y|ies|ied)|shut down
all|lanes?|multi handle
all|intakes?|body sink
all|audience|callbacks
all|sites?|origin
all|its turn comes|is next
all|for want of|because there are no
src|letters|(stook__|[*&]|->)letter|letter-|message
src|patients?|connect-timeout extension
src|usual|defaults
src|kit|easy state
src|news|completed
src|doubts?|address failed
src|leaders?|probe
src|goals?|policy
src|facts|metadata
src|slots?|easy handle
transfer|parked?|orphaned
manual|goes on|continues
RULES
}

scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
rules >"$scratch/rules"

files "$@" | grep -E '\.(c|h|cc|hpp|md|sh|awk|txt|cmake|map|mutation|in|json)$' |
    grep -vxE 'tests/lint/words\.sh|src/libstook\.map' >"$scratch/files"

# A line each: the file, where (code, text, name), the line's number, the line.
while IFS= read -r file; do
    awk -v file="$file" '{ print file "\ttext\t" NR "\t" $0 }' "$file"
    printf '%s\tname\t1\t%s\n' "$file" "$file"
    case $file in
        src/*.[ch]) bare "$file" | awk -v file="$file" '!/#[ \t]*include/ { print file "\tcode\t" NR "\t" $0 }' ;;
    esac
done <"$scratch/files" >"$scratch/lines"

awk -F '\t' -v rules="$scratch/rules" '
    BEGIN {
        while ((getline rule < rules) > 0) {
            split(rule, part, "|")
            bar = index(rule, "|")
            last = match(rule, /\|[^|]*$/)
            n++
            where[n] = part[1]
            instead[n] = substr(rule, last + 1)
            what = substr(rule, bar + 1, last - bar - 1)
            pattern[n] = "(^|[^a-z])(" what ")([^a-z]|$)"
            any = any (n > 1 ? "|" : "") what
        }
        any = "(^|[^a-z])(" any ")([^a-z]|$)"
    }
    tolower($4) !~ any { next }
    {
        text = tolower($4)
        for (i = 1; i <= n; i++) {
            if ((where[i] == "src" || where[i] == "transfer") != ($2 == "code")) continue
            if (where[i] == "transfer" && $1 !~ /^src\/(curl|http)\//) continue
            if (where[i] == "manual" && $1 !~ /^include\//) continue
            if (match(text, pattern[i])) {
                found = substr(text, RSTART, RLENGTH)
                gsub(/^[^a-z]+|[^a-z]+$/, "", found)
                printf "%s:%s: \"%s\": say %s\n", $1, $3, found, instead[i]
            }
        }
    }' "$scratch/lines" | sort -u | refuse "words that have another name here: docs/glossary.md"
