/* A .pt archive as it is; anything else is the pickle of one, whose two tensors' bytes are there. */
#include "fuzz.h"

#include "src/files/zip.h"

#include "dinoft/weight_file.h"

#include <string.h>

#define STORAGE_BYTES 4096 /* of zeros */

static void add(struct df_zip_writer *writer, const char *name, const void *bytes, size_t size)
{
    fuzz_check(df_zip_add(writer, name, bytes, size) == 0, "an archive that can be written");
}

static void write_archive(const char *path, const uint8_t *pickle, size_t size)
{
    static const uint8_t storage[STORAGE_BYTES];
    FILE *file = fopen(path, "wb");

    fuzz_check(file, "an archive that can be written");
    struct df_zip_writer *writer = df_zip_writer_new(file, DF_ZIP64_FROM);
    fuzz_check(writer, "memory");
    add(writer, "archive/data.pkl", pickle, size);
    add(writer, "archive/version", "3\n", 2);
    add(writer, "archive/data/0", storage, sizeof storage);
    add(writer, "archive/data/1", storage, 6);
    fuzz_check(df_zip_finish(writer) == 0, "an archive that can be written");
    df_zip_writer_free(writer);
    fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_MAX];

    fuzz_path("input.pt", path);
    if (size >= 2 && memcmp(data, "PK", 2) == 0)
        fuzz_write(path, data, size);
    else
        write_archive(path, data, size);
    fuzz_forget_error();
    struct df_state *state = df_weight_file_read(path, NULL);
    if (state)
        fuzz_use_weights(state);
    else
        fuzz_check_error();
    return 0;
}
