/* What the tests of models share: fixtures brought to them. */
#ifndef TESTS_MODEL_SUPPORT_H
#define TESTS_MODEL_SUPPORT_H

#include "support/cmocka_all.h"
#include "support/device_floats.h"

#include "src/model/segmenter_internal.h"

#include "dinoft/checkpoint.h"
#include "dinoft/error.h"
#include "dinoft/weight_file.h"

/* A batch whose image, float32 [count, 3, H, W], is normalised already. labels may be NULL. */
static inline void load_image(struct df_segmenter *segmenter, int64_t count, const float *image,
                              const uint8_t *labels)
{
    assert_int_equal(df_segmenter_load_labels(segmenter, count, labels), 0);
    upload_floats(segmenter->backend, segmenter->image, image,
                  (size_t)(3 * segmenter_pixels(segmenter, count)));
}

/* The test fails where it cannot be read. */
static inline struct df_checkpoint *read_checkpoint(const char *path)
{
    struct df_state *state = df_weight_file_read(path, NULL);
    struct df_checkpoint *checkpoint = state ? df_checkpoint_from_state(state, path) : NULL;

    if (!checkpoint)
        fail_msg("%s", df_error_text());
    return checkpoint;
}

#endif
