/* What a data set's masks hold: values that are classes, pixels that are counted, and sets that cannot be
 * what their user means. */
#include "dinoft/error.h"
#include "dinoft/label_checks.h"
#include "data/scratch_images.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH  6
#define HEIGHT 4
#define PIXELS (WIDTH * HEIGHT)

/* Pair number i of a split, whose mask's first pixel is `first` and the others `rest`. */
static void add_pair(const char *root, const char *split, int i, int first, int rest)
{
    static const uint8_t palette[256][3];
    struct df_image mask;
    char name[128];

    snprintf(name, sizeof name, "%s/images/%s/%03d.png", root, split, i);
    scratch_image(name, WIDTH, HEIGHT, 40);
    snprintf(name, sizeof name, "%s/masks/%s/%03d.png", root, split, i);
    assert_int_equal(df_image_alloc(&mask, WIDTH, HEIGHT, 1), 0);
    memset(mask.pixels, rest, PIXELS);
    mask.pixels[0] = (uint8_t)first;
    assert_int_equal(df_png_write_palette(scratch_path(name), &mask, palette), 0);
    df_image_free(&mask);
}

static struct df_dataset *try_open(const char *root, enum df_split split, int n_classes, const char *values)
{
    const struct df_dataset_options options = {.kind = DF_DATASET_FOLDER,
                                               .root = scratch_path(root),
                                               .split = split,
                                               .n_classes = n_classes,
                                               .mask_values = values,
                                               .advice = " (what helps)"};
    return df_dataset_open(&options);
}

static struct df_dataset *open_set(const char *root, enum df_split split, int n_classes, const char *values)
{
    struct df_dataset *set = try_open(root, split, n_classes, values);
    assert_works(set);
    return set;
}

static void read_all(const struct df_dataset *set, int64_t first, int64_t end)
{
    struct df_image mask;

    for (int64_t i = first; i < end; i++) {
        assert_works(df_dataset_read(set, i, NULL, &mask) == 0);
        df_image_free(&mask);
    }
}

/* --- values --- */

static void listed_values_are_the_classes(void **state)
{
    struct df_image mask;

    add_pair("values", "train", 0, 0, 255);
    struct df_dataset *set = open_set("values", DF_SPLIT_TRAIN, 2, "0,255");
    assert_int_equal(df_dataset_read(set, 0, NULL, &mask), 0);
    assert_int_equal(mask.pixels[0], 0);
    assert_int_equal(mask.pixels[1], 1);
    df_image_free(&mask);
    df_dataset_free(set);
    set = open_set("values", DF_SPLIT_TRAIN, 3, "255,7,0");
    assert_int_equal(df_dataset_read(set, 0, NULL, &mask), 0);
    assert_int_equal(mask.pixels[0], 2);
    assert_int_equal(mask.pixels[1], 0);
    df_image_free(&mask);
    df_dataset_free(set);
    set = open_set("values", DF_SPLIT_TRAIN, 2, "0,1"); /* 255 is ignored where it is not listed */
    assert_int_equal(df_dataset_read(set, 0, NULL, &mask), 0);
    assert_int_equal(mask.pixels[0], 0);
    assert_int_equal(mask.pixels[1], DF_IGNORE_LABEL);
    df_image_free(&mask);
    df_dataset_free(set);
}

static void values_that_are_not_listed(void **state)
{
    struct df_image mask;

    add_pair("others", "train", 0, 128, 0);
    struct df_dataset *set = open_set("others", DF_SPLIT_TRAIN, 2, "0,255");
    assert_int_equal(df_dataset_read(set, 0, NULL, &mask), -1);
    assert_error_has("000.png: label 128 at column 0, row 0 is none of the mask values 0,255");
    assert_null(strstr(df_error_text(), "ignore"));
    df_dataset_free(set);
    set = open_set("others", DF_SPLIT_TRAIN, 2, "0,7");
    assert_int_equal(df_dataset_read(set, 0, NULL, &mask), -1);
    assert_error_has("is none of the mask values 0,7, nor 255 for \"ignore\"");
    df_dataset_free(set);
    set = open_set("others", DF_SPLIT_TRAIN, 2, NULL);
    assert_int_equal(df_dataset_read(set, 0, NULL, &mask), -1);
    assert_error_has("largest allowed is 1");
    assert_error_has(" (what helps)");
    df_dataset_free(set);
    assert_null(try_open("others", DF_SPLIT_TRAIN, 3, "0,255"));
    assert_error_has("the mask values 0,255 are 2, for 3 classes");
    assert_null(try_open("others", DF_SPLIT_TRAIN, 2, "0,x"));
    assert_error_has("the values of masks: expected numbers");
}

/* --- counts --- */

static void bytes_are_counted(void **state)
{
    uint8_t bytes[1027];
    int64_t counts[DF_LABEL_VALUES];

    for (size_t size = 0; size < 12; size++) {
        memset(bytes, 255, sizeof bytes);
        df_count_bytes(bytes, size, counts);
        assert_int_equal(counts[255], size);
        assert_int_equal(counts[0], 0);
    }
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i / 4);
    df_count_bytes(bytes, sizeof bytes, counts);
    assert_int_equal(counts[0], 4 + 3); /* 1024 bytes and three more, which begin anew */
    for (int value = 1; value < DF_LABEL_VALUES; value++)
        assert_int_equal(counts[value], 4);
}

static void each_mask_counts_once(void **state)
{
    struct df_label_counts counts;
    struct df_image image, mask;

    add_pair("count", "train", 0, 1, 0);
    add_pair("count", "train", 1, 255, 1);
    struct df_dataset *set = open_set("count", DF_SPLIT_TRAIN, 2, NULL);
    assert_false(df_label_census_has(set->census, 0));
    read_all(set, 0, 1);
    read_all(set, 0, 1);
    assert_true(df_label_census_has(set->census, 0));
    assert_false(df_label_census_has(set->census, 1));
    df_label_census_read(set->census, &counts);
    assert_int_equal(counts.masks, 1);
    assert_int_equal(counts.pixels[0], PIXELS - 1);
    assert_int_equal(counts.pixels[1], 1);
    assert_int_equal(df_dataset_read(set, 1, &image, &mask), 0);
    df_image_free(&image);
    df_image_free(&mask);
    df_label_census_read(set->census, &counts);
    assert_int_equal(counts.masks, 2);
    assert_int_equal(counts.pixels[1], PIXELS);
    assert_int_equal(counts.pixels[DF_IGNORE_LABEL], 1);
    df_dataset_free(set);
}

/* --- sets that cannot be meant --- */

static void two_values_of_which_one_is_255(void **state)
{
    add_pair("two", "train", 0, 0, 0);
    add_pair("two", "train", 1, 255, 0);
    add_pair("two", "val", 0, 0, 0);
    struct df_dataset *train = open_set("two", DF_SPLIT_TRAIN, 2, NULL);
    struct df_dataset *val = open_set("two", DF_SPLIT_VAL, 2, NULL);
    const struct df_dataset *const both[] = {train, val};
    assert_int_equal(df_labels_look(both, 2), -1);
    assert_error_has("two/masks/train and ");
    assert_error_has("two/masks/val hold only the values 0 and 255 (3 of 3 looked at)");
    assert_error_has(": --mask_values 0,255 if both are classes, --mask_values 0,1 if 255");
    assert_int_equal(df_labels_look(both + 1, 1), 0); /* one value alone */
    df_dataset_free(train);

    train = open_set("two", DF_SPLIT_TRAIN, 20, NULL);
    assert_int_equal(df_labels_look((const struct df_dataset *const[]){train}, 1), -1);
    assert_error_has("--n_classes 2 --mask_values 0,255");
    assert_error_has("--mask_values 0,1,...,19 if");
    df_dataset_free(train);

    static const char *const meanings[] = {"0,255", "0,1"};
    for (int i = 0; i < 2; i++) {
        train = open_set("two", DF_SPLIT_TRAIN, 2, meanings[i]);
        assert_int_equal(df_labels_look((const struct df_dataset *const[]){train}, 1), 0);
        df_dataset_free(train);
    }
    df_dataset_free(val);

    add_pair("two", "val", 1, 1, 0); /* a third value in the other split tells */
    train = open_set("two", DF_SPLIT_TRAIN, 2, NULL);
    val = open_set("two", DF_SPLIT_VAL, 2, NULL);
    assert_int_equal(df_labels_look((const struct df_dataset *const[]){train, val}, 2), 0);
    assert_int_equal(df_labels_check((const struct df_dataset *const[]){train, val}, 2), 0);
    df_dataset_free(train);
    df_dataset_free(val);
}

static void two_values_that_show_later(void **state)
{
    for (int i = 0; i < 40; i++)
        add_pair("later", "train", i, i == 35 ? 255 : 0, 0);
    struct df_dataset *set = open_set("later", DF_SPLIT_TRAIN, 2, NULL);
    const struct df_dataset *const sets[] = {set};
    assert_int_equal(df_labels_look(sets, 1), 0);
    assert_false(df_label_census_has(set->census, 32)); /* the first 32 are looked at */
    assert_true(df_label_census_has(set->census, 31));
    assert_int_equal(df_labels_check(sets, 1), 0);
    read_all(set, 32, 36);
    assert_int_equal(df_labels_check(sets, 1), -1);
    assert_error_has(
        "only the values 0 and 255 (40 of 40 looked at)"); /* also at those that nobody had read */
    df_dataset_free(set);

    add_pair("later", "train", 38, 1, 0);
    set = open_set("later", DF_SPLIT_TRAIN, 2, NULL);
    const struct df_dataset *const better[] = {set};
    assert_int_equal(df_labels_look(better, 1), 0);
    read_all(set, 32, 36);
    assert_int_equal(df_labels_check(better, 1), 0); /* the 39th mask was not read, and tells */
    df_dataset_free(set);
}

static void no_labels_at_all(void **state)
{
    for (int i = 0; i < 40; i++)
        add_pair("void", "train", i, 255, 255);
    struct df_dataset *set = open_set("void", DF_SPLIT_TRAIN, 3, NULL);
    assert_int_equal(df_labels_look((const struct df_dataset *const[]){set}, 1), -1);
    assert_error_has("no pixel of the 40 masks in");
    assert_error_has("void/masks/train has a label");
    assert_error_has("--mask_values");
    df_dataset_free(set);

    add_pair("void", "train", 37, 2, 255);
    set = open_set("void", DF_SPLIT_TRAIN, 3, "0,1,2");
    assert_int_equal(df_labels_look((const struct df_dataset *const[]){set}, 1), 0);
    assert_false(df_label_census_has(set->census, 38)); /* nothing is read once there is a label */
    df_dataset_free(set);

    set = open_set("void", DF_SPLIT_TRAIN, 2, "0,255"); /* and here 255 is one */
    assert_int_equal(df_labels_look((const struct df_dataset *const[]){set}, 1), 0);
    df_dataset_free(set);
}

/* Masks of a few values, of which n_classes classes do not have the largest. */
static void assert_explained(const char *root, int n_classes, const int values[3], const char *words)
{
    for (int i = 0; i < 3; i++)
        add_pair(root, "train", i, values[i], values[0]);
    struct df_dataset *set = open_set(root, DF_SPLIT_TRAIN, n_classes, NULL);
    assert_int_equal(df_labels_look((const struct df_dataset *const[]){set}, 1), -1);
    assert_error_has("; the largest allowed is ");
    if (words)
        assert_error_has(words);
    else
        assert_null(strstr(df_error_text(), "looked at"));
    df_dataset_free(set);
}

static void values_that_are_no_classes_are_explained(void **state)
{
    assert_explained("ids", 3, (const int[]){1, 255, 3},
                     ": the masks hold 1 to 3 and no 0 (3 of 3 masks looked at): --mask_values 1..3 if");
    assert_explained("zero", 3, (const int[]){0, 2, 3},
                     "--n_classes 4 if 0 is a class, --mask_values 1..3 --ignore");
    assert_explained("city", 19, (const int[]){7, 0, 33}, "--mask_values cityscapes");
    assert_explained("other", 3, (const int[]){0, 1, 128}, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_values_are_the_classes),
        cmocka_unit_test(values_that_are_not_listed),
        cmocka_unit_test(bytes_are_counted),
        cmocka_unit_test(each_mask_counts_once),
        cmocka_unit_test(two_values_of_which_one_is_255),
        cmocka_unit_test(two_values_that_show_later),
        cmocka_unit_test(no_labels_at_all),
        cmocka_unit_test(values_that_are_no_classes_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
