/* Images that are decoded once: copies of what was read, wherever it is kept. */
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/image_store.h"
#include "dinoft/rng.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define IMAGES  4
#define CLASSES 7

/* Bytes of sample i: (9 + i) x (5 + 2 i) pixels of an image and a mask. */
static size_t sample_bytes(int i)
{
    return (size_t)(4 * (9 + i) * (5 + 2 * i));
}

static struct df_image random_image(int i, int channels, int values)
{
    struct df_image image;
    struct df_rng rng;

    df_rng_seed(&rng, (uint64_t)i, (uint64_t)channels);
    assert_int_equal(df_image_alloc(&image, 9 + i, 5 + 2 * i, channels), 0);
    for (int64_t k = 0; k < image.width * image.height * channels; k++)
        image.pixels[k] = (uint8_t)df_rng_below(&rng, (uint64_t)values);
    return image;
}

static struct df_dataset *open_samples(void)
{
    struct df_dataset_options options = {.kind = DF_DATASET_FOLDER, .n_classes = CLASSES};
    uint8_t palette[256][3] = {{0}};
    char name[64];

    for (int i = 0; i < IMAGES; i++) {
        struct df_image image = random_image(i, 3, 256), mask = random_image(i, 1, CLASSES);
        snprintf(name, sizeof name, "set/images/train/%d.png", i);
        assert_int_equal(df_png_write_rgb(scratch_path(name), &image), 0);
        snprintf(name, sizeof name, "set/masks/train/%d.png", i);
        assert_int_equal(df_png_write_palette(scratch_path(name), &mask, palette), 0);
        df_image_free(&image);
        df_image_free(&mask);
    }
    options.root = scratch_path("set");
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_works(dataset);
    assert_int_equal(dataset->count, IMAGES);
    return dataset;
}

static void assert_same(const struct df_image *found, struct df_image expected)
{
    assert_int_equal(found->width, expected.width);
    assert_int_equal(found->height, expected.height);
    assert_int_equal(found->channels, expected.channels);
    assert_memory_equal(found->pixels, expected.pixels,
                        (size_t)(expected.width * expected.height * expected.channels));
    df_image_free(&expected);
}

/* Samples in an order that is not the list's, their copies spoilt after each reading. */
static void read_all(struct df_image_store *store)
{
    static const int order[IMAGES] = {2, 0, 3, 1};

    for (int k = 0; k < IMAGES; k++) {
        const int i = order[k];
        struct df_image image, mask;
        assert_works(df_image_store_read(store, i, &image, &mask) == 0);
        assert_same(&image, random_image(i, 3, 256));
        assert_same(&mask, random_image(i, 1, CLASSES));
        memset(image.pixels, 1, (size_t)(image.width * image.height * 3));
        memset(mask.pixels, 1, (size_t)(mask.width * mask.height));
        df_image_free(&image);
        df_image_free(&mask);
    }
}

static int files_in(const char *folder)
{
    DIR *entries = opendir(folder);
    int count = -2; /* "." and ".." */

    assert_non_null(entries);
    while (readdir(entries))
        count++;
    closedir(entries);
    return count;
}

/* All in memory, some of it, none. */
static void files_are_read_once(void **state)
{
    const size_t all = sample_bytes(0) + sample_bytes(1) + sample_bytes(2) + sample_bytes(3);
    const size_t memory[] = {all, all - 1, sample_bytes(2) + sample_bytes(1), 1, 0};

    scratch_write_text("keep/x", "");
    for (size_t k = 0; k < sizeof memory / sizeof *memory; k++) {
        struct df_dataset *dataset = open_samples();
        const char *folder = scratch_path("keep");
        struct df_image_store *store = df_image_store_open(dataset, memory[k], folder);
        assert_non_null(store);
        read_all(store);
        for (int i = 0; i < IMAGES; i++) {
            assert_int_equal(unlink(dataset->samples[i].image_path), 0);
            assert_int_equal(unlink(dataset->samples[i].mask_path), 0);
        }
        read_all(store);
        read_all(store);
        assert_int_equal(files_in(folder), 1); /* x: the temporary file has no name */
        df_image_store_close(store);
        df_dataset_free(dataset);
    }
    df_image_store_close(NULL);
}

static void assert_fails(struct df_image_store *store, int sample, const char *words)
{
    struct df_image image, mask;

    assert_int_equal(df_image_store_read(store, sample, &image, &mask), -1);
    assert_error_has(words);
    assert_null(image.pixels);
    assert_null(mask.pixels);
}

static void a_file_that_cannot_be_made(void **state)
{
    struct df_dataset *dataset = open_samples();
    struct df_image_store *store = df_image_store_open(dataset, 0, "/no/such/folder");

    assert_fails(store, 0, "cannot make a temporary file in /no/such/folder");
    df_image_store_close(store);
    df_dataset_free(dataset);
}

/* The first sample fits, the second does not. What was kept stays. */
static void a_full_disk(void **state)
{
    struct df_dataset *dataset = open_samples();
    struct df_image_store *store = df_image_store_open(dataset, 0, scratch_folder());
    struct df_image image, mask;
    struct rlimit before, tight;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = before;
    tight.rlim_cur = sample_bytes(0) + sample_bytes(1) / 2;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const int first = df_image_store_read(store, 0, &image, &mask);
    if (first == 0) {
        df_image_free(&image);
        df_image_free(&mask);
    }
    const int second = df_image_store_read(store, 1, &image, &mask);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(first, 0);
    assert_int_equal(second, -1);
    assert_error_has("cannot keep decoded images in a temporary file in");
    read_all(store);
    df_image_store_close(store);
    df_dataset_free(dataset);
}

static void a_damaged_image(void **state)
{
    struct df_dataset *dataset = open_samples();
    struct df_image_store *store = df_image_store_open(dataset, 1 << 20, scratch_folder());

    scratch_write_text("set/images/train/1.png", "no picture");
    assert_fails(store, 1, "1.png");
    assert_fails(store, 1, "1.png");
    df_image_store_close(store);
    df_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_once),
        cmocka_unit_test(a_file_that_cannot_be_made),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(a_damaged_image),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(NULL);
    return failed;
}
