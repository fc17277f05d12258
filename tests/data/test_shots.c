/* Few images of a set: which ones are chosen, and the set that is left. */
#include "dinoft/rng.h"
#include "dinoft/shots.h"
#include "data/scratch_images.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <string.h>

#define IMAGES  40
#define CLASSES 5

/* A set of which nothing is known but what its masks show: image i has a pixel of class c where the table
 * says so. */
static struct df_dataset counted_set(int64_t images, int classes, bool shows[][CLASSES])
{
    struct df_dataset set = {.n_classes = classes, .count = images, .census = df_label_census_new(images)};

    assert_non_null(set.census);
    for (int64_t i = 0; i < images; i++) {
        int64_t pixels[DF_LABEL_VALUES] = {0};
        pixels[DF_IGNORE_LABEL] = 9;
        for (int c = 0; c < classes; c++)
            pixels[c] = shows[i][c];
        df_label_census_add(set.census, i, pixels);
    }
    return set;
}

/* Class 0 nearly everywhere, the others the rarer the higher their numbers, the last one in two images. */
static void draw_table(bool shows[IMAGES][CLASSES])
{
    struct df_rng rng;

    df_rng_seed(&rng, 5, 0);
    for (int i = 0; i < IMAGES; i++) {
        for (int c = 0; c < CLASSES - 1; c++)
            shows[i][c] = df_rng_double(&rng) < 0.95 / (1 + 2 * c);
        shows[i][CLASSES - 1] = i == 7 || i == 31;
    }
}

/* The rule once more, over lists: who is in is looked for among those already in, class by class. */
static void choose_plainly(bool shows[IMAGES][CLASSES], const int *classes, int64_t shots, uint64_t seed,
                           bool *chosen)
{
    int64_t order[IMAGES];
    struct df_rng rng;

    df_rng_seed(&rng, seed, df_hash_text("shots"));
    df_rng_permutation(&rng, order, IMAGES);
    memset(chosen, 0, IMAGES);
    for (int k = 0; k < CLASSES; k++) {
        for (int64_t at = 0; at < IMAGES; at++) {
            int64_t found = 0;
            for (int i = 0; i < IMAGES; i++)
                found += chosen[i] && shows[i][classes[k]];
            if (found < shots && shows[order[at]][classes[k]])
                chosen[order[at]] = true;
        }
    }
}

static void follows_the_rule(void **state)
{
    static const int rarest_first[CLASSES] = {4, 3, 2, 1, 0};
    bool shows[IMAGES][CLASSES], chosen[IMAGES], expected[IMAGES];
    int64_t images_of[CLASSES];

    (void)state;
    draw_table(shows);
    struct df_dataset set = counted_set(IMAGES, CLASSES, shows);
    for (int64_t shots = 1; shots < 12; shots++) {
        for (uint64_t seed = 0; seed < 4; seed++) {
            assert_int_equal(df_shots_choose(&set, shots, seed, chosen, images_of), 0);
            choose_plainly(shows, rarest_first, shots, seed, expected);
            assert_memory_equal(chosen, expected, sizeof chosen);
        }
    }
    for (int c = 1; c < CLASSES; c++)
        assert_true(images_of[c] < images_of[c - 1]); /* so the order above is theirs */
    assert_int_equal(images_of[CLASSES - 1], 2);
    df_label_census_free(set.census);
}

static void takes_no_more_than_it_needs(void **state)
{
    bool shows[IMAGES][CLASSES], chosen[IMAGES], other[IMAGES];
    int64_t images_of[CLASSES], count = 0;

    (void)state;
    draw_table(shows);
    struct df_dataset set = counted_set(IMAGES, CLASSES, shows);
    assert_int_equal(df_shots_choose(&set, 3, 1, chosen, images_of), 0);
    for (int c = 0; c < CLASSES; c++) {
        int64_t found = 0;
        for (int i = 0; i < IMAGES; i++)
            found += chosen[i] && shows[i][c];
        assert_true(found >= (images_of[c] < 3 ? images_of[c] : 3));
    }
    for (int i = 0; i < IMAGES; i++)
        count += chosen[i];
    assert_in_range(count, 3, 3 * CLASSES);
    assert_int_equal(df_shots_choose(&set, 3, 2, other, images_of), 0);
    assert_memory_not_equal(chosen, other, sizeof chosen);
    assert_int_equal(df_shots_choose(&set, INT64_MAX, 2, other, images_of), 0);
    for (int i = 0; i < IMAGES; i++)
        assert_int_equal(other[i], shows[i][0] || shows[i][1] || shows[i][2] || shows[i][3] || shows[i][4]);
    df_label_census_free(set.census);
}

/* Of equally rare classes the lower number comes first; a class that nobody shows takes no image, and an
 * image without a label is never taken. */
static void ties_and_absent_classes(void **state)
{
    bool shows[4][CLASSES] = {{true, false, true}, {true, true, false}, {false, true, true}};
    bool chosen[4];
    int64_t images_of[CLASSES], order[4];
    struct df_rng rng;

    (void)state;
    struct df_dataset set = counted_set(4, 4, shows);
    for (uint64_t seed = 0; seed < 8; seed++) {
        assert_int_equal(df_shots_choose(&set, 1, seed, chosen, images_of), 0);
        df_rng_seed(&rng, seed, df_hash_text("shots"));
        df_rng_permutation(&rng, order, 4);
        int first = 0;
        while (!shows[order[first]][0])
            first++;
        assert_true(chosen[order[first]]);
        assert_int_equal(chosen[0] + chosen[1] + chosen[2], 2); /* one shows the class that it does not */
        assert_false(chosen[3]);
    }
    assert_int_equal(images_of[0], 2);
    assert_int_equal(images_of[3], 0);
    df_label_census_free(set.census);
}

/* The list's order stays, and masks are counted anew. */
static void keeps_what_is_chosen(void **state)
{
    static const bool kept[4] = {false, true, false, true};
    struct df_label_counts counts;
    char path[64];

    (void)state;
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "kept/images/train/%d.png", i);
        scratch_image(path, 8, 6, 90);
        snprintf(path, sizeof path, "kept/masks/train/%d.png", i);
        scratch_mask(path, 8, 6, i);
    }
    const struct df_dataset_options options = {
        .kind = DF_DATASET_FOLDER, .root = scratch_path("kept"), .split = DF_SPLIT_TRAIN, .n_classes = 4};
    struct df_dataset *set = df_dataset_open(&options);
    struct df_image mask;
    assert_non_null(set);
    assert_int_equal(df_dataset_read(set, 2, NULL, &mask), 0);
    df_image_free(&mask);
    assert_true(df_label_census_shows(set->census, 2, 2));
    assert_false(df_label_census_shows(set->census, 2, 1));
    assert_int_equal(df_dataset_keep(set, kept), 0);
    assert_int_equal(set->count, 2);
    assert_string_equal(set->samples[0].name, "1");
    assert_string_equal(set->samples[1].name, "3");
    df_label_census_read(set->census, &counts);
    assert_int_equal(counts.masks, 0);
    assert_int_equal(df_dataset_read(set, 1, NULL, &mask), 0);
    assert_int_equal(mask.pixels[0], 3);
    df_image_free(&mask);
    df_dataset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_rule),
        cmocka_unit_test(takes_no_more_than_it_needs),
        cmocka_unit_test(ties_and_absent_classes),
        cmocka_unit_test(keeps_what_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
