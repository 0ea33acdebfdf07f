/* SPDX-License-Identifier: MIT */
/* main() of a fuzz target without libFuzzer: gives it each file that is named, and those of directories. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return 0;
}

static size_t replay_file(const char *path, size_t size)
{
    /* A block of its own size, so that a sanitizer sees who reads on. */
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    FILE *file = fopen(path, "rbe");
    CHECK(bytes != NULL && file != NULL);
    CHECK_EQ_SIZE(fread(bytes, 1, size, file), size);
    fclose(file);
    test_note("%s", path);
    CHECK_EQ_INT(LLVMFuzzerTestOneInput(bytes, size), 0);
    free(bytes);
    return 1;
}

static size_t replay(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        FAIL("%s cannot be read", path);
    if (!S_ISDIR(info.st_mode))
        return replay_file(path, (size_t)info.st_size);
    size_t count = 0;
    DIR *directory = opendir(path);
    CHECK(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char inner[4096];
        if (entry->d_name[0] == '.')
            continue;
        CHECK(snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) < (int)sizeof inner);
        count += replay(inner);
    }
    closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    printf("%zu inputs\n", count);
    if (count == 0)
        FAIL("there was no input");
    test_finish();
    return 0;
}
