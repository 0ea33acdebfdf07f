#!/bin/sh
# SPDX-License-Identifier: MIT
# Functions that the library does not call: memory goes through util/allocator.c, nothing is ever printed,
# no string function without a bound, nothing that changes the process it lives in.
. "$(dirname -- "$0")/common.sh"

memory='malloc calloc realloc reallocarray free aligned_alloc posix_memalign strdup strndup asprintf
    vasprintf alloca'
printing='printf vprintf fprintf vfprintf dprintf puts fputs putchar fputc putc fwrite perror psignal
    err errx warn warnx syslog'
unbounded='strcpy stpcpy strcat strncat strncpy sprintf vsprintf gets scanf sscanf atoi atol atoll
    atof strtok'
process='signal sigaction sigprocmask setenv unsetenv putenv setlocale umask chdir
    exit _exit abort atexit system popen sleep usleep curl_global_cleanup curl_global_init_mem
    uv_default_loop uv_loop_configure uv_replace_allocator uv_library_shutdown
    uv_disable_stdio_inheritance uv_run'

pattern() { printf '%s' "$*" | tr -s ' \n' '|'; }

# check WHAT NAMES [a file that may]
check() {
    files src | grep '\.[ch]$' | grep -vx "${3:--}" | while IFS= read -r file; do
        bare "$file" | grep -nE "(^|[^A-Za-z0-9_.>])($(pattern "$2"))[[:space:]]*\(" | sed "s|^|$1: $file:|"
    done
}

{
    check "not the client's heap" "$memory" src/util/allocator.c
    check "prints" "$printing" 'src/core/report.c\|src/util/trace.c' # where the program says; a build that traces
    check "knows no bound or no error" "$unbounded"
    check "is the program's" "$process" src/loop/loop.c # where the owned loop is turned
    check "is the program's" pthread_sigmask src/loop/file.c # around the making of a thread, which is to have none
} | refuse "functions that the library does not call"
