/* Evaluations: how often they fetch from the device (a GPU waits for each time), and what a batch of the
 * metrics is. */
#include "data/scratch_images.h"
#include "support/cmocka_all.h"
#include "support/one_block.h"
#include "support/open_backend.h"
#include "support/scratch.h"

#include "dinoft/backbone_file.h"
#include "dinoft/error.h"
#include "dinoft/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define IMAGES  5
#define BATCH   2
#define BATCHES 3
#define HEIGHT  28
#define WIDTH   42
#define CLASSES 7

/* A backend's table, with downloads counted. */
static struct {
    const struct df_backend_ops *real;
    struct df_backend_ops ops;
    int comparisons, others;
} counting;

static int counted_download(struct df_backend *backend, void *host, const void *device, size_t bytes)
{
    if (bytes % df_comparison_bytes(CLASSES) == 0)
        counting.comparisons++;
    else
        counting.others++;
    return counting.real->download(backend, host, device, bytes);
}

static struct df_dataset *open_samples(void)
{
    struct df_dataset_options options = {.kind = DF_DATASET_FOLDER, .n_classes = CLASSES};
    char name[64];

    for (int i = 0; i < IMAGES; i++) {
        snprintf(name, sizeof name, "set/images/train/%d.png", i);
        scratch_image(name, 40 + 9 * i, 50 - 7 * i, i);
        snprintf(name, sizeof name, "set/masks/train/%d.png", i);
        scratch_mask(name, 40 + 9 * i, 50 - 7 * i, i);
    }
    options.root = scratch_path("set");
    struct df_dataset *dataset = df_dataset_open(&options);
    if (!dataset)
        fail_msg("%s", df_error_text());
    return dataset;
}

static struct df_segmenter *open_model(struct df_backend *backend, int64_t max_batch)
{
    const struct df_segmenter_options options = {.decoder = "linear",
                                                 .classes = CLASSES,
                                                 .max_batch = max_batch,
                                                 .height = HEIGHT,
                                                 .width = WIDTH,
                                                 .rope_rescale = 1.0,
                                                 .std = {1, 1, 1}};
    struct df_state *weights = df_backbone_random(&test_one_block, 1);
    struct df_segmenter *model =
        weights ? df_segmenter_create(backend, weights, &test_one_block, &options, NULL, 1) : NULL;

    if (!model)
        fail_msg("%s", df_error_text());
    df_state_free(weights);
    return model;
}

/* Pixels that were counted, by all of the evaluation's matrices. */
static int64_t evaluate(struct df_segmenter *segmenter, struct df_dataset *dataset, int64_t batch_size,
                        const struct df_evaluation *evaluation, struct df_scores *scores)
{
    const struct df_loader_options options = {.batch_size = batch_size,
                                              .height = evaluation->inference ? 0 : HEIGHT,
                                              .width = evaluation->inference ? 0 : WIDTH,
                                              .workers = 1,
                                              .originals = evaluation->original || evaluation->inference};
    struct df_loader *loader = df_feed_open_loader(dataset, &options, segmenter);
    struct df_feed *feed = loader ? df_feed_images(loader) : NULL;
    struct df_metrics metrics;
    int64_t pixels = 0;

    assert_non_null(feed);
    assert_int_equal(df_metrics_init(&metrics, CLASSES, false), 0);
    counting.comparisons = counting.others = 0;
    if (df_evaluate(segmenter, feed, evaluation, &metrics) != 0)
        fail_msg("%s", df_error_text());
    for (size_t i = 0; i < CLASSES * CLASSES; i++)
        pixels += metrics.confusion[i];
    df_metrics_scores(&metrics, scores);
    df_metrics_free(&metrics);
    df_feed_free(feed);
    df_loader_close(loader);
    return pixels;
}

static int64_t original_pixels(void)
{
    int64_t pixels = 0;

    for (int64_t i = 0; i < IMAGES; i++)
        pixels += (40 + 9 * i) * (50 - 7 * i);
    return pixels;
}

/* One for the comparisons of a batch, one for whether its logits are finite. */
static void once_a_batch(void **state)
{
    const struct df_inference_options how = {
        .height = HEIGHT, .width = WIDTH, .n_scales = 1, .scales = {1.0}, .mirror = true};
    struct df_evaluation evaluation = {.label = "test"};
    struct df_dataset *dataset = open_samples();
    struct df_backend *backend = test_open_backend("fp32", 2);
    struct df_scores scores;

    (void)state;
    assert_non_null(backend);
    struct df_segmenter *segmenter = open_model(backend, BATCH);
    counting.real = backend->ops;
    counting.ops = *backend->ops;
    counting.ops.download = counted_download;
    backend->ops = &counting.ops;

    assert_int_equal(evaluate(segmenter, dataset, BATCH, &evaluation, &scores), IMAGES * HEIGHT * WIDTH);
    assert_int_equal(counting.comparisons, BATCHES);
    assert_int_equal(counting.others, BATCHES);

    evaluation.original = true;
    assert_int_equal(evaluate(segmenter, dataset, BATCH, &evaluation, &scores), original_pixels());
    assert_int_equal(counting.comparisons, BATCHES);
    assert_int_equal(counting.others, BATCHES);

    /* Here the model sees one view of one image at a time. */
    df_segmenter_free(segmenter);
    segmenter = open_model(backend, 1);
    evaluation.inference = df_inference_open(segmenter, &how);
    assert_non_null(evaluation.inference);
    assert_int_equal(evaluate(segmenter, dataset, BATCH, &evaluation, &scores), original_pixels());
    assert_int_equal(counting.comparisons, BATCHES);
    assert_int_equal(counting.others, 2 * IMAGES);

    df_inference_close(evaluation.inference);
    backend->ops = counting.real;
    df_segmenter_free(segmenter);
    df_backend_close(backend);
    df_dataset_free(dataset);
}

static void assert_same_scores(const struct df_scores *found, const struct df_scores *expected)
{
    assert_true(fabs(found->reference_iou - expected->reference_iou) < 1e-12);
    assert_true(fabs(found->reference_miou - expected->reference_miou) < 1e-12);
    assert_true(fabs(found->loss - expected->loss) < 1e-12);
}

/* Of five images: three and two, whether the feed has three, two or one at a time. */
static void batches_of_metrics_need_not_be_the_feeds(void **state)
{
    struct df_evaluation evaluation = {.label = "test"};
    struct df_dataset *dataset = open_samples();
    struct df_backend *backend = test_open_backend("fp32", 2);
    struct df_scores expected, found;

    (void)state;
    assert_non_null(backend);
    struct df_segmenter *segmenter = open_model(backend, 3);
    evaluate(segmenter, dataset, 3, &evaluation, &expected);
    evaluate(segmenter, dataset, BATCH, &evaluation, &found);
    assert_true(fabs(found.reference_miou - expected.reference_miou) > 1e-6);
    evaluation.batch_size = 3;
    for (int64_t batch = 1; batch <= 3; batch++) {
        evaluate(segmenter, dataset, batch, &evaluation, &found);
        assert_same_scores(&found, &expected);
    }
    df_segmenter_free(segmenter);
    df_backend_close(backend);
    df_dataset_free(dataset);
}

struct viewer {
    int64_t seen[IMAGES], batches[IMAGES]; /* samples with maps, and the batches that were done when told */
    int samples, calls;
    struct df_dataset *dataset;
};

/* The labels that an image's maps show are its own. */
static int view(void *context, const struct df_prediction *prediction)
{
    struct viewer *viewer = context;
    struct df_image image = {0}, mask = {0};
    uint8_t expected[HEIGHT * WIDTH];

    if (!prediction->classes)
        return 0;
    assert_int_equal(df_dataset_read(viewer->dataset, prediction->sample, &image, &mask), 0);
    df_resize_nearest(&mask, expected, WIDTH, HEIGHT);
    assert_memory_equal(prediction->labels, expected, sizeof expected);
    df_image_free(&image);
    df_image_free(&mask);
    viewer->seen[viewer->samples++] = prediction->sample;
    return 0;
}

static void note_progress(void *context, int64_t done, int64_t batches, int64_t images)
{
    struct viewer *viewer = context;

    assert_int_equal(batches, BATCHES);
    assert_int_equal(images, done * BATCH < IMAGES ? done * BATCH : IMAGES);
    viewer->batches[viewer->calls++] = done;
}

/* Others are counted without; the numbers are the same. */
static void maps_of_some_images(void **state)
{
    struct viewer viewer = {.dataset = open_samples()};
    struct df_evaluation evaluation = {.observe = view, .progress = note_progress, .context = &viewer};
    struct df_backend *backend = test_open_backend("fp32", 2);
    struct df_scores expected, found;

    (void)state;
    assert_non_null(backend);
    struct df_segmenter *segmenter = open_model(backend, BATCH);
    evaluate(segmenter, viewer.dataset, BATCH, &evaluation, &expected);
    assert_int_equal(viewer.samples, 0);
    assert_int_equal(viewer.calls, BATCHES + 1);
    for (int i = 0; i <= BATCHES; i++)
        assert_int_equal(viewer.batches[i], i);

    evaluation.images = IMAGES;
    for (int maps = IMAGES; maps > 1; maps--) {
        viewer.samples = viewer.calls = 0;
        evaluation.maps = maps;
        evaluate(segmenter, viewer.dataset, BATCH, &evaluation, &found);
        assert_int_equal(viewer.samples, maps);
        assert_int_equal(viewer.seen[0], 0);
        assert_same_scores(&found, &expected);
    }
    assert_int_equal(viewer.seen[1], 3); /* of the last two */
    df_segmenter_free(segmenter);
    df_backend_close(backend);
    df_dataset_free(viewer.dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_a_batch),
        cmocka_unit_test(batches_of_metrics_need_not_be_the_feeds),
        cmocka_unit_test(maps_of_some_images),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
