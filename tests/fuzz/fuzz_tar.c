/* A tar archive's directory: as it is, and once more with checksums that fit, which no fuzzer would find. */
#include "fuzz.h"
#include "tar_sums.h"

#include <stdlib.h>
#include <string.h>

static void use_names(const struct df_archive_names *names, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct df_archive_entry *entry = &names->entries[i];
        fuzz_check(i == 0 || strcmp(names->entries[i - 1].name, entry->name) < 0, "names are in order");
        fuzz_check(*entry->name != '/' && strncmp(entry->name, "../", 3) != 0, "names stay inside");
        fuzz_check(entry->at <= size && entry->size <= size - entry->at, "files are in the archive");
        fuzz_touch(data + entry->at, entry->size);
        fuzz_check(df_archive_names_find(names, entry->name) == i, "names are found");
    }
}

static void read_archive(const uint8_t *data, size_t size)
{
    const struct df_mapping mapping = {data, size};
    struct df_archive_names names = {0};
    struct df_tar_passed passed;

    fuzz_forget_error();
    const int status = df_tar_read(&mapping, &names, &passed);
    if (status != 0)
        fuzz_check_error();
    fuzz_check(names.count <= size / DF_TAR_BLOCK, "entries have headers");
    df_archive_names_settle(&names);
    if (status == 0) {
        fuzz_touch(passed.first, strlen(passed.first));
        use_names(&names, data, size);
    }
    df_archive_names_free(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *mended = malloc(size ? size : 1);

    fuzz_check(mended, "memory");
    memcpy(mended, data, size);
    fuzz_mend_tar(mended, size);
    read_archive(data, size);
    read_archive(mended, size);
    free(mended);
    return 0;
}
