/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over every file of a corpus folder, where libFuzzer is not linked in. */
#include "base/buf.h"

#include <dirent.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_file(const char *dir, const char *name)
{
    struct buf path = {0}, data = {0};
    FILE *f;
    size_t got;

    buf_fmt(&path, "%s/%s", dir, name);
    f = fopen(buf_text(&path), "rb");
    if (f) {
        while ((got = fread(buf_room(&data, 65536), 1, 65536, f)) > 0)
            data.n += got;
        fclose(f);
        LLVMFuzzerTestOneInput((const uint8_t *)(data.p ? data.p : ""), data.n);
    }
    buf_free(&path);
    buf_free(&data);
}

int main(int argc, char **argv)
{
    DIR *d = argc > 1 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    int n = 0;

    if (!d) {
        fprintf(stderr, "no corpus folder\n");
        return 1;
    }
    while ((entry = readdir(d)))
        if (entry->d_name[0] != '.') {
            run_file(argv[1], entry->d_name);
            n++;
        }
    closedir(d);
    printf("%d inputs\n", n);
    return n == 0;
}
