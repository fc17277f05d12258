/* Lists, label maps and everything that can be wrong with a data set. */
#include "dinoft/dataset.h"
#include "data/scratch_images.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct df_dataset *open_kind(enum df_dataset_kind kind, const char *root, int n_classes)
{
    struct df_dataset_options options = {
        .kind = kind, .root = scratch_path(root), .split = DF_SPLIT_TRAIN, .n_classes = n_classes};
    return df_dataset_open(&options);
}

static void assert_refused(enum df_dataset_kind kind, const char *root, int n_classes, const char *words)
{
    struct df_dataset *dataset = open_kind(kind, root, n_classes);
    assert_null(dataset);
    assert_error_has(words);
}

static void add_voc(const char *root, const char *name, int width, int height, int label)
{
    char path[256];

    snprintf(path, sizeof path, "%s/VOCdevkit/VOC2012/JPEGImages/%s.jpg", root, name);
    scratch_image(path, width, height, 90);
    snprintf(path, sizeof path, "%s/VOCdevkit/VOC2012/SegmentationClass/%s.png", root, name);
    scratch_mask(path, width, height, label);
}

static void list_voc(const char *root, const char *list)
{
    char path[256];
    snprintf(path, sizeof path, "%s/VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt", root);
    scratch_write_text(path, list);
}

static void voc_list_and_labels(void **state)
{
    struct df_image image, mask;

    add_voc("voc", "2007_b", 12, 8, 255);
    add_voc("voc", "2007_a", 9, 7, 20);
    list_voc("voc", "\n 2007_b \r\n\n\t2007_a");
    struct df_dataset *dataset = open_kind(DF_DATASET_VOC, "voc", 0);
    assert_non_null(dataset);
    assert_int_equal(dataset->count, 2);
    assert_int_equal(dataset->n_classes, 21);
    assert_string_equal(dataset->class_names[15], "person");
    assert_string_equal(dataset->samples[0].name, "2007_b");
    assert_string_equal(dataset->samples[1].name, "2007_a");
    assert_int_equal(df_dataset_read(dataset, 1, &image, &mask), 0);
    assert_int_equal(image.width, 9);
    assert_int_equal(image.channels, 3);
    assert_int_equal(mask.height, 7);
    assert_int_equal(mask.pixels[0], 20);
    df_image_free(&image);
    df_image_free(&mask);
    assert_int_equal(df_dataset_read(dataset, 0, NULL, &mask), 0);
    assert_int_equal(mask.pixels[95], 255);
    df_image_free(&mask);
    df_dataset_free(dataset);
}

static void voc_void_as_background(void **state)
{
    struct df_dataset_options options = {.kind = DF_DATASET_VOC, .void_as_background = true};
    struct df_image mask;

    add_voc("void", "a", 4, 4, 255);
    list_voc("void", "a\n");
    options.root = scratch_path("void");
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_non_null(dataset);
    assert_int_equal(df_dataset_read(dataset, 0, NULL, &mask), 0);
    assert_int_equal(mask.pixels[5], 0);
    df_image_free(&mask);
    df_dataset_free(dataset);
}

/* The lists of the larger training set, as they go around. */
static void voc_lists_of_files(void **state)
{
    struct df_dataset_options options = {.kind = DF_DATASET_VOC, .list = "trainaug"};
    static const char folder[] = "aug/VOCdevkit/VOC2012/";

    add_voc("aug", "a", 4, 4, 1);
    add_voc("aug", "b", 4, 4, 2);
    add_voc("aug", "c", 4, 4, 3);
    scratch_mask("aug/VOCdevkit/VOC2012/SegmentationClassAug/a.png", 4, 4, 7);
    scratch_mask("aug/VOCdevkit/VOC2012/SegmentationClassAug/c.png", 4, 4, 8);
    assert_int_equal(unlink(scratch_path("aug/VOCdevkit/VOC2012/SegmentationClass/c.png")), 0);
    scratch_write_text(
        "aug/VOCdevkit/VOC2012/ImageSets/Segmentation/trainaug.txt",
        "/JPEGImages/a.jpg /SegmentationClassAug/a.png\r\nJPEGImages/b.jpg \tSegmentationClass/b.png\nc\n");
    options.root = scratch_path("aug");
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_non_null(dataset);
    assert_int_equal(dataset->count, 3);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"a", "b", "c"};
        static const uint8_t labels[] = {7, 2, 8};
        struct df_image mask;
        assert_string_equal(dataset->samples[i].name, names[i]);
        assert_non_null(strstr(dataset->samples[i].image_path, folder));
        assert_int_equal(df_dataset_read(dataset, i, NULL, &mask), 0);
        assert_int_equal(mask.pixels[0], labels[i]);
        df_image_free(&mask);
    }
    df_dataset_free(dataset);
}

/* A list may be anywhere; its lines are of one of the two forms. */
static void voc_lists_elsewhere(void **state)
{
    struct df_dataset_options options = {.kind = DF_DATASET_VOC};
    static const char *const wrong[] = {"/JPEGImages/a.jpg", "/JPEGImages/a.jpg a.png",
                                        "a /SegmentationClass/a.png", "JPEGImages/ SegmentationClass/"};

    add_voc("else", "a", 4, 4, 1);
    scratch_write_text("list.txt", "a\n");
    options.root = scratch_path("else");
    options.list = scratch_path("list.txt");
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_non_null(dataset);
    assert_int_equal(dataset->count, 1);
    df_dataset_free(dataset);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        scratch_write_text("list.txt", wrong[i]);
        assert_null(df_dataset_open(&options));
        assert_error_has(i < 3 ? "line 1 of " : "are missing");
    }
    options.list = "nowhere";
    assert_null(df_dataset_open(&options));
    assert_error_has("ImageSets/Segmentation/nowhere.txt");
}

static void voc_errors(void **state)
{
    struct df_image image, mask;

    assert_refused(DF_DATASET_VOC, "nothing", 0,
                   "nothing/VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt");
    list_voc("blank", " \n\n");
    assert_refused(DF_DATASET_VOC, "blank", 0, "lists no images");
    list_voc("path", "ok\n../../etc/passwd\n");
    assert_refused(DF_DATASET_VOC, "path", 0, "line 2 of ");
    add_voc("gone", "here", 4, 4, 0);
    list_voc("gone", "here\nm1\nm2\n");
    assert_refused(DF_DATASET_VOC, "gone", 0, "4 of the 6 files of the data set are missing");
    assert_error_has("JPEGImages/m1.jpg");
    assert_error_has("SegmentationClass/m1.png");
    assert_refused(DF_DATASET_VOC, "gone", 7, "21 classes, not 7");

    add_voc("wrong", "label", 6, 5, 21);
    add_voc("wrong", "size", 6, 5, 1);
    scratch_mask("wrong/VOCdevkit/VOC2012/SegmentationClass/size.png", 5, 6, 1);
    add_voc("wrong", "broken", 6, 5, 1);
    scratch_write_text("wrong/VOCdevkit/VOC2012/JPEGImages/broken.jpg", "\xff\xd8\xff");
    list_voc("wrong", "label\nsize\nbroken\n");
    struct df_dataset *dataset = open_kind(DF_DATASET_VOC, "wrong", 21);
    assert_non_null(dataset);
    assert_int_equal(df_dataset_read(dataset, 0, &image, &mask), -1);
    assert_null(image.pixels);
    assert_null(mask.pixels);
    assert_error_has("SegmentationClass/label.png: label 21 at column 0, row 0; the largest allowed is 20");
    assert_int_equal(df_dataset_read(dataset, 1, &image, &mask), -1);
    assert_error_has("size.jpg has 6 x 5 pixels, its mask");
    assert_error_has("size.png has 5 x 6");
    assert_int_equal(df_dataset_read(dataset, 2, &image, &mask), -1);
    assert_error_has("broken.jpg");
    df_dataset_free(dataset);
}

static void ade20k_labels(void **state)
{
    static const int expected[][2] = {{0, 255}, {1, 0}, {150, 149}};
    struct df_image image, mask;
    char path[256];

    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "ade/ADEChallengeData2016/images/training/ADE_%d.jpg", 3 - i);
        scratch_image(path, 5, 4, 10);
        snprintf(path, sizeof path, "ade/ADEChallengeData2016/annotations/training/ADE_%d.png", 3 - i);
        scratch_mask(path, 5, 4, expected[2 - i][0]);
    }
    struct df_dataset *dataset = open_kind(DF_DATASET_ADE20K, "ade", 0);
    assert_non_null(dataset);
    assert_int_equal(dataset->n_classes, 150);
    assert_string_equal(dataset->class_names[0], "wall");
    assert_string_equal(dataset->class_names[149], "flag");
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "ADE_%d", i + 1);
        assert_string_equal(dataset->samples[i].name, path);
        assert_int_equal(df_dataset_read(dataset, i, &image, &mask), 0);
        assert_int_equal(mask.pixels[7], expected[i][1]);
        df_image_free(&image);
        df_image_free(&mask);
    }
    scratch_mask("ade/ADEChallengeData2016/annotations/training/ADE_2.png", 5, 4, 151);
    assert_int_equal(df_dataset_read(dataset, 1, &image, &mask), -1);
    assert_error_has("ADE_2.png: label 151");
    assert_error_has("largest allowed is 150");
    df_dataset_free(dataset);
}

static void folder_pairs(void **state)
{
    struct df_dataset_options options = {.kind = DF_DATASET_FOLDER, .n_classes = 3};
    struct df_image mask;

    scratch_image("own/images/train/b.JPG", 5, 4, 10);
    scratch_image("own/images/train/B.png", 5, 4, 10);
    scratch_image("own/images/train/a.jpeg", 5, 4, 10);
    scratch_write_text("own/images/train/notes.txt", "");
    scratch_write_text("own/images/train/.hidden.jpg", "");
    scratch_mask("own/masks/train/a.png", 5, 4, 2);
    scratch_mask("own/masks/train/b.PNG", 5, 4, 255);
    scratch_mask("own/masks/train/B.png", 5, 4, 3);
    scratch_write_text("own/names.txt", "ground\n\n big dog \ncat\n");
    options.root = scratch_path("own");
    options.class_names = scratch_path("own/names.txt");
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_works(dataset);
    assert_int_equal(dataset->count, 3);
    assert_string_equal(dataset->samples[0].name, "B");
    assert_string_equal(dataset->samples[1].name, "a");
    assert_string_equal(dataset->samples[2].name, "b");
    assert_string_equal(dataset->class_names[1], "big dog");
    assert_int_equal(df_dataset_read(dataset, 2, NULL, &mask), 0);
    assert_int_equal(mask.pixels[0], 255);
    df_image_free(&mask);
    assert_int_equal(df_dataset_read(dataset, 0, NULL, &mask), -1);
    assert_error_has("B.png: label 3 at column 0, row 0; the largest allowed is 2");
    df_dataset_free(dataset);
}

static void folder_errors(void **state)
{
    struct df_dataset_options options = {.kind = DF_DATASET_FOLDER, .n_classes = 2};

    scratch_image("odd/images/train/a.jpg", 5, 4, 10);
    assert_refused(DF_DATASET_FOLDER, "odd", 2, "cannot open the folder");
    scratch_mask("odd/masks/train/a.png", 5, 4, 1);
    assert_refused(DF_DATASET_FOLDER, "odd", 0, "number of classes");
    assert_refused(DF_DATASET_FOLDER, "odd", 256, "number of classes");
    struct df_dataset *dataset = open_kind(DF_DATASET_FOLDER, "odd", 255);
    assert_non_null(dataset);
    assert_string_equal(dataset->class_names[254], "class_254");
    df_dataset_free(dataset);

    scratch_write_text("odd/names.txt", "one\n");
    options.root = scratch_path("odd");
    options.class_names = scratch_path("odd/names.txt");
    assert_null(df_dataset_open(&options));
    assert_error_has("has 1 names for 2 classes");
    scratch_write_text("odd/names.txt", "one\ntwo\nthree");
    assert_null(df_dataset_open(&options));
    assert_error_has("has 3 names for 2 classes");

    scratch_mask("odd/masks/train/lonely.png", 5, 4, 1);
    assert_refused(DF_DATASET_FOLDER, "odd", 2, "lonely.png (an image and its mask have equal base names");
    assert_int_equal(unlink(scratch_path("odd/masks/train/lonely.png")), 0);
    scratch_image("odd/images/train/bare.jpg", 5, 4, 10);
    assert_refused(DF_DATASET_FOLDER, "odd", 2, "masks/train/bare.png");
    assert_int_equal(unlink(scratch_path("odd/images/train/bare.jpg")), 0);
    scratch_image("odd/images/train/a.png", 5, 4, 10);
    assert_refused(DF_DATASET_FOLDER, "odd", 2, "same base name");

    scratch_write_text("hollow/images/train/readme.txt", "");
    scratch_write_text("hollow/masks/train/readme.txt", "");
    assert_refused(DF_DATASET_FOLDER, "hollow", 2, "has no images");
}

static void sizes_of_the_built_in_sets(void **state)
{
    enum df_dataset_kind kind;

    assert_true(df_dataset_of_size(21, &kind) && kind == DF_DATASET_VOC);
    assert_true(df_dataset_of_size(150, &kind) && kind == DF_DATASET_ADE20K);
    assert_false(df_dataset_of_size(0, &kind));
    assert_false(df_dataset_of_size(22, &kind));
}

static void real_voc(void **state)
{
    static const char root[] = DINOFT_SOURCE_DIR "/../shared/data/voc";
    struct df_dataset_options options = {.kind = DF_DATASET_VOC, .root = root, .split = DF_SPLIT_VAL};
    struct df_image image, mask;

    if (access(root, R_OK) != 0) {
        print_message("skipped: %s is not there\n", root);
        skip();
    }
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_works(dataset);
    for (int64_t i = 0; i < dataset->count; i += 7) {
        assert_works(df_dataset_read(dataset, i, &image, &mask) == 0);
        df_image_free(&image);
        df_image_free(&mask);
    }
    df_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(voc_list_and_labels),
        cmocka_unit_test(voc_void_as_background),
        cmocka_unit_test(voc_lists_of_files),
        cmocka_unit_test(voc_lists_elsewhere),
        cmocka_unit_test(voc_errors),
        cmocka_unit_test(ade20k_labels),
        cmocka_unit_test(folder_pairs),
        cmocka_unit_test(folder_errors),
        cmocka_unit_test(sizes_of_the_built_in_sets),
        cmocka_unit_test(real_voc),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
