/* Block by block, an image has the very classes and probabilities that it has as a whole. */
#include "src/evaluation/block_inference.h"
#include "support/cmocka_all.h"
#include "support/errors.h"
#include "support/one_block.h"
#include "support/open_backend.h"

#include "dinoft/backbone_file.h"
#include "dinoft/inference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CLASSES 7
#define CROP    28

/* Classes that lie close together: each wins somewhere. */
static struct df_segmenter *open_model(struct df_backend *backend)
{
    float weights_of_classes[CLASSES * 64], biases[CLASSES] = {0};
    const struct df_segmenter_options options = {.decoder = "linear",
                                                 .classes = CLASSES,
                                                 .max_batch = 3,
                                                 .height = CROP,
                                                 .width = CROP,
                                                 .rope_rescale = 1.0,
                                                 .std = {1, 1, 1}};
    struct df_state *weights = df_backbone_random(&test_one_block, 1);
    struct df_segmenter *model =
        weights ? df_segmenter_create(backend, weights, &test_one_block, &options, NULL, 1) : NULL;

    assert_works(model != NULL);
    df_state_free(weights);
    for (int i = 0; i < CLASSES * 64; i++)
        weights_of_classes[i] = (float)sin(i * i * 0.37);
    assert_works(df_segmenter_set_parameter(model, "classifier.weight", weights_of_classes) == 0);
    assert_works(df_segmenter_set_parameter(model, "classifier.bias", biases) == 0);
    return model;
}

static struct df_image draw(int64_t width, int64_t height)
{
    struct df_image image;

    assert_works(df_image_alloc(&image, width, height, 3) == 0);
    for (int64_t i = 0; i < width * height * 3; i++)
        image.pixels[i] = (uint8_t)(110.0 + 90.0 * sin((double)i / (5.0 + (double)(i % 3000) / 300.0)) +
                                    (double)(i * 7919 % 37));
    return image;
}

static int read_part(void *context, const struct df_image_part *part, uint8_t *pixels)
{
    const struct df_image *image = context;

    for (int64_t y = 0; y < part->height; y++)
        memcpy(pixels + y * part->width * 3, image->pixels + ((part->y + y) * image->width + part->x) * 3,
               (size_t)part->width * 3);
    return 0;
}

struct collected {
    struct df_image classes;
    int blocks, stop_at;
};

static int collect(void *context, const struct df_block *block)
{
    struct collected *all = context;
    const struct df_image_part *part = &block->part;

    for (int64_t y = 0; y < part->height; y++)
        memcpy(all->classes.pixels + (part->y + y) * all->classes.width + part->x,
               block->classes + y * part->width, (size_t)part->width);
    for (int64_t i = 0; block->probabilities && i < part->width * part->height; i++) {
        const float *of_pixel = block->probabilities + i * CLASSES;
        float sum = 0.0f;
        for (int c = 0; c < CLASSES; c++) {
            sum += of_pixel[c];
            assert_true(of_pixel[c] <= of_pixel[block->classes[i]]);
        }
        assert_true(fabsf(sum - 1.0f) < 1e-5f);
    }
    return ++all->blocks == all->stop_at ? 5 : 0;
}

struct size {
    int64_t width, height, stride, side;
    bool mirror, probabilities;
};

static void check_size(struct df_segmenter *segmenter, const struct size *size)
{
    const struct df_inference_options whole_options = {.own_size = true,
                                                       .crop = CROP,
                                                       .stride = size->stride,
                                                       .n_scales = 1,
                                                       .scales = {1.0},
                                                       .mirror = size->mirror};
    const struct df_block_options options = {.crop = CROP,
                                             .stride = size->stride,
                                             .mirror = size->mirror,
                                             .side = size->side,
                                             .probabilities = size->probabilities};
    struct df_image image = draw(size->width, size->height), expected;
    const struct df_pixel_source source = {&image, size->width, size->height, read_part};
    struct df_inference *inference = df_inference_open(segmenter, &whole_options);
    struct collected found = {0};
    unsigned seen = 0;

    assert_works(inference != NULL);
    assert_works(df_image_alloc(&expected, size->width, size->height, 1) == 0);
    assert_works(df_image_alloc(&found.classes, size->width, size->height, 1) == 0);
    assert_works(df_inference_predict(inference, &image, size->height, size->width, NULL,
                                      &(struct df_wanted){.classes = expected.pixels}) == 0);
    assert_true(df_block_inference_fits(segmenter, size->height, size->width, CROP));
    assert_works(df_block_inference(segmenter, &options, &source, collect, &found) == 0);
    assert_memory_equal(found.classes.pixels, expected.pixels, (size_t)(size->width * size->height));
    for (int64_t i = 0; i < size->width * size->height; i++)
        seen |= 1u << expected.pixels[i];
    assert_true(seen & (seen - 1)); /* more than one class */
    df_inference_close(inference);
    df_image_free(&image);
    df_image_free(&expected);
    df_image_free(&found.classes);
}

static void as_the_whole(void **state)
{
    static const struct size sizes[] = {
        {90, 70, 20, 16, false, false}, {90, 70, 20, 16, true, true},     {91, 113, 28, 32, true, false},
        {61, 29, 9, 1000, false, true}, {28, 200, 5, 13, true, false},    {201, 14, 11, 64, true, false},
        {14, 57, 27, 1, false, false},  {130, 131, 28, 130, false, true},
    };
    struct df_backend *backend = test_open_backend("fp32", 2);

    (void)state;
    assert_non_null(backend);
    struct df_segmenter *segmenter = open_model(backend);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        check_size(segmenter, &sizes[i]);
    assert_false(df_block_inference_fits(segmenter, 27, 100, CROP)); /* neither a window nor whole patches */
    assert_false(df_block_inference_fits(segmenter, 14, 28, CROP));  /* seen whole */
    df_segmenter_free(segmenter);
    df_backend_close(backend);
}

static int fail_to_read(void *context, const struct df_image_part *part, uint8_t *pixels)
{
    (void)context, (void)part, (void)pixels;
    return df_error_set("no pixels");
}

static void ends_early(void **state)
{
    const struct df_block_options options = {.crop = CROP, .stride = 20, .side = 16};
    struct df_image image = draw(90, 70);
    struct df_pixel_source source = {&image, 90, 70, read_part};
    struct df_backend *backend = test_open_backend("fp32", 2);
    struct collected found = {.stop_at = 3};

    (void)state;
    assert_non_null(backend);
    struct df_segmenter *segmenter = open_model(backend);
    assert_works(df_image_alloc(&found.classes, 90, 70, 1) == 0);
    assert_int_equal(df_block_inference(segmenter, &options, &source, collect, &found), 5);
    assert_int_equal(found.blocks, 3);
    source.read = fail_to_read;
    assert_int_equal(df_block_inference(segmenter, &options, &source, collect, &found), -1);
    assert_error_has("no pixels");
    assert_int_equal(found.blocks, 3);
    df_image_free(&image);
    df_image_free(&found.classes);
    df_segmenter_free(segmenter);
    df_backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_whole),
        cmocka_unit_test(ends_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
