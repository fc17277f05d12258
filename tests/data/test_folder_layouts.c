/* Layouts of a user's own data: which one it is, the names of its samples, and how nothing but flags divides
 * them. */
#include "data/layout_files.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <string.h>

/* An image NAME.jpg and its mask. */
static void add_pair(const char *root, const char *name)
{
    layout_file(root, "images/", name, ".jpg");
    layout_file(root, "masks/", name, ".png");
}

static void add_pairs(const char *root, int count)
{
    char name[32];

    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%03d", i);
        add_pair(root, name);
    }
}

static struct df_dataset_options options_of(const char *root)
{
    static char path[256];

    snprintf(path, sizeof path, "%s", scratch_path(root));
    return (struct df_dataset_options){
        .kind = DF_DATASET_FOLDER, .root = path, .n_classes = 2, .split = DF_SPLIT_VAL};
}

static void nothing_divides(void **state)
{
    add_pairs("plain", 3);
    struct df_dataset_options options = options_of("plain");
    layout_refused(&options, "plain: nothing says which images validate: --val_fraction F ");
    options.layout.layout = DF_LAYOUT_SPLIT_FOLDERS;
    layout_refused(&options, "plain/images/val");
    options = options_of("nothing");
    options.split = DF_SPLIT_TRAIN;
    layout_refused(&options, "cannot open the folder ");
    scratch_write_text("empty/readme.txt", "");
    options = options_of("empty");
    options.split = DF_SPLIT_TRAIN;
    layout_refused(&options, "empty has none of the layouts that are known: images/{train,val} + ");
}

static void two_layouts_at_once(void **state)
{
    add_pairs("both", 2);
    add_pair("both", "train/a");
    add_pair("both", "val/b");
    struct df_dataset_options options = options_of("both");
    options.layout.val_fraction = 0.5;
    layout_refused(&options,
                   "both has more than one layout (images/{train,val} + masks/{train,val}, images + "
                   "masks): --layout says which holds (split-folders, two-folders)");
    options.layout.layout = DF_LAYOUT_TWO_FOLDERS;
    options.layout.val_fraction = 1.0;
    assert_string_equal(layout_names(&options), "000,001,a,b");
    options.layout.layout = DF_LAYOUT_SPLIT_FOLDERS;
    layout_refused(&options, "--val_fraction is for images that nothing else divides");
    options.layout.val_fraction = 0.0;
    options.layout.val_list = "list";
    layout_refused(&options, "--val_list is for images that nothing else divides");
    options.layout.val_list = NULL;
    assert_string_equal(layout_names(&options), "b");
}

static void assert_has_split(const struct df_dataset_options *options, bool expected)
{
    bool has = !expected;

    assert_works(df_dataset_has_split(options, &has) == 0);
    assert_true(has == expected);
}

/* Both parts, which have nothing in common and all in sum. */
static void assert_fraction(const char *root, double fraction, int64_t training, int64_t validation)
{
    struct df_dataset_options options = options_of(root);

    options.layout.val_fraction = fraction;
    struct df_dataset *val = df_dataset_open(&options);
    options.split = DF_SPLIT_TRAIN;
    struct df_dataset *train = df_dataset_open(&options);
    assert_works(val && train);
    assert_int_equal(train->count, training);
    assert_int_equal(val->count, validation);
    for (int64_t i = 0; i < val->count; i++) {
        for (int64_t j = 0; j < train->count; j++)
            assert_string_not_equal(val->samples[i].name, train->samples[j].name);
    }
    assert_int_equal(val->split_made.images, training + validation);
    assert_true(val->split_made.names == train->split_made.names);
    df_dataset_free(train);
    df_dataset_free(val);
}

static void fractions(void **state)
{
    char first[64];

    add_pairs("fraction", 20);
    assert_fraction("fraction", 0.25, 15, 5);
    assert_fraction("fraction", 0.001, 19, 1);
    assert_fraction("fraction", 0.999, 1, 19);
    struct df_dataset_options options = options_of("fraction");
    options.layout.val_fraction = 0.1;
    snprintf(first, sizeof first, "%s", layout_names(&options));
    assert_int_equal(strlen(first), 7);
    assert_string_equal(layout_names(&options), first);
    assert_string_equal(first, "011,015"); /* the same on every machine */
    options.layout.split_seed = 1;
    assert_string_not_equal(layout_names(&options), first);
    options.layout.val_fraction = 1.0;
    assert_int_equal(strlen(layout_names(&options)), 79);
    options.split = DF_SPLIT_TRAIN;
    layout_refused(&options, "--val_fraction 1 of 20 images leaves none to train on");
}

/* A checkpoint's own division holds for the images that it was made of, and no others. */
static void recorded_fractions(void **state)
{
    char drawn[64];

    add_pairs("recorded", 20);
    struct df_dataset_options options = options_of("recorded");
    options.layout.val_fraction = 0.1;
    options.layout.split_seed = 7;
    snprintf(drawn, sizeof drawn, "%s", layout_names(&options));
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_works(dataset);
    options.layout = (struct df_layout_options){.trained = dataset->split_made, .trained_file = "run.pt"};
    df_dataset_free(dataset);
    assert_string_equal(layout_names(&options), drawn);
    add_pair("recorded", "new");
    layout_refused(&options,
                   "run.pt was trained on a part of 20 images (--val_fraction 0.1 --split_seed 7), ");
    assert_error_has("these are not the same 21");
    options.layout.val_fraction = 1.0;
    assert_int_equal(strlen(layout_names(&options)), 83);
    add_pair("others", "val/a"); /* what is divided is divided */
    options = options_of("others");
    options.layout.trained = (struct df_split_record){.val_fraction = 0.5, .images = 4};
    assert_string_equal(layout_names(&options), "a");
}

/* Training images alone are divided as images that no folder divides. */
static void fractions_of_training_images(void **state)
{
    add_pair("half", "train/a");
    add_pair("half", "train/b");
    add_pair("half", "train/c");
    struct df_dataset_options options = options_of("half");
    layout_refused(&options, "there are no validation images: ");
    assert_error_has("half/images/val and masks/val are not there or empty");
    assert_has_split(&options, false);
    options.layout.val_fraction = 0.3;
    assert_has_split(&options, true);
    assert_fraction("half", 0.3, 2, 1);
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_works(dataset);
    options.layout = (struct df_layout_options){.trained = dataset->split_made, .trained_file = "run.pt"};
    df_dataset_free(dataset);
    assert_has_split(&options, true);
    assert_int_equal(strlen(layout_names(&options)), 1);
    options.split = DF_SPLIT_TRAIN;
    assert_int_equal(strlen(layout_names(&options)), 3);
    options.split = DF_SPLIT_VAL;
    options.layout = (struct df_layout_options){.train_list = scratch_write_text("t.txt", "a\nb\n"),
                                                .val_list = scratch_write_text("v.txt", "c\n")};
    assert_string_equal(layout_names(&options), "c");
    options.layout.val_list = NULL;
    assert_has_split(&options, false);
    options.layout = (struct df_layout_options){.val_fraction = 0.3};
    add_pair("half", "val/d");
    layout_refused(&options, "--val_fraction is for images that nothing else divides");
}

static void lists(void **state)
{
    add_pairs("lists", 6);
    struct df_dataset_options options = options_of("lists");
    options.layout.train_list = scratch_write_text("train.txt", "\xef\xbb\xbf"
                                                                "004\r\n001.jpg\r\n\r\n./images/003.jpg\n");
    options.layout.val_list = scratch_write_text("val.txt", "000.png\nmasks/002.png");
    assert_string_equal(layout_names(&options), "000,002");
    options.split = DF_SPLIT_TRAIN;
    assert_string_equal(layout_names(&options), "004,001,003"); /* in the list's order */
    options.layout.val_list = scratch_write_text("val.txt", "000\n001\n004");
    layout_refused(&options, "2 images are in both lists, ");
    assert_error_has("val.txt: 001, 004");
    options.layout.val_list = scratch_write_text("val.txt", "000\nnone\n002\nimages/nothing.jpg\n");
    layout_refused(&options, "2 of the 4 names in ");
    assert_error_has(": none (line 2), images/nothing.jpg (line 4)");
    options.layout.val_list = scratch_write_text("val.txt", "000\n000.jpg\n");
    layout_refused(&options, "lines 1 and 2 of ");
    options.layout.val_list = scratch_write_text("val.txt", " \n");
    layout_refused(&options, "val.txt lists no images");
    options.layout.val_list = scratch_path("nowhere.txt");
    layout_refused(&options, "nowhere.txt");
    options.layout.val_list = scratch_write("val.txt", "00\0", 4);
    layout_refused(&options, "line 1 of ");
}

static void add_city(const char *root, const char *split, const char *city, const char *name,
                     const char *mask_end)
{
    char folder[64];

    snprintf(folder, sizeof folder, "leftImg8bit/%s/%s/", split, city);
    layout_file(root, folder, name, "_leftImg8bit.png");
    snprintf(folder, sizeof folder, "gtFine/%s/%s/", split, city);
    layout_file(root, folder, name, mask_end);
}

static void cityscapes(void **state)
{
    struct df_dataset_options options = options_of("city");

    add_city("city", "train", "aachen", "aachen_0", "_gtFine_labelTrainIds.png");
    add_city("city", "val", "ulm", "ulm_1", "_gtFine_labelIds.png");
    add_city("city", "val", "bonn", "bonn_2", "_gtFine_labelIds.png");
    layout_file("city", "gtFine/train/aachen/", "aachen_0", "_gtFine_labelIds.png");
    options.n_classes = 0;
    assert_has_split(&options, true);
    struct df_dataset *val = df_dataset_open(&options);
    assert_works(val);
    assert_int_equal(val->n_classes, 19);
    assert_string_equal(val->class_names[13], "car");
    assert_int_equal(val->rule.labels[26], 13);
    assert_int_equal(val->rule.labels[4], DF_IGNORE_LABEL);
    assert_int_equal(val->count, 2);
    assert_string_equal(val->samples[0].name, "bonn_2");
    assert_non_null(strstr(val->samples[0].mask_path, "gtFine/val/bonn/bonn_2_gtFine_labelIds.png"));
    df_dataset_free(val);
    options.split = DF_SPLIT_TRAIN; /* prefers masks of class numbers */
    struct df_dataset *train = df_dataset_open(&options);
    assert_works(train);
    assert_int_equal(train->rule.labels[13], 13);
    assert_non_null(strstr(train->samples[0].mask_path, "aachen_0_gtFine_labelTrainIds.png"));
    df_dataset_free(train);
    options.mask_values = "7,8,11..13,17,19..28,31..33"; /* as a checkpoint records them */
    train = df_dataset_open(&options);
    assert_works(train);
    assert_non_null(strstr(train->samples[0].mask_path, "aachen_0_gtFine_labelIds.png"));
    assert_int_equal(train->rule.labels[33], 18);
    df_dataset_free(train);
    options.mask_values = NULL;
    options.n_classes = 34;
    options.split = DF_SPLIT_VAL;
    layout_refused(&options, "are 19, for 34 classes");
    options.n_classes = 0;
    layout_file("city", "leftImg8bit/val/ulm/", "ulm_3", "_leftImg8bit.png");
    layout_refused(&options, "1 of the 6 files of the data set are missing: ");
    layout_file("city", "images/", "x", ".png");
    layout_file("city", "masks/", "x", ".png");
    layout_refused(&options, "more than one layout (images + masks, leftImg8bit + gtFine)");
    add_city("alone", "train", "ulm", "ulm_1", "_gtFine_labelTrainIds.png");
    options = options_of("alone");
    options.n_classes = 0;
    assert_has_split(&options, false);
    layout_refused(&options, "alone/leftImg8bit/val and gtFine/val are not there or empty");
    options.split = DF_SPLIT_TRAIN;
    assert_string_equal(layout_names(&options), "ulm_1");
}

static void nnunet(void **state)
{
    struct df_dataset_options options = options_of("nn");
    static const char json[] = "{\"channel_names\": {\"0\": \"R\", \"1\": \"G\", \"2\": \"B\"}, \"labels\": "
                               "{\"background\": 0, \"road\": 2, \"ignore\": 3}, \"file_ending\": \".png\"}";

    for (int i = 0; i < 6; i++) {
        char name[32];
        snprintf(name, sizeof name, "case_%d", i);
        layout_file("nn", "imagesTr/", name, "_0000.png");
        layout_file("nn", "labelsTr/", name, ".png");
    }
    layout_refused(&options, "dataset.json");
    scratch_write_text("nn/dataset.json", json);
    options.n_classes = 0;
    layout_refused(&options, "nothing says which images validate");
    options.layout.val_fraction = 0.5;
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_works(dataset);
    assert_int_equal(dataset->count, 3);
    assert_int_equal(dataset->n_classes, 2);
    assert_string_equal(dataset->class_names[1], "road");
    assert_int_equal(dataset->rule.labels[2], 1);
    assert_int_equal(dataset->rule.labels[3], DF_IGNORE_LABEL);
    assert_int_equal(dataset->rule.labels[255], DF_NO_LABEL);
    df_dataset_free(dataset);
    options.layout.val_fraction = 0.0;
    options.layout.fold = "0";
    layout_refused(&options, "splits_final.json is not there");
    options.layout.fold = "all";
    assert_int_equal(strlen(layout_names(&options)), 41);

    scratch_write_text(
        "nn/splits_final.json",
        "[{\"train\": [\"case_0\", \"case_1\"], \"val\": [\"case_2\"]}, {\"train\": [\"case_2\", "
        "\"case_5\"], \"val\": [\"case_1\"]}]");
    options.layout.fold = NULL;
    assert_string_equal(layout_names(&options), "case_2");
    options.layout.fold = "1";
    assert_string_equal(layout_names(&options), "case_1");
    dataset = df_dataset_open(&options);
    assert_works(dataset);
    assert_string_equal(dataset->split_made.fold, "1");
    options.layout.trained = dataset->split_made;
    options.layout.trained_file = "run.pt";
    df_dataset_free(dataset);
    options.layout.fold = NULL; /* the checkpoint's */
    assert_string_equal(layout_names(&options), "case_1");
    options.layout.trained.names++;
    layout_refused(&options, "run.pt was trained on fold 1, whose cases in ");
    options.layout.fold = "1";
    assert_string_equal(layout_names(&options), "case_1");
    options.layout.fold = "2";
    layout_refused(&options, "has the folds 0 to 1");
    options.layout.fold = NULL;
    options.layout.trained = (struct df_split_record){0};
    options.layout.val_fraction = 0.5;
    layout_refused(&options, "--val_fraction is for images that nothing else divides");
    options.layout.val_fraction = 0.0;
    scratch_write_text("nn/splits_final.json", "[{\"train\": [\"case_0\"], \"val\": [\"case_9\"]}]");
    layout_refused(&options, "1 of the cases of fold 0 in ");
    scratch_write_text("nn/splits_final.json", "[{\"train\": [\"case_0\"], \"val\": [\"case_0\"]}]");
    layout_refused(&options, "the case case_0 is in fold 0 twice");
    scratch_write_text("nn/splits_final.json", "[{\"train\": [\"case_0\"]}]");
    layout_refused(&options, "has no list of cases 'val'");
    scratch_write_text("nn/splits_final.json", "[{\"train\": [\"case_0\", \"case_2\"], \"val\": []}]");
    assert_has_split(&options, false);
    layout_refused(&options, "no validation images: ");
    assert_error_has("nn/splits_final.json has none in the fold");
    options.split = DF_SPLIT_TRAIN;
    assert_string_equal(layout_names(&options), "case_0,case_2");
}

static void nnunet_of_other_kinds(void **state)
{
    struct df_dataset_options options = options_of("nk");
    static const struct {
        const char *json, *words;
    } wrong[] = {
        {"{\"labels\": {\"a\": 0, \"b\": 1}, \"file_ending\": \".nii.gz\"}", "only images of two dimensions"},
        {"{\"labels\": {\"a\": 0, \"b\": [1, 2]}, \"file_ending\": \".png\"}", "'b' is a region"},
        {"{\"labels\": {\"0\": \"a\"}, \"file_ending\": \".png\"}", "as in version 2"},
        {"{\"labels\": {\"a\": 0, \"b\": 0}, \"file_ending\": \".png\"}", "two labels have the value 0"},
        {"{\"labels\": {\"a\": 1.5}, \"file_ending\": \".png\"}", "no value from 0"},
        {"{\"labels\": {\"a\": 0}}", "no file_ending"},
        {"{\"file_ending\": \".png\"}", "it has no labels"},
        {"[]", "no JSON object"},
    };

    layout_file("nk", "imagesTr/", "a", "_0000.png");
    layout_file("nk", "imagesTr/", "a", "_0001.png");
    layout_file("nk", "labelsTr/", "a", ".png");
    options.layout.val_fraction = 0.5;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        scratch_write_text("nk/dataset.json", wrong[i].json);
        layout_refused(&options, wrong[i].words);
    }
    scratch_write_text("nk/dataset.json", "{\"labels\": {\"a\": 0, \"b\": 1}, \"file_ending\": \".png\"}");
    layout_refused(&options, "a_0001.png is channel 1 of its case");
    add_pairs("fold", 3);
    options = options_of("fold");
    options.layout.fold = "0";
    layout_refused(&options, "--fold is for nnU-Net's layout, and this one is images + masks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_divides),
        cmocka_unit_test(two_layouts_at_once),
        cmocka_unit_test(fractions),
        cmocka_unit_test(recorded_fractions),
        cmocka_unit_test(fractions_of_training_images),
        cmocka_unit_test(cityscapes),
        cmocka_unit_test(nnunet),
        cmocka_unit_test(nnunet_of_other_kinds),
        cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
