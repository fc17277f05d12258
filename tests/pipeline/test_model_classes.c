/* Names and colours of a checkpoint's classes, by what it records. */
#include "support/cmocka_all.h"

#include "dinoft/model_classes.h"

#include <stdio.h>

static char *two_names[] = {"Background", "weed"};

/* Of the data set and with so many classes; names: recorded ones. */
static struct df_model_classes of(const char *dataset, int64_t count, char **names, int n_names)
{
    struct df_checkpoint checkpoint = {.classes = count,
                                       .record = {.class_names = names, .n_class_names = n_names}};
    struct df_model_classes classes;

    snprintf(checkpoint.record.dataset, sizeof checkpoint.record.dataset, "%s", dataset);
    assert_int_equal(df_model_classes_of(&checkpoint, &classes), 0);
    assert_int_equal(classes.count, count);
    return classes;
}

/* red: of class 1's colour, which tells ADE20K's from VOC's. */
static void assert_classes(struct df_model_classes classes, const char *first, const char *second, int red,
                           bool has_background)
{
    assert_string_equal(classes.names[0], first);
    assert_string_equal(classes.names[1], second);
    assert_int_equal(classes.palette.rgb[1][0], red);
    assert_int_equal(classes.palette.shows_image[0], has_background);
    df_model_classes_free(&classes);
}

static void built_in_sets(void **state)
{
    assert_classes(of("voc", 21, NULL, 0), "background", "aeroplane", 128, true);
    assert_classes(of("ade20k", 150, NULL, 0), "wall", "building", 180, false);
}

static void without_a_record_the_number_tells(void **state)
{
    assert_classes(of("", 21, NULL, 0), "background", "aeroplane", 128, true);
    assert_classes(of("", 150, NULL, 0), "wall", "building", 180, false);
    assert_classes(of("", 3, NULL, 0), "class_0", "class_1", 128, false);
}

static void folders(void **state)
{
    assert_classes(of("folder", 2, two_names, 2), "Background", "weed", 128, true);
    assert_classes(of("folder", 150, NULL, 0), "class_0", "class_1", 128, false);
    assert_classes(of("a later set", 21, NULL, 0), "class_0", "class_1", 128, false);
    assert_classes(of("folder", 3, two_names, 2), "class_0", "class_1", 128, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_sets),
        cmocka_unit_test(without_a_record_the_number_tells),
        cmocka_unit_test(folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
