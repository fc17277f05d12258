/* A model that changes the size of its images gives the same logits as one that was made for that size. */
#include "model/model_support.h"

#include <stdlib.h>
#include <string.h>

#define BATCH   2
#define CLASSES 5
#define LARGEST (224 * 288)

static struct df_segmenter *open_model(struct df_backend *backend, const char *backbone, const char *decoder,
                                       int64_t height, int64_t width)
{
    const struct df_segmenter_options options = {.decoder = decoder,
                                                 .classes = CLASSES,
                                                 .max_batch = BATCH,
                                                 .height = height,
                                                 .width = width,
                                                 .rope_rescale = 1.0,
                                                 .std = {1, 1, 1}};
    return open_segmenter(backend, backbone, &options, NULL);
}

/* Logits of a batch of random pixels, to be freed. */
static float *run(struct df_segmenter *model, size_t *count)
{
    static uint8_t pixels[BATCH * LARGEST * 3];
    struct df_rng rng;
    const struct df_decoder *decoder = model->decoder;

    *count = (size_t)(BATCH * decoder->logits_h * decoder->logits_w * CLASSES);
    df_rng_seed(&rng, 3, 0);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)df_rng_u64(&rng);
    assert_int_equal(df_segmenter_load_pixels(model, BATCH, pixels, NULL), 0);
    assert_int_equal(df_segmenter_forward(model, BATCH, false, NULL), 0);
    return download_floats(model->backend, decoder->logits, *count);
}

/* Larger, smaller, another ratio, and back: patches of 14 and of 16 pixels. */
static void check_model(const char *backbone, int64_t patch, const char *decoder)
{
    static const int64_t grids[][2] = {{8, 9}, {14, 18}, {7, 11}, {8, 9}, {18, 7}};
    struct df_backend *backend = test_open_backend("fp32", 2);
    struct df_segmenter *model = open_model(backend, backbone, decoder, 7 * patch, 7 * patch);

    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++) {
        const int64_t height = grids[i][0] * patch, width = grids[i][1] * patch;
        struct df_segmenter *fresh = open_model(backend, backbone, decoder, height, width);
        size_t count, fresh_count;
        assert_int_equal(df_segmenter_set_size(model, height, width), 0);
        float *logits = run(model, &count), *fresh_logits = run(fresh, &fresh_count);
        assert_int_equal(count, fresh_count);
        for (size_t k = 0; k < count; k++) {
            const float difference = logits[k] - fresh_logits[k];
            if (!(difference < 1e-5f && difference > -1e-5f))
                fail_msg("%s, %s, grid %zu: logit %zu is %g, that of a new model %g", backbone, decoder, i, k,
                         (double)logits[k], (double)fresh_logits[k]);
        }
        free(logits);
        free(fresh_logits);
        df_segmenter_free(fresh);
    }
    df_segmenter_free(model);
    df_backend_close(backend);
}

static void sizes_change(void **state)
{
    check_model("dinov2_tiny/backbone.pth", 14, "linear"); /* scale-factor interpolation */
    check_model("dinov2_tiny_reg/backbone.pth", 14, "linear");
    check_model("dinov3_tiny/backbone.pth", 16, "linear");
    check_model("dinov2_tiny_reg/backbone.pth", 14, "fpn");
    check_model("dinov3_tiny/backbone.pth", 16, "fpn");
}

static void impossible_sizes_are_refused(void **state)
{
    struct df_backend *backend = test_open_backend("fp32", 1);
    struct df_segmenter *model = open_model(backend, "dinov2_tiny_reg/backbone.pth", "fpn", 112, 112);

    assert_int_equal(df_segmenter_set_size(model, 112, 113), -1);
    assert_error_has("112 x 113 is not a multiple of the patch size 14");
    assert_int_equal(df_segmenter_set_size(model, 28, 112), -1);
    assert_error_has("the FPN decoder needs images of at least");
    df_segmenter_free(model);
    df_backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_change),
        cmocka_unit_test(impossible_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
