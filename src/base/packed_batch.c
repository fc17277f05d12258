#include "dinoft/packed_batch.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#define ALIGNMENT 256 /* of each part: as much as a device's own allocations have */

static size_t align(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int df_packed_layout_init(struct df_packed_layout *layout, int64_t batch, int64_t height, int64_t width)
{
    const int64_t all[] = {batch, height, width, 4 * DF_PACKED_PIXELS_MOST}; /* bytes but for the tables' */
    size_t bytes;

    if (!df_shape_count(all, 4, &bytes) || bytes > PTRDIFF_MAX / 2)
        return df_error_set("a batch of %lld images of %lld x %lld pixels is too large", (long long)batch,
                            (long long)width, (long long)height);
    const size_t table = align((size_t)batch * sizeof(struct df_packed_image));
    layout->batch = batch;
    layout->slot_pixels = height * width * DF_PACKED_PIXELS_MOST;
    layout->mask_table = table;
    layout->images = 2 * table;
    layout->masks = layout->images + align((size_t)(3 * batch * layout->slot_pixels));
    layout->bytes = layout->masks + (size_t)(batch * layout->slot_pixels);
    return 0;
}
