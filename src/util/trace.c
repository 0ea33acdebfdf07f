/* SPDX-License-Identifier: MIT */
/* Writes moves of state; see trace.h. Empty in a library that is not made to. */
#include "util/trace.h"

#ifdef STOOK_TRACE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The variable is read each time: who traces does not count instructions. */
static int is_wanted(const char *room)
{
    const char *wanted = getenv("STOOK_TRACE");
    return wanted != NULL && (strcmp(wanted, "all") == 0 || strstr(wanted, room) != NULL);
}

void stook__trace(const char *room, const char *format, ...)
{
    char line[512];
    va_list arguments;
    if (!is_wanted(room))
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    /* One call a line, so that lines of several threads do not mix. */
    fprintf(stderr, "stook %s: %s\n", room, line);
}
#else
typedef int stook__trace_is_off; /* a source without a declaration is not C */
#endif
