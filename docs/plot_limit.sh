#!/bin/sh
# SPDX-License-Identifier: MIT
# Draws docs/guide/limit.svg: the limit that finds itself beside the knee of three simulated servers.
#
#     sh docs/plot_limit.sh build/tests/tests/test_sim_adaptive >docs/guide/limit.svg
#
# The program prints time, limit and knee, a line for each change; awk writes the picture. The colours
# are readable on a light and on a dark background.
set -eu

program=$1
curves=$(mktemp -d)
trap 'rm -r -- "$curves"' EXIT

curve() { # FILE SCENARIO SEED
    ADAPTIVE_CURVE=$2 ADAPTIVE_SEED=$3 "$program" curve >"$curves/$1"
}
curve 1 'queueing 40, 50 ms' 1
curve 2 'rejecting 40, 50 ms' 1
curve 3 'queueing 10 to 40' 2

awk -F, '
    function x(seconds) { return sprintf("%.1f", 60 + seconds * 640 / length_s) }
    function y(limit) { return sprintf("%.1f", top + 150 - limit * 150 / highest) }
    function text(at_x, at_y, anchor, what) {
        printf "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\">%s</text>\n", at_x, at_y, anchor, what
    }
    function line(path, colour, width, extra) {
        printf "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s/>\n", path, colour, width, extra
    }
    function finish() {
        line(knee " H" x(length_s), "#d97706", 2, " stroke-dasharray=\"6 4\"")
        line(limit " H" x(length_s), "#2f81d6", 1.6, "")
    }
    BEGIN {
        length_s = 120; highest = 80; top = -190
        title[1] = "A server of 40 places that queues what is beyond"
        title[2] = "A server of 40 places that rejects what is beyond with 503"
        title[3] = "A queueing server whose places become 40 from 10 after a minute"
        print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 690\" width=\"720\" height=\"690\"" \
            " font-family=\"sans-serif\" font-size=\"13\" fill=\"#808890\">"
        print "<title>The limit of requests in flight over time</title>"
    }
    FNR == 1 {
        if (NR > 1) finish()
        n++
        top += 220
        text(60, top - 8, "start", title[n])
        for (i = 0; i <= highest; i += 20) {
            line("M" x(0) " " y(i) " H" x(length_s), "#808890", 0.4, "")
            text(54, y(i) + 4, "end", i)
        }
        for (i = 0; i <= length_s; i += 20)
            text(x(i), top + 167, "middle", i (i == length_s ? " s" : ""))
        limit = "M" x(0) " " y(8)
        knee = "M" x(0) " " y($3)
        last = $3
    }
    {
        limit = limit " H" x($1) " V" y($2 > highest ? highest : $2)
        if ($3 != last) knee = knee " H" x($1) " V" y($3)
        last = $3
    }
    END {
        finish()
        print "<path d=\"M60 678 h30\" stroke=\"#2f81d6\" stroke-width=\"1.6\"/>"
        text(96, 682, "start", "limit")
        print "<path d=\"M160 678 h30\" stroke=\"#d97706\" stroke-width=\"2\" stroke-dasharray=\"6 4\"/>"
        text(196, 682, "start", "the best: the places of the server")
        print "</svg>"
    }' "$curves/1" "$curves/2" "$curves/3"
