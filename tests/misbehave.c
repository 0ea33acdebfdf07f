/* SPDX-License-Identifier: MIT */
/*
 * The server that misbehaves, to be tried by hand: `misbehave serve` says where it is and what it
 * knows, and serves until its standard input ends.
 */
#include <stdio.h>

#include "support/harness.h"
#include "support/raw_server.h"

TEST(serve)
{
    struct raw_server *server = raw_server_start(NULL);
    printf("%s\n", raw_url(server, "/"));
    for (const struct raw_behaviour *row = raw_behaviours; row->path != NULL; row++)
        printf("    %s\n", row->path);
    fflush(stdout);
    while (getchar() != EOF)
        ;
}
