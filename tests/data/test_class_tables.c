/* What classes are called and drawn as: tables of colours, lists of names, and classes that are put together.
 */
#include "data/scratch_images.h"
#include "dinoft/overlay.h"
#include "src/data/class_table.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct df_class_table table;

static void assert_class(int number, const char *name, int red, int green, int blue)
{
    assert_true(number < table.count);
    assert_string_equal(table.classes[number].name, name);
    assert_int_equal(table.classes[number].rgb[0], red);
    assert_int_equal(table.classes[number].rgb[1], green);
    assert_int_equal(table.classes[number].rgb[2], blue);
}

static void read_palette(const char *text)
{
    df_class_table_free(&table);
    assert_works(df_palette_read(scratch_write_text("p.txt", text), &table) == 0);
}

static void palettes(void **state)
{
    read_palette(
        "# a comment\n\n0 0 0 Void\n#ff8000 road surface\n 64,128,64\tAnimal\n1, 2, 3 sky (ignore)\n");
    assert_int_equal(table.count, 2);
    assert_class(0, "road surface", 255, 128, 0);
    assert_class(1, "Animal", 64, 128, 64);
    assert_int_equal(table.values.source, DF_SOURCE_COLORS);
    assert_int_equal(table.values.n_items, 4);
    assert_int_equal(table.values.items[0].label, DF_IGNORE_LABEL);
    assert_int_equal(table.values.items[1].value, 0xff8000);
    assert_int_equal(table.values.items[3].label, DF_IGNORE_LABEL);
    /* CVAT's */
    read_palette("# label:color_rgb:parts:actions\nbackground:0,0,0::\ncar:10,20,30::\na b:1,2,3\n");
    assert_int_equal(table.count, 3);
    assert_class(1, "car", 10, 20, 30);
    assert_class(2, "a b", 1, 2, 3);
    df_class_table_free(&table);
}

static void wrong_palettes(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {{"0 0 0 a\n1 2 name\n", "line 2 of"},
                 {"1 2 name", "expected 'R G B name', '#RRGGBB name' or 'name:R,G,B::', found '1 2 name'"},
                 {"256 0 0 a", "expected"},
                 {"1 2 3", "has no name"},
                 {"1 2 3a", "expected"},
                 {"1 2 3 a\n1 2 3 b", "line 2 of"},
                 {"1 2 3 a\n1 2 3 b", "the colour 1, 2, 3 is there twice"},
                 {"1 2 3 a\n1 2 4 a", "the name 'a' is there twice"},
                 {"1 2 3 void", "has no class"},
                 {"", "has no class"},
                 {"1 2 3 \xff", "UTF-8"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(df_palette_read(scratch_write_text("p.txt", cases[i].text), &table), -1);
        assert_error_has(cases[i].words);
        assert_error_has("p.txt");
        df_class_table_free(&table);
    }
    assert_int_equal(df_palette_read("absent", &table), -1);
    assert_error_has("voc, cityscapes, camvid");
}

static void built_in_palettes(void **state)
{
    assert_works(df_palette_read("cityscapes", &table) == 0);
    assert_int_equal(table.count, 19);
    assert_int_equal(table.values.n_items, 29);
    assert_class(0, "road", 128, 64, 128);
    assert_class(18, "bicycle", 119, 11, 32);
    df_class_table_free(&table);
    assert_works(df_palette_read("camvid", &table) == 0);
    assert_int_equal(table.count, 31);
    assert_int_equal(table.values.n_items, 32);
    assert_class(17, "Road", 128, 64, 128);
    assert_class(30, "Wall", 64, 192, 0);
    df_class_table_free(&table);
    assert_works(df_palette_read("voc", &table) == 0);
    assert_int_equal(table.count, 21);
    assert_class(20, "tvmonitor", 0, 64, 128);
    df_class_table_free(&table);
}

static void names(void **state)
{
    static const char json[] =
        " [\"sky\", {\"name\": \"ro,ad\", \"color\": \"#0a0B0c\"}, {\"name\": \"car\", "
        "\"color\": [1, 2, 255]}]";

    assert_works(df_class_names_read(scratch_write_text("n", "sky\n\n the car \n"), &table) == 0);
    assert_int_equal(table.count, 2);
    assert_class(1, "the car", 0, 0, 0);
    df_class_table_free(&table);
    assert_works(df_class_names_read(scratch_write_text("n", json), &table) == 0);
    assert_int_equal(table.count, 3);
    assert_false(table.classes[0].colored);
    assert_class(1, "ro,ad", 10, 11, 12);
    assert_class(2, "car", 1, 2, 255);
    df_class_table_free(&table);
    assert_works(df_class_names_read(scratch_write_text("n", "{\"1\": \"b\", \"0\": {\"name\": \"a\"}}"),
                                     &table) == 0);
    assert_int_equal(table.count, 2);
    assert_class(0, "a", 0, 0, 0);
    df_class_table_free(&table);
    assert_works(df_class_names_read("ade20k", &table) == 0);
    assert_int_equal(table.count, 150);
    df_class_table_free(&table);
}

static void wrong_names(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {{"[\"a\", 3]", "class 1: expected a name"},
                 {"[\"a\", {\"color\": \"#000000\"}]", "class 1: expected a name"},
                 {"[{\"name\": \"a\", \"color\": \"red\"}]", "the colour of 'a' is neither"},
                 {"[{\"name\": \"a\", \"color\": [1, 2]}]", "the colour of 'a' is neither"},
                 {"[{\"name\": \"a\", \"color\": [1, 2, 256]}]", "the colour of 'a' is neither"},
                 {"[{\"name\": \"a\", \"color\": [1, 2, 2.5]}]", "the colour of 'a' is neither"},
                 {"{\"1\": \"a\"}", "no class \"0\""},
                 {"{\"name\": \"a\"}", "no class \"0\""},
                 {"[\"a\"", "not JSON"},
                 {"[]", "no name of a class"},
                 {"", "no name of a class"},
                 {"0 0 0 sky\n", "(--palette reads colours)"},
                 {"a\nsky:1,2,3::\n", "line 2 of"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(df_class_names_read(scratch_write_text("n.txt", cases[i].text), &table), -1);
        assert_error_has(cases[i].words);
        assert_error_has("n.txt");
        df_class_table_free(&table);
    }
}

/* --- putting together --- */

/* a, b, … of the numbers 0, 1, … */
static void five_classes(void)
{
    static const char *const five[] = {"a", "b", "c", "d", "7"};

    df_class_table_free(&table);
    for (int i = 0; i < 5; i++) {
        assert_works(df_class_table_add(&table, five[i], 1, NULL) == 0);
        assert_works(df_mask_values_add(&table.values, (uint32_t)i, NULL, i) == 0);
    }
    table.values.count = table.count;
    assert_works(df_mask_values_add(&table.values, 255, NULL, DF_IGNORE_LABEL) == 0);
}

static void assert_merged(const char *merged, const char *ignored, const char *all_names, const char *values,
                          const char *ignored_values)
{
    char found[64] = "";

    five_classes();
    assert_works(df_class_table_merge(&table, merged, ignored) == 0);
    for (int i = 0; i < table.count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s ", table.classes[i].name);
    assert_string_equal(found, all_names);
    assert_int_equal(table.values.count, table.count);
    char *text = df_mask_values_text(&table.values, false), *other = df_mask_values_text(&table.values, true);
    assert_string_equal(text, values);
    assert_string_equal(other, ignored_values);
    free(text);
    free(other);
}

static void merged_classes(void **state)
{
    assert_merged(NULL, NULL, "a b c d 7 ", "0..4", "255");
    assert_merged("b+d=x", NULL, "a x c 7 ", "0,1+3,2,4", "255");
    assert_merged("d+b", NULL, "a d c 7 ", "0,1+3,2,4", "255");
    assert_merged("0+1=x y,c+7=z", NULL, "x y z d ", "0+1,2+4,3", "255");
    assert_merged("3+2=q", "b,0", "q 7 ", "2+3,4", "0,1,255");
    assert_merged("c=renamed", NULL, "a b renamed d 7 ", "0..4", "255");
    assert_merged(NULL, "7", "a b c d ", "0,1,2,3", "4,255");
    /* all lists call the classes as they were */
    assert_merged("a+b=c,c+d=e", NULL, "c e 7 ", "0+1,2+3,4", "255");
    assert_merged("a=b,b=a", NULL, "b a c d 7 ", "0..4", "255");
    assert_merged("a+b=c", "c", "c d 7 ", "0+1,3,4", "2,255");
}

static void refused(const char *merged, const char *ignored, const char *words)
{
    five_classes();
    assert_int_equal(df_class_table_merge(&table, merged, ignored), -1);
    assert_error_has(words);
    df_class_table_free(&table);
}

static void wrong_merging(void **state)
{
    refused("a+x=y", NULL, "the classes that are merged: 'x' is none of the 5 classes");
    refused("a+5=y", NULL, "'5' is none of the 5 classes, neither by name nor by number");
    refused("a+a", NULL, "the class 'a' is listed twice");
    refused("a+b,b+c", NULL, "the class 'b' is listed twice");
    refused("a+b", "b", "the class 'b' is listed twice");
    refused("a", NULL, "nothing is merged with 'a'");
    refused("a+b=x,x+c=y", NULL, "'x' is none of the 5 classes");
    refused("a+b=c", NULL, "two of them would be called 'c'");
    refused("a+b=x,c=x", NULL, "two of them would be called 'x'");
    refused("a+b=", NULL, "a name is missing");
    refused("", NULL, "'' is none");
    refused(NULL, "7,4", "the class '7' is listed twice");
    refused(NULL, "a,", "the classes that are ignored: '' is none");
    refused(NULL, "a,b,c,d,7", "no class is left");
}

/* Of data sets that are read as they are published, with their colours. */
static void built_in_sets_merge_too(void **state)
{
    struct df_dataset_options options = {.kind = DF_DATASET_VOC,
                                         .root = scratch_path("voc"),
                                         .split = DF_SPLIT_TRAIN,
                                         .merge_classes = "car+bus+motorbike=vehicle",
                                         .ignore_classes = "person"};
    struct df_image mask;

    scratch_image("voc/VOCdevkit/VOC2012/JPEGImages/a.jpg", 4, 4, 9);
    scratch_mask("voc/VOCdevkit/VOC2012/SegmentationClass/a.png", 4, 4, 14);
    scratch_write_text("voc/VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt", "a\n");
    struct df_dataset *set = df_dataset_open(&options);
    assert_works(set);
    assert_int_equal(set->n_classes, 18);
    assert_string_equal(set->class_names[6], "vehicle");
    assert_string_equal(set->class_names[17], "tvmonitor");
    assert_int_equal(set->class_colors[17][2], 128);
    assert_int_equal(df_overlay_style_of(set).palette.rgb[17][1], 64);
    assert_string_equal(set->mask_values, "0..5,6+7+14,8..13,16..20");
    assert_string_equal(set->ignored_values, "15,255");
    assert_works(df_dataset_read(set, 0, NULL, &mask) == 0);
    assert_int_equal(mask.pixels[0], 6);
    df_image_free(&mask);
    options = (struct df_dataset_options){
        .kind = DF_DATASET_VOC,
        .root = options.root,
        .split = DF_SPLIT_TRAIN,
        .mask_values = set->mask_values,
        .ignore_value = set->ignored_values,
        .known = {set->n_classes, set->class_names, (const uint8_t(*)[3])set->class_colors}};
    struct df_dataset *again = df_dataset_open(&options);
    assert_works(again);
    assert_string_equal(again->class_names[6], "vehicle");
    assert_int_equal(again->class_colors[17][2], 128);
    assert_works(df_dataset_read(again, 0, NULL, &mask) == 0);
    assert_int_equal(mask.pixels[0], 6);
    df_image_free(&mask);
    df_dataset_free(again);
    df_dataset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(palettes),          cmocka_unit_test(wrong_palettes),
        cmocka_unit_test(built_in_palettes), cmocka_unit_test(names),
        cmocka_unit_test(wrong_names),       cmocka_unit_test(merged_classes),
        cmocka_unit_test(wrong_merging),     cmocka_unit_test(built_in_sets_merge_too),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
