# SPDX-License-Identifier: MIT
#
# Applies one file of tests/mutation/ to the source below the current directory:
#
#     awk [-v check=1] -f tests/mutation/apply.awk tests/mutation/NAME.mutation
#
# tests/mutation.sh explains the form. Lines are compared whole, blanks and all. Either all changes are
# made or none; with check=1 none is. Whatever speaks against them is printed, and the status is 1.

function fault(line, text) {
    printf "%s:%d: %s\n", ARGV[1], line, text
    faults++
}

# ------------------------------------------------------------------------------------- its form

BEGIN { part = "head" }

# No line of C begins like these two.
/^file:/ {
    if (part == "file" || part == "old")
        fault(at, "no --- " (part == "old" ? "new" : "old") " belongs to it")
    if ($0 !~ /^file: [^ ]+$/)
        fault(FNR, "file: is to be followed by one blank and a path")
    part = "file"
    at = FNR
    path = substr($0, 7)
    next
}

/^---/ {
    if ($0 == "--- old" && (part == "file" || part == "new")) {
        part = "old"
        at = FNR
        changes++
        path_of[changes] = path
        line_of[changes] = FNR
    } else if ($0 == "--- new" && part == "old") {
        part = "new"
    } else {
        fault(FNR, "out of place: file:, then --- old, then --- new")
    }
    next
}

part == "old" { old[changes, ++olds[changes]] = $0; next }
part == "new" { new[changes, ++news[changes]] = $0; next }

part == "head" && /^(id|test|what): ./ {
    name = substr($0, 1, index($0, ":") - 1)
    if (said[name]++)
        fault(FNR, "a second " name ":")
    next
}

/./ { fault(FNR, "not a line of a mutation: " $0) }

# ------------------------------------------------------------------------------------ its changes

function load(path,    line, status) {
    if (path in lines)
        return lines[path]
    lines[path] = 0
    while ((status = (getline line <path)) > 0)
        text[path, ++lines[path]] = line
    close(path)
    if (status < 0)
        lines[path] = -1
    else
        paths[++files] = path
    return lines[path]
}

# How many lines of the old text of a change stand from a line on.
function alike(change, path, line,    many) {
    while (many < olds[change] && line + many <= lines[path] &&
           text[path, line + many] == old[change, many + 1])
        many++
    return many
}

# The line where the old text stands; 0, having said why, unless it is one.
function find(change, path,    line, many, best, nearest, found, places) {
    for (line = 1; line <= lines[path]; line++) {
        many = alike(change, path, line)
        if (many == olds[change]) {
            found++
            places = places " " line
        } else if (many > best) {
            best = many
            nearest = line
        }
    }
    if (found == 1)
        return places + 0
    if (found > 1)
        fault(line_of[change], path " has the old text " found " times, at lines" places)
    else if (best > 0)
        fault(line_of[change] + 1 + best,
              "differs from line " nearest + best " of " path ": " old[change, best + 1])
    else
        fault(line_of[change] + 1, path " has no such line: " old[change, 1])
    return 0
}

function same(change,    i) {
    if (olds[change] != news[change])
        return 0
    for (i = 1; i <= olds[change]; i++)
        if (old[change, i] != new[change, i])
            return 0
    return 1
}

# All changes of a file are to the file as it was.
function place(change, path,    line, i) {
    if (load(path) < 0)
        fault(line_of[change], "there is no file " path)
    else if (olds[change] == 0)
        fault(line_of[change], "the old text is empty")
    else if (same(change))
        fault(line_of[change], "the new text is the old one")
    else if ((line = find(change, path)) > 0) {
        for (i = 0; i < olds[change]; i++)
            if (taken[path, line + i]++)
                fault(line_of[change] + 1 + i, "this line belongs to a change above, too")
        placed[path, line] = change
    }
}

function write(path,    line, change, i) {
    for (line = 1; line <= lines[path]; line++) {
        change = placed[path, line]
        for (i = 1; i <= news[change]; i++)
            print new[change, i] >path
        if (!taken[path, line])
            print text[path, line] >path
    }
    close(path)
}

END {
    if (part == "file" || part == "old")
        fault(at, "no --- " (part == "old" ? "new" : "old") " belongs to it")
    if (!said["id"] || !said["test"] || !said["what"])
        fault(1, "the head is id:, test: and what:, each with something to say")
    if (changes == 0)
        fault(1, "nothing is changed")
    if (!faults)
        for (i = 1; i <= changes; i++)
            place(i, path_of[i])
    if (faults)
        exit 1
    if (!check)
        for (i = 1; i <= files; i++)
            write(paths[i])
}
