/* The selftest's case of a packed batch. Where a backend does not resize (the CPU's, whose memory is the
 * host's), its images are resized as the loader does it. */
#include "selftest_case.h"

#include "dinoft/error.h"
#include "dinoft/image.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define I64 "%" PRId64

/* Photographs of about this size, none like the other. */
#define SOURCE_WIDTH  500
#define SOURCE_HEIGHT 375

enum tensor { BLOCK, TABLE, IMAGE, LABELS };

static const float mean[3] = {0.485f, 0.456f, 0.406f}, deviation[3] = {0.229f, 0.224f, 0.225f};

static struct df_packed_image source(int64_t i, int64_t offset)
{
    return (struct df_packed_image){offset, (int32_t)(SOURCE_WIDTH - i % 100),
                                    (int32_t)(SOURCE_HEIGHT - i % 50)};
}

static int resize_on_host(const struct selftest_setting *s, struct selftest_side *side, uint8_t *pixels)
{
    const struct df_packed_image *images = side->memory[TABLE], *masks = images + s->batch;
    uint8_t *block = side->memory[BLOCK], *labels = side->memory[LABELS];
    const int64_t area = s->height * s->width;

    for (int64_t i = 0; i < s->batch; i++) {
        const struct df_image image = {.pixels = block + images[i].offset,
                                       .width = images[i].width,
                                       .height = images[i].height,
                                       .channels = 3};
        const struct df_image mask = {.pixels = block + masks[i].offset,
                                      .width = masks[i].width,
                                      .height = masks[i].height,
                                      .channels = 1};
        DF_TRY(df_resize_linear(&image, pixels + i * 3 * area, s->width, s->height));
        df_resize_nearest(&mask, labels + i * area, s->width, s->height);
    }
    return side->backend->ops->image_normalize(side->backend, pixels, side->memory[IMAGE], s->batch,
                                               s->height, s->width, mean, deviation);
}

static int call_on_host(const struct selftest_setting *s, struct selftest_side *side)
{
    const size_t bytes = (size_t)(3 * s->batch * s->height * s->width);
    uint8_t *pixels = malloc(bytes);
    const int status =
        pixels ? resize_on_host(s, side, pixels) : df_error_memory("a batch of the selftest", bytes);

    free(pixels);
    return status;
}

static int call_resize_batch(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_setting *s = test->setting;
    struct df_packed_batch batch = {.count = s->batch,
                                    .height = s->height,
                                    .width = s->width,
                                    .block = side->memory[BLOCK],
                                    .images = side->memory[TABLE]};

    if (!side->backend->resizes)
        return call_on_host(s, side);
    batch.masks = batch.images + s->batch;
    memcpy(batch.mean, mean, sizeof mean);
    memcpy(batch.std, deviation, sizeof deviation);
    return side->backend->ops->resize_batch(side->backend, &batch, side->memory[IMAGE], side->memory[LABELS]);
}

static void write_table(struct selftest_case *test)
{
    const int64_t batch = test->setting->batch;
    uint8_t *table = test->tensors[TABLE].bytes;
    int64_t offset = 0;

    for (int64_t i = 0; table && i < 2 * batch; i++) {
        const struct df_packed_image entry = source(i % batch, offset);
        memcpy(table + (size_t)i * sizeof entry, &entry, sizeof entry);
        offset += (i < batch ? 3 : 1) * (int64_t)entry.width * entry.height;
    }
}

static void resize_batch(struct selftest_case *test)
{
    const struct selftest_setting *s = test->setting;
    const int64_t pixels = s->batch * s->height * s->width;

    test->operation = "resize_batch";
    selftest_bytes(test, s->batch * 4 * SOURCE_WIDTH * SOURCE_HEIGHT, 256, false);
    selftest_bytes(test, 2 * s->batch * (int64_t)sizeof(struct df_packed_image), 256, false);
    selftest_output(test, false, 3 * pixels);
    selftest_output_bytes(test, pixels);
    write_table(test);
    selftest_shape(test, I64 " x [%d, %d] to " I64 " x " I64, s->batch, SOURCE_HEIGHT, SOURCE_WIDTH,
                   s->height, s->width);
    test->call = call_resize_batch;
}

selftest_builder *const selftest_batches[] = {
    resize_batch,
    NULL,
};
