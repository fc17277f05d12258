/* Runs a fuzz target over files and over the files of folders: what a compiler without a fuzzer can do with
 * it. */
#include "fuzz.h"

#include "dinoft/error.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES 4096

static int inputs;

static int fail(const char *path)
{
    perror(path);
    return -1;
}

/* In a block of just its size, so that a sanitizer sees what is read behind it. */
static int run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size ? size : 1);

    if (!file || !data || fread(data, 1, size, file) != size) {
        free(data);
        if (file)
            fclose(file);
        return fail(path);
    }
    fclose(file);
    fprintf(stderr, "%s: ", path); /* before it runs: it may be the last line */
    LLVMFuzzerTestOneInput(data, size);
    fprintf(stderr, "%s\n", *df_error_text() ? df_error_text() : "accepted");
    inputs++;
    free(data);
    return 0;
}

static int run(const char *path)
{
    struct stat status;
    struct dirent **items;
    char inner[PATH_BYTES];
    int result = 0;

    if (stat(path, &status) != 0)
        return fail(path);
    if (!S_ISDIR(status.st_mode))
        return run_file(path, (size_t)status.st_size);
    const int count = scandir(path, &items, NULL, alphasort);
    if (count < 0)
        return fail(path);
    for (int i = 0; i < count; i++) {
        if (items[i]->d_name[0] != '.' && result == 0) {
            snprintf(inner, sizeof inner, "%s/%s", path, items[i]->d_name);
            result = run(inner);
        }
        free(items[i]);
    }
    free(items);
    return result;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (run(argv[i]) != 0)
            return 1;
    }
    fprintf(stderr, "%d inputs\n", inputs);
    return inputs > 0 ? 0 : 1;
}
