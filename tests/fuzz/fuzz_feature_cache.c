/* A feature file as it is, and once more with digests that fit. */
#include "fuzz.h"

#include "dinoft/digest.h"
#include "dinoft/feature_cache.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 64 /* of which the last number is the digest of what is before it */
#define DIGEST_BYTES sizeof(uint64_t)
#define RECORD_BYTES 21
#define RECORDS      3
#define KEY          7

static const struct df_feature_shape shape = {RECORDS, .n_features = 2, .feature_bytes = 8, .label_bytes = 5};

static void mend_digests(uint8_t *data, size_t size)
{
    struct df_digest digest;
    uint64_t value = size < HEADER_BYTES ? 0 : df_digest_of(data, HEADER_BYTES - DIGEST_BYTES);
    size_t at = HEADER_BYTES;

    if (size < HEADER_BYTES)
        return;
    memcpy(data + HEADER_BYTES - DIGEST_BYTES, &value, DIGEST_BYTES);
    for (uint64_t i = 0; size - at >= DIGEST_BYTES + RECORD_BYTES; i++) {
        df_digest_start(&digest);
        df_digest_add_number(&digest, KEY);
        df_digest_add_number(&digest, i);
        df_digest_add(&digest, data + at + DIGEST_BYTES, RECORD_BYTES);
        value = df_digest_value(&digest);
        memcpy(data + at, &value, DIGEST_BYTES);
        at += DIGEST_BYTES + RECORD_BYTES;
    }
}

static void open_cache(const uint8_t *data, size_t size)
{
    struct df_feature_cache *cache;
    uint8_t buffer[RECORD_BYTES];
    char path[FUZZ_PATH_MAX];

    fuzz_write(fuzz_path("input.features", path), data, size);
    fuzz_forget_error();
    const enum df_feature_file state = df_feature_cache_open(path, &shape, KEY, &cache);
    fuzz_check((state == DF_FEATURE_FILE_WHOLE) == (cache != NULL), "a whole file is opened, and no other");
    if (!cache)
        fuzz_check_error();
    for (int64_t i = 0; cache && i < RECORDS; i++) {
        const void *record = df_feature_cache_record(cache, i, buffer);
        fuzz_check(record, "a whole file has all records");
        fuzz_touch(record, RECORD_BYTES);
    }
    df_feature_cache_free(cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *mended = malloc(size ? size : 1);

    fuzz_check(mended, "memory");
    memcpy(mended, data, size);
    mend_digests(mended, size);
    open_cache(data, size);
    open_cache(mended, size);
    free(mended);
    return 0;
}
