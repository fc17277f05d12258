/* The demonstration data: the same for a seed, complete, and readable as VOC. */
#include "dinoft/dataset.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int classes[] = {1, 3, 4, 5, 7, 17, 20};

static struct df_dataset *open_demo(const char *root, enum df_split split)
{
    struct df_dataset_options options = {.kind = DF_DATASET_VOC, .root = scratch_path(root), .split = split};
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_works(dataset);
    return dataset;
}

static void complete_and_plausible(void **state)
{
    struct df_image image, mask;
    int64_t pixels[256] = {0}, total = 0;
    bool wide = false, high = false;

    assert_int_equal(df_demo_data_write(scratch_path("demo"), 14, 2, 3), 0);
    struct df_dataset *dataset = open_demo("demo", DF_SPLIT_TRAIN);
    assert_int_equal(dataset->count, 14);
    for (int64_t i = 0; i < dataset->count; i++) {
        assert_works(df_dataset_read(dataset, i, &image, &mask) == 0);
        wide = wide || image.width > image.height;
        high = high || image.width < image.height;
        total += mask.width * mask.height;
        for (int64_t k = 0; k < mask.width * mask.height; k++)
            pixels[mask.pixels[k]]++;
        df_image_free(&image);
        df_image_free(&mask);
    }
    assert_true(wide && high);
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        assert_true(pixels[classes[i]] * 300 > total);
        total -= pixels[classes[i]];
        pixels[classes[i]] = 0;
    }
    assert_true(pixels[255] > 0 && pixels[255] < total / 10);
    assert_int_equal(pixels[0] + pixels[255], total);
    df_dataset_free(dataset);
    dataset = open_demo("demo", DF_SPLIT_VAL);
    assert_int_equal(dataset->count, 2);
    df_dataset_free(dataset);
}

static uint64_t file_hash(const char *name)
{
    size_t size;
    unsigned char *bytes = read_whole(scratch_path(name), &size);
    uint64_t hash = hash_bytes(bytes, size);
    free(bytes);
    return hash;
}

static void same_bytes_for_a_seed(void **state)
{
    static const char *const files[] = {"JPEGImages/train_00001.jpg", "SegmentationClass/train_00001.png",
                                        "JPEGImages/val_00000.jpg", "SegmentationClass/val_00000.png"};
    char one[128], two[128], other[128];

    assert_int_equal(df_demo_data_write(scratch_path("one"), 2, 1, 11), 0);
    assert_int_equal(df_demo_data_write(scratch_path("two"), 3, 2, 11), 0);
    assert_int_equal(df_demo_data_write(scratch_path("other"), 2, 1, 12), 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(one, sizeof one, "one/VOCdevkit/VOC2012/%s", files[i]);
        snprintf(two, sizeof two, "two/VOCdevkit/VOC2012/%s", files[i]);
        snprintf(other, sizeof other, "other/VOCdevkit/VOC2012/%s", files[i]);
        assert_true(file_hash(one) == file_hash(two));
        assert_true(file_hash(one) != file_hash(other));
    }
}

/* Fixed on every machine and by every compiler. */
static void known_pixels(void **state)
{
    struct df_dataset *dataset;
    struct df_image image, mask;

    assert_int_equal(df_demo_data_write(scratch_path("known"), 1, 1, 1), 0);
    dataset = open_demo("known", DF_SPLIT_TRAIN);
    assert_int_equal(df_dataset_read(dataset, 0, &image, &mask), 0);
    assert_true(hash_bytes(mask.pixels, (size_t)(mask.width * mask.height)) == 0xc7feb71f841f782fu);
    assert_true(hash_bytes(image.pixels, (size_t)(3 * image.width * image.height)) == 0x6e0943ab7c00dd86u);
    df_image_free(&image);
    df_image_free(&mask);
    df_dataset_free(dataset);
}

static void impossible_counts(void **state)
{
    assert_int_equal(df_demo_data_write(scratch_path("none"), 0, 1, 1), -1);
    assert_error_has("not 0 and 1");
}

#define LISTS "VOCdevkit/VOC2012/ImageSets/Segmentation/"

static void another_data_set_is_not_overwritten(void **state)
{
    static const struct {
        const char *root, *list, *text, *line;
    } cases[] = {
        {"real1", "train", "train_00001\n2007_000032\n", "line 2 is \"2007_000032\""},
        {"real2", "val", "val_00001x\n", "val_00001x"},
        {"real3", "trainval", "val_000001\n", "val_000001"},
        {"real4", "trainval", "train_0001", "train_0001"},
        {"real5", "val", "train-00001", "train-00001"},
        {"real6", "val", "vail_00001", "vail_00001"},
        {"real7", "val", "00001", "00001"},
    };
    char list[128];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size;
        snprintf(list, sizeof list, "%s/" LISTS "%s.txt", cases[i].root, cases[i].list);
        scratch_write_text(list, cases[i].text);
        assert_int_equal(df_demo_data_write(scratch_path(cases[i].root), 1, 1, 1), -1);
        assert_error_has(list);
        assert_error_has(cases[i].line);
        unsigned char *left = read_whole(scratch_path(list), &size);
        assert_int_equal(size, strlen(cases[i].text));
        assert_memory_equal(left, cases[i].text, size);
        free(left);
        snprintf(list, sizeof list, "%s/VOCdevkit/VOC2012/JPEGImages", cases[i].root);
        assert_int_equal(access(scratch_path(list), F_OK), -1); /* nothing was begun */
    }
}

static void an_older_demonstration_is_overwritten(void **state)
{
    scratch_write_text("again/" LISTS "val.txt", ""); /* an empty list belongs to nobody */
    assert_int_equal(df_demo_data_write(scratch_path("again"), 3, 2, 1), 0);
    assert_int_equal(df_demo_data_write(scratch_path("again"), 2, 1, 2), 0);
    struct df_dataset *dataset = open_demo("again", DF_SPLIT_TRAIN);
    assert_int_equal(dataset->count, 2);
    df_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_and_plausible),
        cmocka_unit_test(same_bytes_for_a_seed),
        cmocka_unit_test(known_pixels),
        cmocka_unit_test(impossible_counts),
        cmocka_unit_test(another_data_set_is_not_overwritten),
        cmocka_unit_test(an_older_demonstration_is_overwritten),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
