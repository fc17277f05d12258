/* An archive's directory, and each entry; as PyTorch's files are read, but with contents of any kind. */
#include "fuzz.h"

#include "src/files/zip.h"

#include <stdlib.h>

#define INFLATE_MAX ((uint64_t)1 << 20)

static void use_entry(const struct df_zip *zip, const struct df_zip_entry *entry)
{
    const void *bytes;
    void *owned;

    fuzz_touch(entry->name, entry->name_length);
    fuzz_forget_error();
    if (df_zip_read(zip, entry, INFLATE_MAX, &bytes, &owned) == 0)
        fuzz_touch(bytes, entry->size);
    else
        fuzz_check_error();
    free(owned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct df_mapping mapping = {data, size};

    fuzz_forget_error();
    struct df_zip *zip = df_zip_open(&mapping);
    if (!zip)
        fuzz_check_error();
    for (size_t i = 0; zip && i < zip->count; i++)
        use_entry(zip, &zip->entries[i]);
    df_zip_close(zip);
    return 0;
}
