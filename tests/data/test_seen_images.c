/* The images that a checkpoint knows as its training's. */
#include "support/cmocka_all.h"
#include "support/scratch.h"

#include "dinoft/seen_images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A set of samples of equal sizes, which are not read but by their bytes. */
static void make(struct df_dataset *set, struct df_sample *samples, int64_t count, const char *folder)
{
    *set = (struct df_dataset){.samples = samples, .count = count};
    for (int64_t i = 0; i < count; i++) {
        samples[i] = (struct df_sample){.image_path = malloc(64), .image_bytes = 100};
        snprintf(samples[i].image_path, 64, "%s/%06d.png", folder, (int)i);
    }
}

static void drop(struct df_dataset *set)
{
    for (int64_t i = 0; i < set->count; i++)
        free(set->samples[i].image_path);
}

static void equal_names_and_sizes(void **state)
{
    char a[] = "the first picture", b[] = "another picture..";
    struct df_sample first = {.image_bytes = sizeof a - 1}, second = {.image_bytes = sizeof b - 1};
    const struct df_dataset training = {.samples = &first, .count = 1};
    const struct df_dataset other = {.samples = &second, .count = 1};
    struct df_seen_images seen = {0};
    char path[512];

    snprintf(path, sizeof path, "%s", scratch_write("a.png", a, sizeof a - 1));
    first.image_path = second.image_path = path;
    assert_int_equal(df_seen_images_add(&seen, &training), 0);
    assert_int_equal(df_seen_images_add(&seen, &training), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.images, 1);
    scratch_write("a.png", b, sizeof b - 1);
    assert_int_equal(df_seen_images_add(&seen, &other), 0);
    assert_int_equal(seen.count, 2);
    df_seen_images_free(&seen);
}

/* Of many, the smallest digests are kept, in whatever order they came. */
static void many(void **state)
{
    const int64_t count = DF_SEEN_IMAGES_MOST / 2 + 100;
    struct df_sample *samples[2] = {calloc((size_t)count, sizeof **samples),
                                    calloc((size_t)count, sizeof **samples)};
    struct df_dataset sets[2];
    struct df_seen_images seen[3] = {{0}, {0}, {0}};

    make(&sets[0], samples[0], count, "none/a");
    make(&sets[1], samples[1], count, "none/b");
    for (int64_t i = 0; i < count; i++)
        sets[1].samples[i].image_bytes = 101;
    assert_int_equal(df_seen_images_add(&seen[0], &sets[0]), 0);
    assert_int_equal(seen[0].count, count);
    assert_int_equal(df_seen_images_add(&seen[1], &sets[1]), 0);
    assert_int_equal(df_seen_images_join(&seen[1], &seen[0]), 0);
    assert_int_equal(df_seen_images_add(&seen[0], &sets[1]), 0);
    assert_int_equal(seen[0].count, DF_SEEN_IMAGES_MOST);
    assert_int_equal(seen[0].images, 2 * count);
    assert_int_equal(seen[1].images, 2 * count);
    assert_memory_equal(seen[0].digests, seen[1].digests, sizeof(uint64_t) * DF_SEEN_IMAGES_MOST);
    for (int i = 0; i < 2; i++) {
        drop(&sets[i]);
        free(samples[i]);
        df_seen_images_free(&seen[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_names_and_sizes),
        cmocka_unit_test(many),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
