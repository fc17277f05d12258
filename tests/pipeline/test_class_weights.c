/* --class_weights: shares of masks, files and names, and what is none of these. */
#include "dinoft/class_weights.h"
#include "dinoft/error.h"
#include "support/cmocka_all.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <math.h>
#include <string.h>

#define CLASSES 4

static char *names[CLASSES] = {"sky", "a house", "tree", "tree"};

static struct df_dataset set_of(struct df_label_census *census)
{
    return (struct df_dataset){.n_classes = CLASSES, .class_names = names, .count = 1, .census = census};
}

static void choose(const char *text, struct df_loss_options *loss)
{
    const struct df_dataset set = set_of(NULL);

    assert_works(df_class_weights_choose(text, &set, loss) == 0);
}

static void refuse(const char *text, const char *error)
{
    const struct df_dataset set = set_of(NULL);
    struct df_loss_options loss;

    assert_int_equal(df_class_weights_choose(text, &set, &loss), -1);
    if (!strstr(df_error_text(), error))
        fail_msg("%s: \"%s\" has no \"%s\"", text, df_error_text(), error);
}

static void check(const struct df_loss_options *loss, double a, double b, double c, double d)
{
    const double expected[CLASSES] = {a, b, c, d};

    assert_true(loss->weighted);
    for (int i = 0; i < CLASSES; i++)
        assert_true(fabs((double)loss->class_weights[i] - expected[i]) <= 1e-6 * expected[i]);
}

/* 60, 30 and 10 % of the labelled pixels, no house. */
static void shares_make_weights(void **state)
{
    static const int64_t pixels[DF_LABEL_VALUES] = {[0] = 600, [2] = 300, [3] = 100, [255] = 5000};
    struct df_label_census *census = df_label_census_new(1);
    const struct df_dataset set = set_of(census);
    const double sum = 1.0 / sqrt(0.6) + 1.0 / sqrt(0.3) + 1.0 / sqrt(0.1);
    struct df_loss_options loss = {0};

    (void)state;
    assert_non_null(census);
    df_label_census_add(census, 0, pixels);
    assert_true(df_class_weights_need_shares("auto") && df_class_weights_need_shares("sqrt"));
    assert_works(df_class_weights_choose("auto", &set, &loss) == 0);
    check(&loss, 1.0 / log(1.62), 1.0 / log(1.02), 1.0 / log(1.32), 1.0 / log(1.12));
    assert_works(df_class_weights_choose("sqrt", &set, &loss) == 0);
    check(&loss, 3.0 / sqrt(0.6) / sum, 1.0, 3.0 / sqrt(0.3) / sum, 3.0 / sqrt(0.1) / sum);
    df_label_census_free(census);
}

static void names_have_weights(void **state)
{
    struct df_loss_options loss = {.weighted = true};

    (void)state;
    choose("none", &loss);
    assert_false(loss.weighted);
    assert_false(df_class_weights_need_shares("none") || df_class_weights_need_shares("sky=2"));
    choose("a house=2.5,sky=0", &loss);
    check(&loss, 0.0, 2.5, 1.0, 1.0);
    refuse("sky=2,a hose=3", "no class 'a hose' (there is 'a house')");
    refuse("sky=2,sky=3", "'sky' has two weights");
    refuse("tree=2", "'tree' is the name of two classes, 2 and 3");
    refuse("sky=2,", "expected NAME=W");
    refuse("sky=-1", "expected NAME=W, W being a number from 0 to 1e+06; found 'sky=-1'");
    refuse("sky=nan", "expected NAME=W");
    refuse("sky=0x1", "expected NAME=W");
    refuse("sky=", "expected NAME=W");
}

static const char *file_of(const char *text)
{
    return scratch_write_text("weights.txt", text);
}

static void files_have_weights(void **state)
{
    struct df_loss_options loss;

    (void)state;
    choose(file_of("1\n 2.5 \r\n\n3e-1\n0"), &loss);
    check(&loss, 1.0, 2.5, 0.3, 0.0);
    refuse(file_of("1\n2\n3\n"), "has 3 weights, for 4 classes");
    refuse(file_of("1\n2\n3\n4\n5\n"), "has 5 weights, for 4 classes");
    refuse(file_of("1\n2 3\n4\n5\n"), "line 2: expected a weight");
    refuse(file_of("1\n2\n3\ninf\n"), "line 4: expected a weight");
    refuse(file_of("0\n0\n0\n0\n"), "no class weighs more than 0");
    refuse("atuo", "neither none, auto, sqrt nor NAME=W,...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_make_weights),
        cmocka_unit_test(names_have_weights),
        cmocka_unit_test(files_have_weights),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
