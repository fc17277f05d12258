/* The loader: the order whatever the threads do, errors in their place, shutdown at any time. */
#include "dinoft/error.h"
#include "dinoft/loader.h"
#include "data/scratch_images.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGES 11
#define SIDE   8

/* Sample i has the shade 20 i, the label i and i + 3 rows. */
static struct df_dataset *open_samples(void)
{
    struct df_dataset_options options = {.kind = DF_DATASET_FOLDER, .n_classes = IMAGES};
    char name[64];

    for (int i = 0; i < IMAGES; i++) {
        snprintf(name, sizeof name, "set/images/train/%02d.png", i);
        scratch_image(name, 6, i + 3, 20 * i);
        snprintf(name, sizeof name, "set/masks/train/%02d.png", i);
        scratch_mask(name, 6, i + 3, i);
    }
    options.root = scratch_path("set");
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_works(dataset);
    return dataset;
}

static struct df_loader *open_loader(const struct df_dataset *dataset, int workers, int64_t batch_size,
                                     bool shuffle)
{
    struct df_loader_options options = {.batch_size = batch_size,
                                        .height = SIDE,
                                        .width = SIDE,
                                        .workers = workers,
                                        .shuffle = shuffle,
                                        .seed = 5,
                                        .originals = true};
    struct df_loader *loader = df_loader_open(dataset, &options);
    assert_works(loader);
    return loader;
}

static void check_batch(const struct df_batch *batch)
{
    for (int64_t i = 0; i < batch->count; i++) {
        int sample = (int)batch->samples[i];
        for (int k = 0; k < SIDE * SIDE; k++) {
            assert_int_equal(batch->pixels[(i * SIDE * SIDE + k) * 3 + k % 3], 20 * sample);
            assert_int_equal(batch->labels[i * SIDE * SIDE + k], sample);
        }
        assert_int_equal(batch->masks[i].height, sample + 3);
        assert_int_equal(batch->masks[i].pixels[0], sample);
    }
}

/* One epoch's samples in order; returns how many. */
static int run_epoch(struct df_loader *loader, int64_t epoch, int64_t *samples)
{
    struct df_batch batch;
    int count = 0;
    int status;

    assert_int_equal(df_loader_start(loader, epoch, 0), 0);
    while ((status = df_loader_next(loader, &batch)) == 1) {
        check_batch(&batch);
        for (int64_t i = 0; i < batch.count; i++)
            samples[count++] = batch.samples[i];
    }
    assert_int_equal(status, 0);
    assert_int_equal(df_loader_next(loader, &batch), 0);
    return count;
}

static void every_sample_once_in_order(void **state)
{
    struct df_dataset *dataset = open_samples();
    int64_t samples[IMAGES];

    for (int batch_size = 1; batch_size <= 16; batch_size += 3) {
        struct df_loader *loader = open_loader(dataset, 3, batch_size, false);
        assert_int_equal(df_loader_batches(loader), (IMAGES + batch_size - 1) / batch_size);
        assert_int_equal(run_epoch(loader, 0, samples), IMAGES);
        for (int i = 0; i < IMAGES; i++)
            assert_int_equal(samples[i], i);
        df_loader_close(loader);
    }
    df_dataset_free(dataset);
}

static void shuffled_alike_by_any_threads(void **state)
{
    struct df_dataset *dataset = open_samples();
    int64_t first[2][IMAGES], again[IMAGES];

    struct df_loader *loader = open_loader(dataset, 1, 4, true);
    for (int epoch = 0; epoch < 2; epoch++)
        assert_int_equal(run_epoch(loader, epoch, first[epoch]), IMAGES);
    df_loader_close(loader);
    assert_memory_not_equal(first[0], first[1], sizeof again);
    for (int i = 0, seen = 0; i < IMAGES; i++) {
        seen ^= 1 << first[0][i];
        assert_true(i < IMAGES - 1 || seen == (1 << IMAGES) - 1);
    }

    loader = open_loader(dataset, 5, 3, true);
    for (int epoch = 1; epoch >= 0; epoch--) {
        assert_int_equal(run_epoch(loader, epoch, again), IMAGES);
        assert_memory_equal(first[epoch], again, sizeof again);
    }
    df_loader_close(loader);
    df_dataset_free(dataset);
}

/* Each shard's samples follow each other where one is drawn from at a time, whatever their order in the list;
 * a larger buffer mixes neighbours, and one of all samples anything. */
static void shards_follow_each_other(void **state)
{
    enum { SHARDS = 4, EACH = 25, ALL = SHARDS * EACH };
    static struct df_sample samples[ALL];
    const struct df_dataset dataset = {.samples = samples, .count = ALL, .n_shards = SHARDS};
    int64_t order[2][ALL];

    for (int i = 0; i < ALL; i++)
        samples[i].shard = i % SHARDS;
    for (int64_t buffer = 1; buffer <= ALL; buffer *= 10) {
        struct df_shuffle shuffle = {.on = true, .seed = 3, .shards = &dataset, .buffer = buffer};
        int64_t farthest = 0, starts[SHARDS];
        bool seen[ALL] = {false};
        for (int epoch = 0; epoch < 2; epoch++)
            assert_int_equal(df_sample_order(order[epoch], ALL, &shuffle, epoch), 0);
        assert_memory_not_equal(order[0], order[1], sizeof order[0]);
        assert_int_equal(df_sample_order(order[1], ALL, &shuffle, 0), 0);
        assert_memory_equal(order[0], order[1], sizeof order[0]);
        shuffle.buffer = 1;
        assert_int_equal(df_sample_order(order[1], ALL, &shuffle, 0), 0);
        for (int i = 0; i < SHARDS; i++)
            starts[order[1][i * EACH] % SHARDS] = i * EACH;
        for (int i = 0; i < ALL; i++) {
            const int64_t sample = order[0][i];
            /* Where the shards' streams, one behind the other, have it. */
            const int64_t place = starts[sample % SHARDS] + sample / SHARDS;
            assert_false(seen[sample]);
            seen[sample] = true;
            farthest = place - i > farthest ? place - i : farthest;
        }
        assert_in_range(farthest, buffer == 1 ? 0 : buffer / 2, buffer - 1);
    }
}

static void a_failure_comes_in_its_place(void **state)
{
    struct df_dataset *dataset = open_samples();
    struct df_batch batch;

    scratch_write_text("set/images/train/05.png", "broken");
    scratch_write_text("set/images/train/07.png", "broken too");
    for (int round = 0; round < 10; round++) {
        struct df_loader *loader = open_loader(dataset, 4, 2, false);
        assert_int_equal(df_loader_start(loader, 0, 0), 0);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(df_loader_next(loader, &batch), 1);
            check_batch(&batch);
        }
        assert_int_equal(df_loader_next(loader, &batch), -1);
        assert_error_has("05.png");
        assert_int_equal(df_loader_next(loader, &batch), -1);
        assert_error_has("07.png");
        assert_int_equal(df_loader_next(loader, &batch), 1);
        assert_int_equal(batch.samples[0], 8);
        check_batch(&batch);
        df_loader_close(loader);
    }
    df_dataset_free(dataset);
}

static void the_first_failure_of_a_batch_is_told(void **state)
{
    struct df_dataset *dataset = open_samples();
    struct df_batch batch;

    scratch_write_text("set/images/train/02.png", "broken");
    scratch_write_text("set/images/train/09.png", "broken");
    for (int round = 0; round < 20; round++) {
        struct df_loader *loader = open_loader(dataset, 4, IMAGES, false);
        assert_int_equal(df_loader_start(loader, 0, 0), 0);
        assert_int_equal(df_loader_next(loader, &batch), -1);
        assert_error_has("02.png");
        df_loader_close(loader);
    }
    df_dataset_free(dataset);
}

static void restarted_and_closed_at_any_time(void **state)
{
    struct df_dataset *dataset = open_samples();
    struct df_batch batch;
    int64_t samples[IMAGES];

    struct df_loader *loader = open_loader(dataset, 3, 2, false);
    assert_int_equal(df_loader_next(loader, &batch), 0);
    for (int taken = 0; taken < 6; taken++) {
        assert_int_equal(df_loader_start(loader, taken, 0), 0);
        for (int i = 0; i < taken; i++) {
            assert_int_equal(df_loader_next(loader, &batch), 1);
            assert_int_equal(batch.samples[0], 2 * i);
        }
    }
    assert_int_equal(run_epoch(loader, 0, samples), IMAGES);
    df_loader_close(loader);
    for (int taken = 0; taken < 4; taken++) {
        loader = open_loader(dataset, 4, 2, true);
        assert_int_equal(df_loader_start(loader, 0, 0), 0);
        for (int i = 0; i < taken; i++)
            assert_int_equal(df_loader_next(loader, &batch), 1);
        df_loader_close(loader);
    }
    df_loader_close(open_loader(dataset, 2, 2, true));
    df_loader_close(NULL);
    df_dataset_free(dataset);
}

static void *take_block(void *context, size_t bytes)
{
    int *blocks = context;

    if (*blocks == 4) {
        df_error_set("no more blocks");
        return NULL;
    }
    ++*blocks;
    return malloc(bytes);
}

static void give_block(void *context, void *block)
{
    --*(int *)context;
    free(block);
}

/* As it was decoded, 6 wide and sample + 3 high, or resized where it does not fit. */
static void check_packed(const struct df_batch *batch, const struct df_packed_layout *layout)
{
    struct df_packed_image *images = df_packed_images((uint8_t *)batch->packed);
    struct df_packed_image *masks = df_packed_masks(layout, (uint8_t *)batch->packed);

    assert_null(batch->pixels);
    assert_null(batch->labels);
    for (int64_t i = 0; i < batch->count; i++) {
        const int sample = (int)batch->samples[i];
        const bool fits = 6 * (sample + 3) <= layout->slot_pixels;
        assert_int_equal(images[i].width, fits ? 6 : SIDE / 2);
        assert_int_equal(images[i].height, fits ? sample + 3 : SIDE / 2);
        assert_int_equal(images[i].width, masks[i].width);
        assert_int_equal(images[i].height, masks[i].height);
        for (int k = 0; k < images[i].width * images[i].height; k++) {
            assert_int_equal(batch->packed[images[i].offset + 3 * k + k % 3], 20 * sample);
            assert_int_equal(batch->packed[masks[i].offset + k], sample);
        }
    }
}

static void packed_into_the_callers_memory(void **state)
{
    struct df_dataset *dataset = open_samples();
    int blocks = 0;
    struct df_loader_options options = {.batch_size = 4,
                                        .height = SIDE / 2,
                                        .width = SIDE / 2,
                                        .workers = 2,
                                        .memory = {take_block, give_block, &blocks}};
    struct df_batch first, second;

    assert_int_equal(df_packed_layout_init(&options.layout, 5, SIDE / 2, SIDE / 2), 0);
    assert_true(6 * 3 <= options.layout.slot_pixels && options.layout.slot_pixels < 6 * (IMAGES + 2));
    struct df_loader *loader = df_loader_open(dataset, &options);
    assert_works(loader);
    assert_true(df_loader_packs(loader));
    assert_int_equal(df_loader_start(loader, 0, 0), 0);
    assert_int_equal(df_loader_next(loader, &first), 1);
    check_packed(&first, &options.layout);
    assert_int_equal(df_loader_next(loader, &second), 1);
    while (!df_loader_is_ready(loader))
        continue;
    check_packed(&first, &options.layout); /* still there */
    check_packed(&second, &options.layout);
    assert_int_equal(df_loader_next(loader, &first), 1);
    assert_int_equal(first.count, IMAGES - 8);
    check_packed(&first, &options.layout);
    assert_int_equal(df_loader_next(loader, &first), 0);
    assert_null(df_loader_open(dataset, &options)); /* the blocks are taken */
    assert_error_has("no more blocks");
    df_loader_close(loader);
    assert_int_equal(blocks, 0);
    df_dataset_free(dataset);
}

static void impossible_options(void **state)
{
    struct df_dataset *dataset = open_samples();
    const struct df_loader_options good = {.batch_size = 2, .height = 8, .width = 8, .workers = 1};
    struct df_loader_options bad = good;

    bad.batch_size = 0;
    assert_null(df_loader_open(dataset, &bad));
    assert_error_has("batch of 0");
    bad = good;
    bad.workers = -1;
    assert_null(df_loader_open(dataset, &bad));
    assert_error_has("-1 loader threads");
    bad = good;
    bad.width = 1 << 20;
    assert_null(df_loader_open(dataset, &bad));
    assert_error_has("1048576");
    df_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_once_in_order),
        cmocka_unit_test(shuffled_alike_by_any_threads),
        cmocka_unit_test(shards_follow_each_other),
        cmocka_unit_test(a_failure_comes_in_its_place),
        cmocka_unit_test(the_first_failure_of_a_batch_is_told),
        cmocka_unit_test(restarted_and_closed_at_any_time),
        cmocka_unit_test(packed_into_the_callers_memory),
        cmocka_unit_test(impossible_options),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
