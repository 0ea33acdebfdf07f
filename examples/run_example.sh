#!/bin/sh
# SPDX-License-Identifier: MIT
# Run one example against a server of its own and look at what it printed.
# Usage: run_example.sh CASE DIRECTORY_OF_THE_PROGRAMS
#
# The server ends when the pipe to its stdin does, so none outlives this script, however it ends.
# Nothing waits for a time: the server says when it listens, programs say when they are done.
# STOOK_WRAPPER, if set, is what every program is run by, such as valgrind --error-exitcode=9.
set -eu

case_name=$1
programs=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/stook-example.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*" >&2
    for file in "$work"/*.txt; do
        [ -f "$file" ] && sed "s|^|${file##*/}: |" "$file" >&2
    done
    exit 1
}

# The program itself in place of a shell, so that $! and signals are its own.
become() {
    program=$1
    shift
    # shellcheck disable=SC2086
    exec ${STOOK_WRAPPER-} "$programs/$program" "$@"
}

# No program of ours runs for ever, also where this script is killed and cannot say so. In the
# foreground, so that Ctrl-C reaches it.
become_bounded() {
    program=$1
    shift
    # shellcheck disable=SC2086
    exec timeout --foreground 55 ${STOOK_WRAPPER-} "$programs/$program" "$@"
}

start_server() {
    start server --until-eof "$@"
}

# Starts a program that serves. Sets $url and $server, its process id.
start() {
    rm -f "$work/alive" "$work/said"
    mkfifo "$work/alive" "$work/said"
    become "$@" <"$work/alive" >"$work/said" 2>"$work/server.txt" &
    server=$!
    exec 9>"$work/alive"
    read -r line <"$work/said" || fail "the server did not start"
    url=${line#listening on }
}

stop_server() {
    exec 9>&-
    wait "$server" || fail "the server ended with status $?"
}

# A service that asks the server at $url. Sets $service_url and $service, and what it says is fd 8.
start_service() {
    mkfifo "$work/service"
    become_bounded service "$url" "$@" >"$work/service" 2>"$work/service.txt" 9>&- &
    service=$!
    exec 8<"$work/service"
    read -r line <&8 || fail "the service did not start"
    service_url=${line#listening on }
}

service_has_ended() {
    wait "$service" || fail "the service ended with status $?"
}

# Run a program, its output into files; the exit status must be the one that is expected.
run() {
    expected=$1
    shift
    status=0
    (become_bounded "$@") >"$work/out.txt" 2>"$work/err.txt" || status=$?
    [ "$status" -eq "$expected" ] || fail "$1 ended with status $status, not $expected"
}

has_line() {
    grep -q -x -e "$1" "$work/out.txt" || fail "no line like: $1"
}

lines_are() {
    [ "$(wc -l <"$work/out.txt")" -eq "$1" ] || fail "not $1 lines"
}

todos() { # the URLs of /todos/$1 to /todos/$2
    i=$1
    while [ "$i" -le "$2" ]; do
        echo "$url/todos/$i"
        i=$((i + 1))
    done
}

# The ids of the todos in the output, in the order in which they stand there, on one line.
ids_of() {
    grep -o '"id":[0-9]*' "$1" | cut -d: -f2 | tr '\n' ' '
}

numbers() { # $1 to $2, on one line
    awk -v from="$1" -v to="$2" 'BEGIN { for (i = from; i <= to; i++) printf "%d ", i }'
}

# In a table: the column counted from the right ($2, 0 is the last) of the row that matches $1.
cell() {
    awk -v row="$1" -v back="$2" '$0 ~ row { print $(NF - back) }' "$work/out.txt"
}

is() {
    [ "$1" = "$2" ] || fail "$3: $1, not $2"
}

# ------------------------------------------------------------------------ cases

case_server_program() {
    start_server --delay-ms 1 --uneven --slots 5 --overload hang
    run 0 ten_lines "$url/todos/1"
    has_line "200 $url/todos/1 OK"
    kill -TERM "$server"
    wait "$server" || fail "SIGTERM ended the server with status $?"
    exec 9>&-
    start_server
    exec 9>&-
    kill -TERM "$server" 2>/dev/null || : # it is about to end, or has
    wait "$server" || fail "SIGTERM at EOF ended the server with status $?"
    run 0 server --until-eof </dev/null
    has_line 'listening on http://127\.0\.0\.1:[123][0-9][0-9][0-9][0-9]'
    run 2 server --slots many
}

case_ten_lines() {
    start_server --delay-ms 3 --uneven
    # shellcheck disable=SC2046
    run 1 ten_lines $(todos 1 20) "$url/nowhere"
    lines_are 21
    awk -v url="$url" 'NR < 21 && $0 != "200 " url "/todos/" NR " OK" { exit 1 }' \
        "$work/out.txt" || fail "not in order"
    has_line "404 $url/nowhere HTTP 404"
    stop_server
}

case_ten_lines_no_scheme() {
    run 1 ten_lines example.com
    lines_are 1
    has_line '0 example\.com .*[Uu][Rr][Ll].*'
}

case_one_by_one() {
    start_server --delay-ms 3 --uneven
    # shellcheck disable=SC2046
    run 0 one_by_one $(todos 1 12)
    lines_are 13
    has_line '1: OK, [0-9]* bytes from .* (11 still unfinished)'
    has_line '12: OK, [0-9]* bytes from .* (0 still unfinished)'
    has_line '12 of 12 ok, [0-9]* bytes'
    run 1 one_by_one "$url/todos/1" "$url/nowhere"
    has_line '1 of 2 ok, [0-9]* bytes'
    stop_server
}

case_more() {
    start_server
    run 0 more "$url" 5000
    has_line '5000 of 5000 ok'
    run 1 more "$url/nowhere" 3
    has_line '0 of 3 ok'
    stop_server
}

case_on_body() {
    start_server
    run 0 on_body "$url/todos/7"
    is "$(ids_of "$work/out.txt")" '7 ' 'the body'
    grep -q -x "OK: $(wc -c <"$work/out.txt") bytes in [1-9][0-9]* pieces" "$work/err.txt" ||
        fail "not the bytes of the body"
    run 1 on_body "$url/nowhere" # on_head refuses the body of a 404
    is "$(wc -c <"$work/out.txt")" 0 'bytes of a body that was refused'
    stop_server
}

case_output_file() {
    start_server
    run 0 output_file "$url/todos/1" "$work/one" "$url/todos/2" "$work/two"
    has_line "$work/one: OK"
    is "$(ids_of "$work/one")$(ids_of "$work/two")" '1 2 ' 'the files'
    run 1 output_file "$url/nowhere" "$work/three"
    has_line "$work/three: HTTP 404"
    [ ! -e "$work/three" ] && [ ! -e "$work/three.part" ] || fail "a file for a 404"
    run 2 output_file "$url/todos/1"
    stop_server
}

case_pull() {
    start_server --delay-ms 3 --uneven
    # shellcheck disable=SC2046
    run 0 pull $(todos 1 30)
    lines_are 30
    awk -v url="$url" '$0 != "200 " url "/todos/" NR { exit 1 }' "$work/out.txt" ||
        fail "not in order"
    run 1 pull "$url/nowhere"
    stop_server
}

case_cancel_and_drain() {
    start_server --delay-ms 3
    run 0 cancel_and_drain "$url"
    has_line 'cancel: 3 ok, 7 cancelled'
    has_line 'drain: a new batch is STOOK_ESTATE'
    has_line 'drain: 10 ok, and the client is closed'
    stop_server
}

case_own_loop() {
    start_server --delay-ms 20
    # shellcheck disable=SC2046
    run 0 own_loop $(todos 1 5)
    lines_are 6
    has_line 'the timer ran while waiting'
    run 1 own_loop "$url/nowhere"
    stop_server
}

case_embed_poll() {
    start_server --delay-ms 3 --uneven
    todos 1 40 >"$work/urls"
    run 0 embed_poll <"$work/urls"
    lines_are 40
    is "$(grep -c ': OK$' "$work/out.txt")" 40 'answered with OK'
    echo "$url/nowhere" | run 1 embed_poll
    run 0 embed_poll </dev/null
    lines_are 0
    stop_server
}

case_fan_out() {
    start_server
    run 0 fan_out "$url"
    has_line 'all are fast: quorum, [0-2] of 5 without a good response'
    has_line 'two are slow: quorum, 2 of 5 without a good response'
    has_line '    server 2: cancelled: enough are ok, request [024] was the last'
    has_line 'three are silent: no quorum, 3 of 5 without a good response'
    has_line '    server 1: the batch is past its deadline'
    has_line '2 of 3 with a quorum, and the timer ran: yes'
    stop_server
}

case_chain() {
    start_server --delay-ms 3 --uneven
    run 0 chain "$url"
    lines_are 21
    has_line '20 of 20 loads done, with 40 requests'
    stop_server
}

case_two_threads() {
    start_server --delay-ms 1
    run 0 two_threads "$url"
    has_line "thread 1: 0 of 20 failed, the slowest was $url/todos/[0-9]*"
    has_line "thread 2: 0 of 20 failed, the slowest was $url/todos/[0-9]*"
    stop_server
}

case_post_json() {
    start_server --delay-ms 1
    run 0 post_json "$url"
    has_line '50 of 50 posts came back as they were sent'
    stop_server
}

case_upload() {
    start_server --delay-ms 1
    awk 'BEGIN { for (i = 0; i < 1000; i++) print "rye" }' >"$work/rye.text"
    run 0 upload "$url" "$work/rye.text"
    lines_are 3
    has_line "4000 bytes came back from $url/echo"
    has_line "22 bytes came back from $url/echo"
    run 1 upload "$url" "$work/nothing.text"
    lines_are 1
    stop_server
}

case_cpp17() {
    start_server --delay-ms 3 --uneven
    # shellcheck disable=SC2046
    run 0 cpp17 $(todos 1 15)
    is "$(ids_of "$work/out.txt")" "$(numbers 1 15)" "order"
    run 1 cpp17 "$url/nowhere"
    stop_server
}

# The service asks the server, and gather_todos asks the service: two requests, ten todos each.
case_service() {
    start_server --delay-ms 5 --uneven
    start_service --once 2
    run 0 gather_todos gather_ordered --count 2 "$service_url"
    lines_are 2
    is "$(ids_of "$work/out.txt")" "$(numbers 1 10)$(numbers 1 10)" "order"
    read -r line <&8
    case $line in
    "the timer ran "*" times") ;;
    *) fail "the service said: $line" ;;
    esac
    service_has_ended
    stop_server
}

case_variants() {
    for variant in synchronous awaited_in_a_loop gather_ordered gather_ordered_limited; do
        run 0 gather_todos "$variant" --delay-ms 10 --count 40
        lines_are 40
        is "$(ids_of "$work/out.txt")" "$(numbers 1 40)" "order of $variant"
    done
    run 0 gather_todos gather --delay-ms 10 --count 40
    sort -t: -k3n "$work/out.txt" >"$work/sorted.txt"
    is "$(ids_of "$work/sorted.txt")" "$(numbers 1 40)" "what gather brought"
    run 0 gather_todos gather --delay-ms 2 --quiet
    lines_are 1
    has_line 'gather: [0-9.]* s'
}

# Order and failures as promised; in flight as the server counted. Times are nobody's promise.
case_compare() {
    run 0 gather_todos --compare --delay-ms 5 --limit 4 --count 100
    for variant in synchronous awaited_in_a_loop gather gather_ordered gather_ordered_limited; do
        is "$(cell "^$variant " 1)" 0 "failed in $variant"
    done
    for variant in synchronous awaited_in_a_loop gather_ordered gather_ordered_limited; do
        is "$(cell "^$variant " 2)" yes "order kept by $variant"
    done
    is "$(cell '^synchronous ' 0)" 1 "in flight, synchronous"
    is "$(cell '^awaited_in_a_loop ' 0)" 1 "in flight, awaited_in_a_loop"
    [ "$(cell '^gather_ordered_limited .4. ' 0)" -le 4 ] || fail "above the limit"
    [ "$(cell '^gather ' 0)" -gt 4 ] || fail "gather was not wider than a limit of 4"
}

# A server that counts nothing: a service answers everything with the same array.
case_compare_elsewhere() {
    start_server
    start_service --once 16
    run 1 gather_todos --compare --count 2 "$service_url"
    is "$(cell '^gather_ordered ' 0)" - "in flight where nobody counts"
    is "$(cell '^gather_ordered ' 2)" no "order, of the same answer twice"
    service_has_ended
    stop_server
}

case_overload() {
    run 0 gather_todos --overload --delay-ms 30 --attempt-timeout-ms 3000
    is "$(grep -c 'gather_ordered_limited (10)  *[0-9.]*  *199  *0  *[0-9]*$' "$work/out.txt")" 2 \
        "limit 10 loses none, twice"
    grep -q '^answers 503 *gather .* HTTP 503$' "$work/out.txt" || fail "503 lost none"
    grep -q '^never answers *gather .* one attempt took too long$' "$work/out.txt" ||
        fail "the hanging server lost none"
}

case_sweep() {
    run 0 gather_todos --sweep --delay-ms 30 --count 40 --attempt-timeout-ms 800
    for limit in 1 2 5 10; do
        is "$(cell "^ *$limit " 2)" 0 "lost at limit $limit"
    done
    [ "$(cell '^ *none ' 2)" -gt 0 ] || fail "nothing was lost without a limit"
    has_line 'best limit: .*[0-9e]'
}

case_link_checker() {
    start_server
    for i in 1 2 3; do printf '%s/moved/moved/todos/%d\n%s/todos/%d\n%s/none\n' "$url" "$i" "$url" "$i" "$url"; done >"$work/urls"
    run 1 link_checker <"$work/urls"
    for i in 1 2 3; do printf '200 %s/todos/%d OK\n200 %s/todos/%d OK\n404 %s/none HTTP 404\n' "$url" "$i" "$url" "$i" "$url"; done >"$work/expected.txt"
    cmp "$work/expected.txt" "$work/out.txt" || fail 'not as expected'
    stop_server
}

# 28 requests to one origin, at 10 a second and one at once, take 2.7 s. The other has its own.
case_crawler() {
    start_server --delay-ms 10
    {
        todos 1 25
        echo "$url/moved/moved/todos/7"
        todos 1 25 | sed 's/127\.0\.0\.1/localhost/'
        echo "$url/none"
    } >"$work/urls"
    began=$(date +%s)
    run 1 crawler 10 <"$work/urls"
    [ $(($(date +%s) - began)) -ge 2 ] || fail 'faster than its rate'
    sed 's/moved\///g' "$work/urls" >"$work/expected.txt"
    cut -d ' ' -f 2 "$work/out.txt" | cmp - "$work/expected.txt" || fail 'not in order'
    is "$(grep -c '^200 .* bytes, 1 attempts, OK$' "$work/out.txt")" 50 'at once'
    has_line "200 $url/todos/7 [0-9]* bytes, 3 attempts, OK"
    has_line "404 $url/none 2 bytes, 1 attempts, HTTP 404"
    run 0 on_body "$url/stats"
    is "$(grep -o 'most_in_flight":[1-4],' "$work/out.txt" | wc -l)" 1 'two to an origin'
    stop_server
}

# One place: of two that come at once one is refused, and delivered later. The last has no receiver.
case_webhooks() {
    start_server --delay-ms 50 --slots 1
    for i in 1 2 3 4; do echo "$url/echo/$i event-$i {\"sheaves\":$i}"; done >"$work/events"
    run 0 webhooks <"$work/events"
    for i in 1 2 3 4; do has_line "event-$i: delivered, OK"; done
    has_line '    after  *[0-9]* ms: status 503'
    is "$(grep -c ' ms: status 200$' "$work/out.txt")" 4 'delivered once'
    echo 'nowhere: event-5 {}' | run 1 webhooks
    has_line 'event-5: given up, .*'
    stop_server
}

calls() { # $1 of them, which may get 20 to 119 tokens each
    awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) printf "{\"max_tokens\":%d,\"prompt\":\"field %d\"}\n", 20 + i * 37 % 100, i }'
}

# Within the quotas no call is refused, and they are used. Beyond them the model says when to come back.
case_language_model() {
    start fake_model 1800 36000
    calls 80 >"$work/calls"
    run 0 language_model "$url/v1/chat" 1800 36000 key-a key-b <"$work/calls"
    lines_are 80
    is "$(grep -c '^[0-9]*: OK, [0-9]* tokens, 1 attempts: bind ' "$work/out.txt")" 80 'answered at once'
    tokens=$(awk '{ tokens += $3 } END { print tokens }' "$work/out.txt")
    run 0 on_body "$url/stats"
    has_line "{\"answered\":80,\"refused\":0,\"tokens\":$tokens,\"percent\":[0-9]*}"
    percent=$(grep -o '[0-9]*}' "$work/out.txt" | tr -d '}')
    [ "$percent" -ge 60 ] || fail "only $percent % of the quota was used"
    calls 40 >"$work/calls"
    run 0 language_model "$url/v1/chat" 60000 3600000 key-c <"$work/calls"
    is "$(grep -c ': OK, ' "$work/out.txt")" 40 'answered in the end'
    run 0 on_body "$url/stats"
    has_line '{"answered":120,"refused":[1-9][0-9]*,.*'
    run 2 language_model "$url/v1/chat" 60 60
    stop_server
}

case_metrics() {
    start_server --delay-ms 5
    # shellcheck disable=SC2046
    run 0 metrics $(todos 1 30)
    has_line "http_client_limit{origin=\"$url\"} [1-9][0-9]*"
    has_line "http_client_waiting{origin=\"$url\"} [1-9][0-9]*"
    is "$(tail -n 7 "$work/out.txt" | grep -c "in_flight{origin=\"$url\"} 0")" 1 'in flight at the end'
    has_line "http_client_first_byte_95_us{origin=\"$url\"} [1-9][0-9]*"
    stop_server
}

case_login() {
    start_server
    run 0 login "$url/account" "$url/login" "$work/jar"
    printf '%s/account HTTP 401\n%s/account OK\n' "$url" "$url" >"$work/expected.txt"
    cmp "$work/expected.txt" "$work/out.txt" || fail 'not as expected'
    run 0 login "$url/account" "$url/login" "$work/jar"
    printf '%s/account OK\n' "$url" >"$work/expected.txt"
    cmp "$work/expected.txt" "$work/out.txt" || fail 'the cookies were not kept'
    stop_server
}

# Nothing of this machine is fetched, and a user does not learn why.
case_user_urls() {
    start_server
    port=${url##*:}
    run 1 user_urls "$url/todos/1" "http://localhost:$port/" "http://[::ffff:7f00:1]:$port/" ftp://x/
    for host in "127.0.0.1:$port/todos/1" "localhost:$port/" "\[::ffff:7f00:1\]:$port/"; do
        has_line "http://$host: cannot be fetched"
    done
    has_line 'ftp://x/: cannot be fetched'
    lines_are 4
    grep -q -x -e "$url/todos/1: refused by policy: 127.0.0.1 is in 127.0.0.0/8, loopback" "$work/err.txt" ||
        fail 'no reason on stderr'
    stop_server
}

case_usage() {
    run 0 gather_todos --help
    for arguments in '' gather_all --compar '--compare gather' '--limit' '--limit x' 'gather --limit 0'; do
        # shellcheck disable=SC2086
        run 2 gather_todos $arguments
        is "$(wc -l <"$work/err.txt")" 1 "lines on stderr for: $arguments"
        is "$(wc -c <"$work/out.txt")" 0 "bytes on stdout for: $arguments"
    done
}

"case_$case_name"
