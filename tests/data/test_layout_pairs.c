/* Pairs of images and masks by patterns of paths, and by tables. */
#include "data/layout_files.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- patterns --- */

/* Below the scratch folder. */
static const char *below(const char *pattern)
{
    static char texts[8][256];
    static int next;
    char *text = texts[next++ % 8];

    snprintf(text, sizeof texts[0], "%s/%s", scratch_folder(), pattern);
    return text;
}

static struct df_dataset_options by_patterns(const char *images, const char *masks)
{
    struct df_dataset_options options = {.kind = DF_DATASET_FOLDER, .root = "./data", .n_classes = 2};

    options.split = DF_SPLIT_VAL;
    options.layout.images = below(images);
    options.layout.masks = below(masks);
    options.layout.val_fraction = 1.0;
    return options;
}

static void assert_has(const struct df_dataset_options *options, bool expected)
{
    bool has = !expected;

    assert_works(df_dataset_has_split(options, &has) == 0);
    assert_true(has == expected);
}

static void assert_patterns(const char *images, const char *masks, const char *names)
{
    const struct df_dataset_options options = by_patterns(images, masks);
    assert_string_equal(layout_names(&options), names);
}

static void assert_patterns_refused(const char *images, const char *masks, const char *words)
{
    const struct df_dataset_options options = by_patterns(images, masks);
    layout_refused(&options, words);
}

static void masks_by_patterns(void **state)
{
    layout_file("p", "a/", "1", ".jpg");
    layout_file("p", "a/", "1_mask", ".png");
    layout_file("p", "a/deep/er/", "2", ".png");
    layout_file("p", "a/deep/er/", "2_mask", ".png");
    layout_file("p", "a/.hidden/", "3", ".jpg");
    layout_file("p", "a/", "._4", ".jpg");
    assert_patterns("p/**/*.jpg", "p/**/{name}_mask.png", "1");
    assert_patterns("p/**/*.png", "p/**/{name}_mask.png", "2"); /* a mask is no image */
    assert_patterns("p/**/?.*", "p/**/{name}_mask.png", "1,2");
    assert_patterns("p/a/*", "p/*/{name}_mask.png", "1");
    assert_patterns("p/a/**/*/er/**/*.png", "p/**/{name}_mask.png", "2");
    assert_patterns_refused("p/**/*.jpg", "p/{name}_mask.png", "1 of the 1 images of --images ");
    assert_error_has("has no mask by --masks ");
    assert_patterns_refused("p/**/*.gif", "p/{name}_mask.png", "no file matches --images ");
    assert_patterns_refused("p/**/*.png", "p/**/{name}.png", "finds the masks alone");
    assert_patterns_refused("p/**/*.png", "p/**/*.png", "has no {name}");
    assert_patterns_refused("p/**", "p/{name}.png", "names folders and no files");
    assert_patterns_refused("p/a**/*.png", "p/{name}.png", "** that is not alone");
    assert_patterns_refused("p/*.png", "p/{name}*.png", "a * beside {name}");
    assert_patterns_refused("p/{nam}.png", "p/{name}.png", "neither {name} nor {split}");
    assert_patterns_refused("p/*.png", "p/{split}/{name}.png", "has {split}, and --images");
}

/* One folder for each sample, and equal names in different folders. */
static void folders_by_patterns(void **state)
{
    layout_file("f", "x/images/", "1", ".jpg");
    layout_file("f", "x/masks/", "1", ".png");
    layout_file("f", "y/images/", "1", ".jpg");
    assert_patterns("f/x/images/*.jpg", "f/**/{name}.png", "1");
    assert_patterns_refused("f/**/*.jpg", "f/**/{name}.png",
                            "1 image has the mask of another one by --masks ");
    assert_error_has("f/x/masks/1.png (of ");
    assert_patterns_refused("f/**/images/*.jpg", "f/**/masks/{name}.png", "1 of the 2 images ");
    assert_error_has("in the same folders, as others have: ");
    assert_error_has("f/y/images/1.jpg");
    layout_file("f", "y/masks/", "1", ".png");
    assert_patterns("f/**/images/*.jpg", "f/**/masks/{name}.png", "x/images/1,y/images/1");
    assert_patterns("f/*/images/*.jpg", "f/?/masks/{name}.png", "x/images/1,y/images/1");
    assert_patterns_refused("f/*/images/*.jpg", "f/**/{name}.png", "2 of the 2 images ");
    assert_error_has("have more than one mask ");
    assert_error_has("x/images/1.jpg (");
    layout_file("f", "x/masks/", "1b", ".png");
    layout_file("f", "x/masks/", "1c", ".png");
    assert_patterns_refused("f/x/images/*.jpg", "f/x/masks/{name}?.png", "1 of the 1 images ");
    layout_file("s", "a/", "image", ".png");
    layout_file("s", "a/", "mask", ".png");
    layout_file("s", "b/", "image", ".png");
    layout_file("s", "b/", "mask", ".png");
    assert_patterns("s/{name}/image.png", "s/{name}/mask.png", "a,b");
    assert_int_equal(symlink(".", scratch_path("s/back")), 0);
    assert_patterns("s/**/{name}/image.png", "s/**/{name}/mask.png", "a,b");
}

static void splits_by_patterns(void **state)
{
    layout_file("t", "train/", "1", ".jpg");
    layout_file("t", "valid/", "2", ".jpg");
    layout_file("t", "test/", "3", ".jpg");
    layout_file("t", "masks/", "train_1", ".png");
    layout_file("t", "masks/", "valid_2", ".png");
    struct df_dataset_options options = by_patterns("t/{split}/*.jpg", "t/masks/{split}_{name}.png");
    layout_refused(&options,
                   "--val_fraction is for images that nothing else divides: the layout is --images ");
    options.layout.val_fraction = 0.0;
    assert_string_equal(layout_names(&options), "2");
    options.split = DF_SPLIT_TRAIN;
    assert_string_equal(layout_names(&options), "1");
    options.layout.images = below("t/{split}/1.jpg");
    options.split = DF_SPLIT_VAL;
    assert_has(&options, false);
    options.split = DF_SPLIT_TRAIN;
    assert_has(&options, true);
    options.layout.images = below("t/{split}/2.jpg");
    layout_refused(&options, "is of the split train or training");
}

/* --- tables --- */

static struct df_dataset_options by_table(const char *text)
{
    struct df_dataset_options options = {.kind = DF_DATASET_FOLDER, .root = "./data", .n_classes = 2};
    static char path[256];

    snprintf(path, sizeof path, "%s", scratch_write_text("c/table.csv", text));
    options.layout.pairs = path;
    return options;
}

static void assert_table(const char *text, const char *names)
{
    const struct df_dataset_options options = by_table(text);
    assert_string_equal(layout_names(&options), names);
}

static void assert_table_refused(const char *text, const char *words)
{
    const struct df_dataset_options options = by_table(text);
    layout_refused(&options, words);
}

static void tables(void **state)
{
    layout_file("c", "i/", "a", ".jpg");
    layout_file("c", "i/", "b", ".jpg");
    layout_file("c", "i/", "c \"d\", e", ".jpg");
    layout_file("c", "j/", "a", ".jpg");
    layout_file("c", "m/", "a", ".png");
    layout_file("c", "m/", "b", ".png");
    assert_table("image,mask,split\ni/b.jpg,m/b.png,train\ni/a.jpg,m/a.png,val\n", "b");
    assert_table("\xef\xbb\xbfSplit;Mask;Image\r\ntrain; m/b.png ;i/b.jpg\r\n\r\nTraining;m/a.png;i/a.jpg",
                 "b,a");
    assert_table("mask\timage\tnote\tsplit\nm/a.png\ti/a.jpg\t\ttrain\nm/b.png\ti/b.jpg\tx\ttest\n", "a");
    assert_table("image,mask,split\n\"i/c \"\"d\"\", e.jpg\",\"m/a.png\",\"train\"\n", "c \"d\", e");
    assert_table("image,mask,split\ni/a.jpg,m/a.png,train\nj/a.jpg,m/a.png,train\n", "i/a,j/a");
    assert_table_refused("image,mask\ni/a.jpg,m/a.png\n", "nothing says which images validate");
    assert_table_refused("image,split\n", "names no columns image and mask");
    assert_table_refused("", "names no columns image and mask");
    assert_table_refused("image,mask,split\n", "no image of ");
    assert_table_refused("image,mask,split\ni/a.jpg,m/a.png,test\n", "there is 'test'");
    assert_table_refused("image,mask,split\ni/a.jpg,m/a.png\n", "line 2 of ");
    assert_error_has("has 2 fields, the header has 3");
    assert_table_refused("image,mask,split\ni/a.jpg,,train\n", "names no mask");
    assert_table_refused("image,mask,split\n\n\"i/a.jpg,m,train\n", "line 3 of ");
    assert_error_has("a quote is not closed");
    assert_table_refused("image,mask,split\ni/a.jpg,\"m\"x,train\n", "behind the closing quote");
    assert_table_refused("image,mask,split\ni/a.jpg,m\"x,train\n", "a quote within a field");
    assert_table_refused(
        "image,mask,split\ni/a.jpg,m/a.png,train\ni/b.jpg,m/b.png,val\ni/a.jpg,m/a.png,val\n",
        "lines 2 and 4 of ");
    assert_error_has("name the same image, ");
    assert_error_has("i/a.jpg");
    assert_table_refused("image,mask,split\ni/a.jpg,m/a.png,train\n./i//a.jpg,m/a.png,val\n",
                         "lines 2 and 3 of ");
    assert_table_refused("image,mask,split\ni/x.jpg,m/a.png,train\n", "c/i/x.jpg");
    struct df_dataset_options options = by_table("image,mask\ni/a.jpg,m/a.png\ni/b.jpg,m/b.png");
    options.layout.val_fraction = 0.5;
    assert_int_equal(strlen(layout_names(&options)), 1);
    options.layout.val_fraction = 0.0;
    options.layout.train_list = scratch_write_text("c/list", "b.jpg\n");
    assert_string_equal(layout_names(&options), "b");
    options.split = DF_SPLIT_VAL;
    assert_has(&options, false);
    options = by_table("image,mask,split\nx,y,train\n");
    assert_has(&options, true);
    options.split = DF_SPLIT_VAL;
    assert_has(&options, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_by_patterns),
        cmocka_unit_test(folders_by_patterns),
        cmocka_unit_test(splits_by_patterns),
        cmocka_unit_test(tables),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
