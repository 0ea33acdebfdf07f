/* SPDX-License-Identifier: MIT */
/*
 * F21: the heads of the web platform's tests (fetch/h1-parsing): one of six bytes put into one of 17
 * places of a good head. What comes of each is written down here, so that a change is seen: of ours,
 * or of libcurl's.
 */
#include <stdio.h>
#include <string.h>

#include "support/faults.h"
#include "support/harness.h"

enum { SYMBOLS = 6, PLACES = 17, HEADS = SYMBOLS * PLACES };

static const struct {
    const char *name, *before; /* of the head, what stands before the place and behind the one before */
} places[PLACES] = {
    {"first", ""}, {"in HTTP", "HT"}, {"before the slash", "TP"}, {"behind the slash", "/"},
    {"before the dot", "1"}, {"behind the dot", "."}, {"behind the version", "1"},
    {"before the number", " "}, {"behind the number", "200"}, {"before the reason", " "},
    {"behind the reason", "OK"}, {"leading", "\r\n"}, {"in the name", "X-Frame"},
    {"before the colon", "-Options"}, {"behind the colon", ":"}, {"in the value", "DE"},
    {"behind the value", "NY"}};

/*
 * o: an answer, with its body. b: an answer, whose body begins where two ends of line now stand.
 * p: STOOK_EPROTOCOL. x: o or p, by the libcurl. t: STOOK_ETRUNCATED, where libcurl saw an end of the
 * head that is none; p where it does not.
 */
static const struct {
    const char *name, byte, *results;
} symbols[SYMBOLS] = {
    {"LF",    '\n', "ppppppppppbbppppb"},
    {"CR",    '\r', "pppppppppxxtppxxx"},
    {"TAB",   '\t', "pppppppppooxooooo"},
    {"space", ' ',  "ppppppppoooxooooo"},
    {"NUL",   '\0', "ppppppppppptppppp"},
    {"colon", ':',  "pppppppppoooooooo"},
};

/* Into `head`, with the byte in its place. */
static size_t make_head(char *head, size_t place, char byte)
{
    size_t size = 0;
    for (size_t i = 0; i < PLACES; i++) {
        size_t before = strlen(places[i].before);
        memcpy(head + size, places[i].before, before);
        size += before;
        if (i == place)
            head[size++] = byte;
    }
    return size + (size_t)sprintf(head + size, "\r\nContent-Length: 5\r\n\r\nTest.");
}

static void expect(struct fault *fault, char result)
{
    fault->status = FAULT_ANY_STATUS;
    fault->either = result == 'x';
    fault->error = result == 't' ? STOOK_ETRUNCATED : strchr("px", result) ? STOOK_EPROTOCOL : 0;
    fault->or_error = result == 't' ? STOOK_EPROTOCOL : 0;
    fault->body = result == 'b' || result == 't' ? NULL : "Test.";
}

TEST(one_byte_too_many)
{
    static struct fault rows[HEADS];
    static char heads[HEADS][128], ids[HEADS][48];
    for (size_t i = 0; i < HEADS; i++) {
        size_t symbol = i / PLACES, place = i % PLACES;
        snprintf(ids[i], sizeof ids[i], "F21 %s %s", symbols[symbol].name, places[place].name);
        rows[i].id = ids[i];
        rows[i].peer.bytes = heads[i];
        rows[i].peer.size = make_head(heads[i], place, symbols[symbol].byte);
        rows[i].peer.then = RAW_CLOSE;
        expect(&rows[i], symbols[symbol].results[place]);
    }
    faults_in_the_clear(rows, HEADS);
}
