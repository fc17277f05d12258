/* Folders of images and masks: what makes a pair, and what is said of all that makes none. */
#include "dinoft/dataset.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void add(const char *root, const char *folder, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s/train/%s", root, folder, name);
    scratch_write_text(path, "");
}

static void drop(const char *root, const char *folder, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s/train/%s", root, folder, name);
    assert_int_equal(unlink(scratch_path(path)), 0);
}

/* A folder with one good pair. */
static void begin(const char *root)
{
    add(root, "images", "good.jpg");
    add(root, "masks", "good.png");
}

static struct df_dataset *open_root(const char *root)
{
    const struct df_dataset_options options = {
        .kind = DF_DATASET_FOLDER, .root = scratch_path(root), .n_classes = 2};
    return df_dataset_open(&options);
}

static void assert_refused(const char *root, const char *words)
{
    assert_null(open_root(root));
    assert_error_has(words);
}

static void assert_pairs(const char *root, int64_t count)
{
    struct df_dataset *dataset = open_root(root);
    assert_works(dataset);
    assert_int_equal(dataset->count, count);
    df_dataset_free(dataset);
}

static void halves_that_are_not_read(void **state)
{
    begin("half");
    add("half", "images", "a.heic");
    add("half", "masks", "a.png");
    assert_refused("half", "1 file of pairs cannot be read: ");
    assert_error_has("half/images/train/a.heic (HEIC)");
    assert_error_has(".jpg, .jpeg, .png");
    assert_error_has("masks with .png, .tif, .tiff: convert");
    add("half", "images", "b.jpg");
    add("half", "masks", "b.WEBP");
    assert_refused("half", "2 files of pairs cannot be read: ");
    assert_error_has("a.heic (HEIC), ");
    assert_error_has("half/masks/train/b.WEBP (WebP);");
    drop("half", "images", "a.heic");
    drop("half", "masks", "a.png");
    assert_refused("half", "1 file of pairs cannot be read: ");
    drop("half", "masks", "b.WEBP");
    add("half", "masks", "b.jpg"); /* JPEG is no mask */
    assert_refused("half", "half/masks/train/b.jpg;");
    drop("half", "masks", "b.jpg");
    assert_refused("half", "missing");
    assert_error_has("half/masks/train/b.png");
}

static void both_halves_are_not_read(void **state)
{
    begin("both");
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.heic", i);
        add("both", "images", name);
        add("both", "masks", name);
    }
    assert_refused("both", "5 files of pairs cannot be read: ");
    assert_error_has("0.heic (HEIC), ");
    assert_error_has("2.heic (HEIC), ...;");
}

static void other_files_are_no_pairs(void **state)
{
    begin("else");
    add("else", "images", "Thumbs.db");
    add("else", "masks", "Thumbs.db");
    add("else", "images", "README");
    add("else", "masks", "README");
    add("else", "images", "good.json"); /* a tool's own file beside an image, and beside a mask */
    add("else", "masks", "good.txt");
    add("else", "images", "good.heic"); /* the pair is whole without it */
    add("else", "images", "extra.heic");
    add("else", "images", "notes/more.txt");
    assert_pairs("else", 1);
}

/* A folder of the images has its masks in the masks' folder of that name. */
static void folders_in_folders(void **state)
{
    begin("deep");
    add("deep", "images", "ulm/1.jpg");
    add("deep", "masks", "ulm/1_mask.png");
    add("deep", "masks", "ulm/notes.txt");
    add("deep", "images", "bonn/left/1.jpg");
    add("deep", "masks", "bonn/left/1.png");
    struct df_dataset *dataset = open_root("deep");
    assert_works(dataset);
    assert_int_equal(dataset->count, 3);
    assert_string_equal(dataset->samples[0].name, "good");
    assert_string_equal(dataset->samples[1].name, "bonn/left/1");
    assert_string_equal(dataset->samples[2].name, "ulm/1");
    assert_non_null(strstr(dataset->samples[2].mask_path, "masks/train/ulm/1_mask.png"));
    df_dataset_free(dataset);
    assert_false(df_dataset_has_class_folders(scratch_path("deep")));
    drop("deep", "images", "good.jpg");
    drop("deep", "masks", "good.png");
    assert_pairs("deep", 2); /* such folders alone are no classes */
    assert_false(df_dataset_has_class_folders(scratch_path("deep")));
    add("deep", "masks", "ulm/2.png");
    assert_refused("deep", "images/train/ulm: 1_mask.png, 2.png");
    drop("deep", "masks", "ulm/2.png");
    add("deep", "images", "jena/1.jpg");
    assert_refused("deep", "images/train/jena has images or folders, and there is no folder ");
    assert_error_has("(--images and --masks find masks elsewhere, by patterns)");
    add("loop", "masks", "a/1.png");
    assert_int_equal(mkdir(scratch_path("loop/images"), 0777), 0);
    assert_int_equal(mkdir(scratch_path("loop/images/train"), 0777), 0);
    assert_int_equal(symlink(".", scratch_path("loop/images/train/a")), 0);
    assert_int_equal(symlink(".", scratch_path("loop/masks/train/a/a")), 0);
    assert_refused("loop", "folders deep");
}

static void names_decide(void **state)
{
    begin("names");
    add("names", "images", "a.jpg"); /* in the order of whole names "a-b.jpg" comes before "a.jpg" */
    add("names", "images", "a-b.jpg");
    add("names", "images", "a.b.jpg");
    add("names", "masks", "a.png");
    add("names", "masks", "a-b.PNG");
    add("names", "masks", "a.b.png");
    assert_pairs("names", 4);
    add("names", "masks", "x_mask.png");
    add("names", "masks", "y.jpg.png");
    assert_refused("names", "2 of the masks in ");
    assert_error_has("have no image in ");
    assert_error_has("x_mask.png, y.jpg.png (an image and its mask have equal base names: a.jpg and a.png)");
    drop("names", "masks", "x_mask.png");
    assert_refused("names", "1 of the masks in ");
    assert_error_has("has no image in ");
    drop("names", "masks", "y.jpg.png");
    add("names", "masks", "a.PNG");
    assert_refused("names", "two masks have the same base name: ");
    assert_error_has("a.PNG and ");
}

/* Masks are called as their images with one thing behind, if all are and each image has its own. */
static void names_with_suffixes(void **state)
{
    static const char *const suffixes[] = {"_mask", ".jpg", "-labelIds", "Mask"};
    char root[32], name[64];

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(root, sizeof root, "suffix%zu", i);
        for (int image = 9; image < 12; image++) {
            snprintf(name, sizeof name, "%d.jpg", image);
            add(root, "images", name);
            snprintf(name, sizeof name, "%d%s.png", image, suffixes[i]);
            add(root, "masks", name);
        }
        struct df_dataset *dataset = open_root(root);
        assert_works(dataset);
        assert_int_equal(dataset->count, 3);
        for (int64_t sample = 0; sample < 3; sample++) {
            snprintf(name, sizeof name, "/%s%s.png", dataset->samples[sample].name, suffixes[i]);
            assert_non_null(strstr(dataset->samples[sample].mask_path, name));
        }
        df_dataset_free(dataset);
    }
    add("suffix0", "masks", "12_mask.png"); /* of no image */
    assert_refused("suffix0", "4 of the masks in ");
    add("suffix0", "images", "12.jpg");
    assert_pairs("suffix0", 4);
    drop("suffix0", "masks", "12_mask.png");
    assert_refused("suffix0", "3 of the masks in ");
    add("suffix0", "masks", "12.png"); /* one is called as its image, the others are not */
    assert_refused("suffix0", "3 of the masks in ");
    add("suffix1", "images", "a.png"); /* endings of either kind */
    add("suffix1", "masks", "a.png.png");
    assert_pairs("suffix1", 4);
    add("numbers", "images", "1.jpg");
    add("numbers", "masks", "10.png");
    assert_refused("numbers", "1 of the masks in ");
    add("suffix1", "images", "@eaDir/x.jpg");
    add("suffix1", "masks", "desktop.ini");
    assert_pairs("suffix1", 4);
}

static void assert_has_val(const char *root, bool expected)
{
    const struct df_dataset_options options = {
        .kind = DF_DATASET_FOLDER, .root = scratch_path(root), .split = DF_SPLIT_VAL, .n_classes = 2};
    bool has = !expected;

    assert_works(df_dataset_has_split(&options, &has) == 0);
    assert_true(has == expected);
    if (has)
        return;
    assert_null(df_dataset_open(&options));
    assert_error_has("there are no validation images: ");
}

static void a_split_may_be_absent(void **state)
{
    const struct df_dataset_options voc = {.root = scratch_path("split"), .split = DF_SPLIT_VAL};
    bool has = false;

    begin("split");
    assert_has_val("split", false);
    scratch_write_text("split/images/val/.hidden", "");
    assert_has_val("split", false);
    scratch_write_text("split/masks/val/a.png", "");
    assert_has_val("split", true);
    assert_int_equal(df_dataset_has_split(&voc, &has), 0);
    assert_true(has);
}

/* The other words for val, as annotations have them. */
static void validation_by_other_names(void **state)
{
    const char *const words[] = {"valid", "validation"};
    char root[32], path[96];

    for (size_t i = 0; i < 2; i++) {
        snprintf(root, sizeof root, "called%zu", i);
        begin(root);
        for (int half = 0; half < 2; half++) {
            snprintf(path, sizeof path, "%s/%s/%s/a.png", root, half ? "masks" : "images", words[i]);
            scratch_write_text(path, "");
        }
        const struct df_dataset_options options = {
            .kind = DF_DATASET_FOLDER, .root = scratch_path(root), .split = DF_SPLIT_VAL, .n_classes = 2};
        struct df_dataset *dataset = df_dataset_open(&options);
        assert_works(dataset);
        assert_int_equal(dataset->count, 1);
        assert_non_null(strstr(dataset->samples[0].image_path, words[i]));
        assert_non_null(strstr(dataset->samples[0].mask_path, words[i]));
        df_dataset_free(dataset);
    }
}

/* What cannot be looked into is not taken for absent. */
static void a_split_that_cannot_be_read(void **state)
{
    bool has;

    begin("link");
    assert_int_equal(symlink("nowhere", scratch_path("link/masks/val")), 0);
    const struct df_dataset_options options = {
        .kind = DF_DATASET_FOLDER, .root = scratch_path("link"), .split = DF_SPLIT_VAL, .n_classes = 2};
    assert_int_equal(df_dataset_has_split(&options, &has), -1);
    assert_error_has("link/masks/val");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_that_are_not_read),
        cmocka_unit_test(both_halves_are_not_read),
        cmocka_unit_test(other_files_are_no_pairs),
        cmocka_unit_test(folders_in_folders),
        cmocka_unit_test(names_decide),
        cmocka_unit_test(names_with_suffixes),
        cmocka_unit_test(a_split_may_be_absent),
        cmocka_unit_test(validation_by_other_names),
        cmocka_unit_test(a_split_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
