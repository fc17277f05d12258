/* What the tests of models share: fixtures brought to them. */
#ifndef TESTS_MODEL_SUPPORT_H
#define TESTS_MODEL_SUPPORT_H

#include "support/device_floats.h"
#include "support/errors.h"
#include "support/golden.h"
#include "support/open_backend.h"

#include "src/model/segmenter_internal.h"

#include "dinoft/backbone_file.h"
#include "dinoft/checkpoint.h"
#include "dinoft/error.h"
#include "dinoft/rng.h"
#include "dinoft/weight_file.h"

/* Opens a backend, or skips the test where this machine has no bf16 products. */
static inline struct df_backend *open_backend(const char *precision)
{
    struct df_backend *backend = test_open_backend(precision, 2);

    if (!backend && strcmp(precision, "bf16") == 0) {
        print_message("skipped: %s\n", df_error_text());
        skip();
    }
    assert_works(backend);
    return backend;
}

/* A model with the backbone of tests/fixtures/BACKBONE. checkpoint may be NULL. */
static inline struct df_segmenter *open_segmenter(struct df_backend *backend, const char *backbone,
                                                  const struct df_segmenter_options *options,
                                                  const struct df_state *checkpoint)
{
    struct df_vit_config config;
    struct df_state *weights = df_backbone_read(fixture_path(backbone), &config);
    assert_works(weights);
    struct df_segmenter *segmenter = df_segmenter_create(backend, options->features_given ? NULL : weights,
                                                         &config, options, checkpoint, 5);
    assert_works(segmenter);
    df_state_free(weights);
    return segmenter;
}

/* LoRA's B starts at zero, which hides A's gradient: every parameter gets a value. */
static inline void scatter_parameters(const struct df_segmenter *segmenter)
{
    const struct df_parameters *parameters = &segmenter->parameters;
    const size_t count = (size_t)df_parameters_length(parameters);
    float *values = download_floats(segmenter->backend, parameters->values, count);
    struct df_rng rng;

    df_rng_seed(&rng, 12, 0);
    for (size_t i = 0; i < count; i++)
        values[i] += 0.05f * (float)df_rng_normal(&rng);
    upload_floats(segmenter->backend, parameters->values, values, count);
    free(values);
}

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

    assert_works(checkpoint);
    return checkpoint;
}

#endif
