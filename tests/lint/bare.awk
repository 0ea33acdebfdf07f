# SPDX-License-Identifier: MIT
# Take comments and the contents of strings out of C, and keep the lines. Names of included files
# stay, for they are what is looked at.

/^[ \t]*#[ \t]*include/ && !comment { print; next }

{
    out = ""
    line = $0
    while (line != "") {
        if (comment) {
            at = index(line, "*/")
            if (at == 0) { line = ""; break }
            line = substr(line, at + 2)
            comment = 0
            continue
        }
        two = substr(line, 1, 2)
        one = substr(line, 1, 1)
        if (two == "/*") { comment = 1; out = out " "; line = substr(line, 3); continue }
        if (two == "//") { line = ""; break }
        if (one == "\"" || one == "'") {
            out = out one one
            line = substr(line, 2)
            while (line != "" && substr(line, 1, 1) != one)
                line = substr(line, substr(line, 1, 1) == "\\" ? 3 : 2)
            line = substr(line, 2)
            continue
        }
        out = out one
        line = substr(line, 2)
    }
    print out
}
