/* An event file as it is, and once more with checksums that fit, cut behind several steps. */
#include "fuzz.h"

#include "src/files/crc32c.h"
#include "src/files/event_record.h"
#include "src/files/little_endian.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES   8
#define HEADER_BYTES   12
#define CHECKSUM_BYTES 4

static void mend_checksum(uint8_t *bytes, size_t size)
{
    const uint32_t crc = df_crc32c(bytes, size);

    df_le_put(bytes + size, CHECKSUM_BYTES, (crc >> 15 | crc << 17) + 0xa282ead8u);
}

static void mend_checksums(uint8_t *data, size_t size)
{
    while (size >= HEADER_BYTES + CHECKSUM_BYTES) {
        const uint64_t length = df_le_get(data, LENGTH_BYTES);
        mend_checksum(data, LENGTH_BYTES);
        if (length > size - HEADER_BYTES - CHECKSUM_BYTES)
            return;
        mend_checksum(data + HEADER_BYTES, (size_t)length);
        data += HEADER_BYTES + length + CHECKSUM_BYTES;
        size -= HEADER_BYTES + (size_t)length + CHECKSUM_BYTES;
    }
}

static void cut(const uint8_t *data, size_t size, int64_t step)
{
    struct df_event_place left = {step, 2}, again_left = left;
    const struct df_event_scan scan = df_event_records_scan(data, size, &left);
    const struct df_event_scan again = df_event_records_scan(data, scan.kept, &again_left);

    fuzz_check(scan.kept <= size, "no more is kept than there is");
    fuzz_check(scan.summaries == 0 || scan.last_step <= step, "no later step is kept");
    fuzz_check(again.kept == scan.kept && !again.damaged, "what is kept is whole");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t steps[] = {INT64_MIN, 0, 2, INT64_MAX};
    uint8_t *mended = malloc(size ? size : 1);

    fuzz_check(mended, "memory");
    memcpy(mended, data, size);
    mend_checksums(mended, size);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        cut(data, size, steps[i]);
        cut(mended, size, steps[i]);
    }
    free(mended);
    return 0;
}
