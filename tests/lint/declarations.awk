# SPDX-License-Identifier: MIT
# The functions of C on the standard input, from which bare.awk has taken comments and strings: a line
# each, "declares NAME LINE" or "defines NAME LINE". Static ones are left out.

function note(what,    name) {
    if (text ~ /\(/ && text !~ /(^|[^A-Za-z_0-9])(static|typedef|_Static_assert)([^A-Za-z_0-9]|$)/) {
        name = text
        sub(/[ \t]*\(.*/, "", name)
        sub(/.*[^A-Za-z_0-9]/, "", name)
        if (name != "")
            print what, name, line
    }
    text = ""
}

directive || /^[ \t]*#/ { directive = /\\$/; next }

{
    rest = $0 " "
    while (rest != "") {
        one = substr(rest, 1, 1)
        rest = substr(rest, 2)
        if (one == "{") {
            if (depth++ == 0)
                body = text ~ /\)[ \t]*$/
            if (depth == 1 && body)
                note("defines")
        } else if (one == "}") {
            if (--depth == 0 && body)
                text = ""
        } else if (depth == 0) {
            if (one == ";")
                note("declares")
            else {
                if (text ~ /^[ \t]*$/)
                    line = NR
                text = text one
            }
        }
    }
}
