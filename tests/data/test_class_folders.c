/* Masks that are a folder of binary ones for each class. */
#include "data/scratch_images.h"
#include "dinoft/dataset.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WIDTH  4
#define HEIGHT 1

/* A binary mask: its first pixels are of the class. */
static void write_layer(const char *name, int pixels, int value)
{
    static const uint8_t palette[256][3];
    struct df_image mask;

    assert_int_equal(df_image_alloc(&mask, WIDTH, HEIGHT, 1), 0);
    for (int i = 0; i < WIDTH; i++)
        mask.pixels[i] = (uint8_t)(i < pixels ? value : 0);
    assert_int_equal(df_png_write_palette(scratch_path(name), &mask, palette), 0);
    df_image_free(&mask);
}

/* Images a and b; b shows no tree. */
static int make_folders(void **state)
{
    scratch_image("d/images/train/a.png", WIDTH, HEIGHT, 9);
    scratch_image("d/images/train/b.png", WIDTH, HEIGHT, 9);
    scratch_image("d/images/val/c.png", WIDTH, HEIGHT, 9);
    write_layer("d/masks/train/car/a.png", 3, 255);
    write_layer("d/masks/train/car/b.png", 1, 1);
    write_layer("d/masks/train/tree/a.png", 1, 255);
    write_layer("d/masks/val/sky/c.png", 2, 255);
    return 0;
}

static struct df_dataset *try_open(struct df_dataset_options options)
{
    options.kind = DF_DATASET_FOLDER;
    options.root = scratch_path("d");
    return df_dataset_open(&options);
}

static void assert_mask(const struct df_dataset *set, int64_t index, const uint8_t expected[WIDTH])
{
    struct df_image mask, image;

    assert_works(df_dataset_read(set, index, &image, &mask) == 0);
    assert_memory_equal(mask.pixels, expected, WIDTH);
    df_image_free(&mask);
    df_image_free(&image);
}

static void folders_are_classes(void **state)
{
    struct df_dataset *set = try_open((struct df_dataset_options){.split = DF_SPLIT_TRAIN});

    assert_works(set);
    assert_int_equal(set->count, 2);
    assert_int_equal(set->n_classes, 4);
    assert_string_equal(set->class_names[0], "background");
    assert_string_equal(set->class_names[1], "car");
    assert_string_equal(set->class_names[2], "sky");
    assert_string_equal(set->class_names[3], "tree");
    assert_string_equal(set->mask_values, "background/,car/,sky/,tree/");
    assert_true(set->samples[0].mask_bytes > set->samples[1].mask_bytes);
    assert_mask(set, 0, (const uint8_t[]){3, 1, 1, 0});
    assert_mask(set, 1, (const uint8_t[]){1, 0, 0, 0});
    df_dataset_free(set);
    set = try_open((struct df_dataset_options){.split = DF_SPLIT_VAL});
    assert_works(set);
    assert_int_equal(set->n_classes, 4);
    assert_mask(set, 0, (const uint8_t[]){2, 2, 0, 0});
    df_dataset_free(set);
    assert_true(df_dataset_has_class_folders(scratch_path("d")));
    assert_false(df_dataset_has_class_folders(scratch_path("other")));
}

/* Of the classes, not of what lies over what: trees over cars. */
static void the_list_gives_the_order(void **state)
{
    struct df_dataset_options options = {
        .split = DF_SPLIT_TRAIN,
        .class_names =
            scratch_write_text("n", "[\"tree\", {\"name\": \"car\", \"color\": \"#010203\"}, \"sky\"]")};
    struct df_dataset *set = try_open(options);

    assert_works(set);
    assert_int_equal(set->n_classes, 4);
    assert_string_equal(set->class_names[1], "tree");
    assert_int_equal(set->class_colors[2][1], 2);
    assert_mask(set, 0, (const uint8_t[]){1, 2, 2, 0});
    df_dataset_free(set);
    set = try_open(
        (struct df_dataset_options){.split = DF_SPLIT_TRAIN, .mask_values = "tree/,background/+sky/,car/"});
    assert_works(set);
    assert_int_equal(set->n_classes, 3);
    assert_string_equal(set->class_names[1], "background");
    assert_mask(set, 0, (const uint8_t[]){0, 2, 2, 1});
    df_dataset_free(set);
}

/* What lies over what is as without merging. */
static void folders_merge(void **state)
{
    struct df_dataset *set = try_open((struct df_dataset_options){
        .split = DF_SPLIT_TRAIN, .merge_classes = "car+tree=thing", .ignore_classes = "background"});

    assert_works(set);
    assert_int_equal(set->n_classes, 2);
    assert_string_equal(set->mask_values, "car/+tree/,sky/");
    assert_string_equal(set->ignored_values, "background/");
    assert_mask(set, 0, (const uint8_t[]){0, 0, 0, 255});
    struct df_dataset *again = try_open((struct df_dataset_options){
        .split = DF_SPLIT_TRAIN, .mask_values = set->mask_values, .ignore_value = set->ignored_values});
    assert_works(again);
    assert_mask(again, 0, (const uint8_t[]){0, 0, 0, 255});
    df_dataset_free(again);
    df_dataset_free(set);
}

static void refused(struct df_dataset_options options, const char *words)
{
    options.split = DF_SPLIT_TRAIN;
    assert_null(try_open(options));
    assert_error_has(words);
}

static void wrong_folders(void **state)
{
    struct df_image mask;

    refused((struct df_dataset_options){.n_classes = 3}, "the folders of masks are 4, for 3 classes");
    refused((struct df_dataset_options){.palette = "voc"}, "a folder for each class");
    refused((struct df_dataset_options){.mask_values = "0,1"}, "a folder for each class");
    refused((struct df_dataset_options){.mask_values = "car/,tree/,sky/"}, "background/");
    refused((struct df_dataset_options){.mask_values = "background/,car/,tree/"}, "a folder 'sky'");
    scratch_image("d/images/train/bare.png", WIDTH, HEIGHT, 9);
    refused((struct df_dataset_options){0}, "1 images of");
    assert_error_has("bare.png");
    assert_int_equal(unlink(scratch_path("d/images/train/bare.png")), 0);
    write_layer("d/masks/train/tree/lonely.png", 1, 255);
    refused((struct df_dataset_options){0}, "tree/lonely.png");
    assert_int_equal(unlink(scratch_path("d/masks/train/tree/lonely.png")), 0);
    scratch_mask("d/masks/train/tree/b.png", WIDTH, HEIGHT + 1, 1);
    struct df_dataset *set = try_open((struct df_dataset_options){.split = DF_SPLIT_TRAIN});
    assert_works(set);
    assert_int_equal(df_dataset_read(set, 1, NULL, &mask), -1);
    assert_error_has("tree/b.png has 4 x 2");
    df_dataset_free(set);
    scratch_image("d/masks/train/tree/b.png", WIDTH, HEIGHT, 9);
    set = try_open((struct df_dataset_options){.split = DF_SPLIT_TRAIN});
    assert_works(set);
    assert_mask(set, 1, (const uint8_t[]){3, 3, 3, 3});
    df_dataset_free(set);
    assert_int_equal(unlink(scratch_path("d/masks/train/tree/b.png")), 0);
    write_layer("d/masks/train/stray.png", 1, 1);
    refused((struct df_dataset_options){0}, "masks/train has files, ");
    assert_error_has("masks/val has folders");
    assert_int_equal(unlink(scratch_path("d/masks/train/stray.png")), 0);
    scratch_write_text("d/masks/train/readme.txt", "");
    set = try_open((struct df_dataset_options){.split = DF_SPLIT_TRAIN});
    assert_works(set);
    df_dataset_free(set);
}

static struct df_dataset *open_whole(const char *root, double fraction)
{
    return df_dataset_open(&(struct df_dataset_options){.kind = DF_DATASET_FOLDER,
                                                        .root = scratch_path(root),
                                                        .n_classes = 0,
                                                        .split = DF_SPLIT_VAL,
                                                        .layout.val_fraction = fraction});
}

/* Also where no folders divide the images. */
static void folders_of_all_images(void **state)
{
    scratch_image("whole/images/a.png", WIDTH, HEIGHT, 9);
    scratch_image("whole/images/b.png", WIDTH, HEIGHT, 9);
    write_layer("whole/masks/train/a.png", 3, 255); /* trains are a class of VOC's */
    write_layer("whole/masks/car/b.png", 1, 1);
    struct df_dataset *set = open_whole("whole", 1.0);
    assert_works(set);
    assert_int_equal(set->count, 2);
    assert_string_equal(set->mask_values, "background/,car/,train/");
    assert_mask(set, 0, (const uint8_t[]){2, 2, 2, 0});
    df_dataset_free(set);
    set = open_whole("whole", 0.5);
    assert_works(set);
    assert_int_equal(set->count, 1);
    df_dataset_free(set);
    write_layer("whole/masks/val/a.png", 3, 255); /* folders of splits are no classes */
    assert_null(open_whole("whole", 1.0));
    assert_false(df_dataset_has_class_folders(scratch_path("whole")));
}

static void files_are_no_folders(void **state)
{
    scratch_image("files/images/train/a.png", WIDTH, HEIGHT, 9);
    scratch_mask("files/masks/train/a.png", WIDTH, HEIGHT, 1);
    struct df_dataset_options options = {.kind = DF_DATASET_FOLDER,
                                         .root = scratch_path("files"),
                                         .split = DF_SPLIT_TRAIN,
                                         .mask_values = "background/,car/"};
    assert_null(df_dataset_open(&options));
    assert_error_has("are files");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_classes),   cmocka_unit_test(the_list_gives_the_order),
        cmocka_unit_test(folders_merge),         cmocka_unit_test(wrong_folders),
        cmocka_unit_test(folders_of_all_images), cmocka_unit_test(files_are_no_folders),
    };
    return cmocka_run_group_tests(tests, make_folders, scratch_remove);
}
