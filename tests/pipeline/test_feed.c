/* What the model finds on its device when it was fed: every image and mask of the data set, resized and
 * normalised, in the loader's order, whatever was begun and dropped before; through a packed batch where the
 * device resizes itself. */
#include "support/errors.h"
#include "support/one_block.h"
#include "support/open_backend.h"
#include "support/scratch.h"

#include "src/model/segmenter_internal.h"

#include "dinoft/backbone_file.h"
#include "dinoft/feed.h"
#include "dinoft/image.h"
#include "dinoft/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define IMAGES  9
#define BATCH   2
#define HEIGHT  28
#define WIDTH   42
#define PIXELS  (HEIGHT * WIDTH)
#define CLASSES 7

static const float mean[3] = {0.485f, 0.456f, 0.406f}, std[3] = {0.229f, 0.224f, 0.225f};

struct subject {
    struct df_dataset *dataset;
    struct df_backend *backend;
    struct df_segmenter *segmenter;
    struct df_loader *loader;
    struct df_feed *feed;
};

/* Enlarged, shrunk, as they are, and two that do not fit into a packed block. */
static const int sizes[IMAGES][2] = {{9, 5},   {60, 41}, {WIDTH, HEIGHT}, {97, 71}, {1, 1},
                                     {43, 27}, {300, 7}, {20, 90},        {33, 33}};

static void write_noise(const char *name, int i, bool is_mask)
{
    static uint8_t palette[256][3];
    struct df_image image;
    struct df_rng rng;

    assert_int_equal(df_image_alloc(&image, sizes[i][0], sizes[i][1], is_mask ? 1 : 3), 0);
    df_rng_seed(&rng, (uint64_t)i, is_mask);
    for (int64_t k = 0; k < image.width * image.height * (is_mask ? 1 : 3); k++)
        image.pixels[k] = (uint8_t)df_rng_below(&rng, is_mask ? CLASSES : 256);
    assert_int_equal(is_mask ? df_png_write_palette(scratch_path(name), &image, (const uint8_t(*)[3])palette)
                             : df_png_write_rgb(scratch_path(name), &image),
                     0);
    df_image_free(&image);
}

static struct df_dataset *open_samples(void)
{
    struct df_dataset_options options = {.kind = DF_DATASET_FOLDER, .n_classes = CLASSES};
    char name[64];

    for (int i = 0; i < IMAGES; i++) {
        snprintf(name, sizeof name, "feed/images/train/%02d.png", i);
        write_noise(name, i, false);
        snprintf(name, sizeof name, "feed/masks/train/%02d.png", i);
        write_noise(name, i, true);
    }
    options.root = scratch_path("feed");
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_works(dataset);
    return dataset;
}

static struct df_segmenter *open_model(struct df_backend *backend)
{
    /* More slots than the loader's batches need: the block's layout is the model's. */
    struct df_segmenter_options options = {.decoder = "linear",
                                           .classes = CLASSES,
                                           .max_batch = BATCH + 1,
                                           .height = HEIGHT,
                                           .width = WIDTH,
                                           .packed = backend->resizes,
                                           .rope_rescale = 1.0};
    for (int c = 0; c < 3; c++) {
        options.mean[c] = mean[c];
        options.std[c] = std[c];
    }
    struct df_state *weights = df_backbone_random(&test_one_block, 1);
    struct df_segmenter *model =
        weights ? df_segmenter_create(backend, weights, &test_one_block, &options, NULL, 1) : NULL;
    assert_works(model);
    df_state_free(weights);
    return model;
}

static void open_subject(struct subject *subject, bool originals, int64_t batch_size)
{
    struct df_loader_options options = {.batch_size = batch_size,
                                        .height = HEIGHT,
                                        .width = WIDTH,
                                        .workers = 3,
                                        .shuffle = true,
                                        .seed = 2,
                                        .originals = originals};

    subject->dataset = open_samples();
    subject->backend = test_open_backend("fp32", 2);
    assert_non_null(subject->backend);
    subject->segmenter = open_model(subject->backend);
    subject->loader = df_feed_open_loader(subject->dataset, &options, subject->segmenter);
    subject->feed = subject->loader ? df_feed_images(subject->loader) : NULL;
    assert_works(subject->feed);
    assert_true(df_loader_packs(subject->loader) == subject->backend->resizes);
}

static void close_subject(struct subject *subject)
{
    df_feed_free(subject->feed);
    df_loader_close(subject->loader);
    df_segmenter_free(subject->segmenter);
    df_backend_close(subject->backend);
    df_dataset_free(subject->dataset);
}

/* Image i of the batch is the sample's. */
static void check_image(const struct subject *subject, int64_t i, int64_t sample)
{
    static float got[3 * PIXELS];
    static uint8_t pixels[3 * PIXELS], labels[PIXELS], got_labels[PIXELS];
    struct df_backend *backend = subject->backend;
    struct df_image image, mask;

    assert_int_equal(df_dataset_read(subject->dataset, sample, &image, &mask), 0);
    assert_int_equal(df_resize_linear(&image, pixels, WIDTH, HEIGHT), 0);
    df_resize_nearest(&mask, labels, WIDTH, HEIGHT);
    df_image_free(&image);
    df_image_free(&mask);
    assert_int_equal(
        backend->ops->download(backend, got, subject->segmenter->image + i * 3 * PIXELS, sizeof got), 0);
    for (int64_t k = 0; k < 3 * PIXELS; k++) {
        const double wanted = ((double)pixels[k] / 255.0 - (double)mean[k % 3]) / (double)std[k % 3];
        if (fabs((double)got[k % 3 * PIXELS + k / 3] - wanted) > 1e-5)
            fail_msg("sample %d, pixel %d, channel %d: %g, expected %g", (int)sample, (int)(k / 3),
                     (int)(k % 3), (double)got[k % 3 * PIXELS + k / 3], wanted);
    }
    assert_int_equal(df_segmenter_download_labels(subject->segmenter, i, got_labels), 0);
    assert_memory_equal(got_labels, labels, sizeof labels);
}

static void check_epoch(struct subject *subject, int64_t epoch)
{
    int64_t order[IMAGES], done = 0;
    struct df_batch batch;
    int more;

    assert_int_equal(df_sample_order(order, IMAGES, &(struct df_shuffle){.on = true, .seed = 2}, epoch), 0);
    assert_int_equal(df_feed_start(subject->feed, epoch, 0), 0);
    while ((more = df_feed_next(subject->feed, subject->segmenter, &batch)) == 1) {
        if (subject->backend->resizes) /* the next one has arrived before this one is looked at */
            assert_int_equal(subject->backend->ops->sent(subject->backend), 0);
        for (int64_t i = 0; i < batch.count; i++) {
            const int64_t sample = batch.samples[i];
            assert_int_equal(sample, order[done++]);
            check_image(subject, i, sample);
            assert_true(!batch.masks || batch.masks[i].width == sizes[sample][0]);
        }
    }
    assert_int_equal(more, 0);
    assert_int_equal(done, IMAGES);
}

static void every_image_arrives(void **state)
{
    struct subject subject;

    for (int originals = 0; originals < 2; originals++) {
        open_subject(&subject, originals == 1, BATCH);
        for (int64_t epoch = 0; epoch < 3; epoch++)
            check_epoch(&subject, epoch);
        close_subject(&subject);
    }
}

/* Nobody waits for the device: each batch's labels are put aside there, and looked at after the epoch. What
 * the loader's memory held when a batch was sent must have been read before it holds another. */
static void nothing_is_overwritten_on_its_way(void **state)
{
    struct subject subject;
    struct df_batch batch;
    static uint8_t labels[PIXELS], got[PIXELS];
    int64_t samples[IMAGES], batches = 0;

    open_subject(&subject, false, 1);
    struct df_backend *backend = subject.backend;
    uint8_t *aside = backend->ops->alloc(backend, IMAGES * PIXELS);
    assert_non_null(aside);
    assert_int_equal(df_feed_start(subject.feed, 0, 0), 0);
    while (df_feed_next(subject.feed, subject.segmenter, &batch) == 1) {
        assert_int_equal(
            backend->ops->copy(backend, aside + batches * PIXELS, subject.segmenter->labels, PIXELS), 0);
        samples[batches++] = batch.samples[0];
    }
    assert_int_equal(batches, IMAGES);
    for (int64_t i = 0; i < batches; i++) {
        struct df_image image, mask;
        assert_int_equal(df_dataset_read(subject.dataset, samples[i], &image, &mask), 0);
        df_resize_nearest(&mask, labels, WIDTH, HEIGHT);
        df_image_free(&image);
        df_image_free(&mask);
        assert_int_equal(backend->ops->download(backend, got, aside + i * PIXELS, PIXELS), 0);
        assert_memory_equal(got, labels, PIXELS);
    }
    backend->ops->free(backend, aside);
    close_subject(&subject);
}

/* Epochs that end after so many batches, with the next on its way, leave nothing behind. */
static void dropped_epochs_leave_nothing(void **state)
{
    struct subject subject;
    struct df_batch batch;

    open_subject(&subject, false, BATCH);
    for (int64_t batches = 0; batches < 4; batches++) {
        assert_int_equal(df_feed_start(subject.feed, batches, 0), 0);
        for (int64_t i = 0; i < batches; i++)
            assert_int_equal(df_feed_next(subject.feed, subject.segmenter, &batch), 1);
        check_epoch(&subject, 7 + batches);
    }
    assert_int_equal(df_feed_start(subject.feed, 0, 0), 0);
    assert_int_equal(df_feed_next(subject.feed, subject.segmenter, &batch), 1);
    close_subject(&subject); /* with a batch under way */
}

/* A batch that cannot be read is an error in its place, and those around it arrive. */
static void bad_batches_are_errors_in_their_place(void **state)
{
    struct subject subject;
    struct df_batch batch;
    int64_t order[IMAGES];
    int failures = 0, batches = 0, more;

    open_subject(&subject, false, BATCH);
    assert_int_equal(df_sample_order(order, IMAGES, &(struct df_shuffle){.on = true, .seed = 2}, 0), 0);
    scratch_write_text(strchr(subject.dataset->samples[order[3]].image_path, '/') + 1, "no image");
    assert_int_equal(df_feed_start(subject.feed, 0, 0), 0);
    while ((more = df_feed_next(subject.feed, subject.segmenter, &batch)) != 0) {
        if (more == 1)
            check_image(&subject, 0, batch.samples[0]);
        else
            assert_int_equal(batches, 1); /* samples 2 and 3 of the order */
        failures += more < 0;
        batches++;
    }
    assert_int_equal(failures, 1);
    assert_int_equal(batches, (IMAGES + BATCH - 1) / BATCH);
    close_subject(&subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_image_arrives),
        cmocka_unit_test(nothing_is_overwritten_on_its_way),
        cmocka_unit_test(dropped_epochs_leave_nothing),
        cmocka_unit_test(bad_batches_are_errors_in_their_place),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(NULL);
    return failed;
}
