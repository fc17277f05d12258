/* Lists of corruptions as people type them. */
#include "support/errors.h"

#include "dinoft/corruption.h"
#include "dinoft/error.h"

#include <string.h>

static struct df_corruption_choice read_list(const char *text, enum df_suite suite)
{
    struct df_corruption_choice choice;

    if (df_corruption_list(text, df_corruption_suite(suite), &choice) != 0)
        fail_msg("%s: %s", text, df_error_text());
    return choice;
}

static void assert_names(const char *text, enum df_suite suite, const char *const *names)
{
    struct df_corruption_choice choice = read_list(text, suite);
    int count = 0;

    for (; names[count]; count++) {
        assert_true(count < choice.count);
        assert_string_equal(choice.items[count]->name, names[count]);
    }
    assert_int_equal(choice.count, count);
}

#define ASSERT_NAMES(TEXT, SUITE, ...) assert_names(TEXT, SUITE, (const char *const[]){__VA_ARGS__, NULL})

static void names_of_both_suites(void **state)
{
    ASSERT_NAMES("fog", DF_SUITE_IMAGENET_C, "fog");
    ASSERT_NAMES("snow,GaussNoise,fog", DF_SUITE_IMAGENET_C, "snow", "GaussNoise", "fog");
    ASSERT_NAMES("snow,GaussNoise,fog", DF_SUITE_REFERENCE, "snow", "GaussNoise", "fog");
}

static void doubles_count_once(void **state)
{
    ASSERT_NAMES("fog,snow,fog,fog", DF_SUITE_IMAGENET_C, "fog", "snow");
}

static void groups(void **state)
{
    struct df_corruption_choice common = read_list("common", DF_SUITE_IMAGENET_C),
                                all = read_list("all", DF_SUITE_IMAGENET_C);

    assert_int_equal(common.count, 15);
    assert_int_equal(all.count, 19);
    assert_memory_equal(common.items, all.items, sizeof common.items[0] * 15); /* the extra four come last */
    assert_string_equal(all.items[14]->name, "jpeg_compression");
    assert_int_equal(read_list("all", DF_SUITE_REFERENCE).count, 10);
    assert_int_equal(read_list("common", DF_SUITE_REFERENCE).count, 15);
}

static void groups_and_names(void **state)
{
    struct df_corruption_choice choice = read_list("spatter,common,frost,Defocus,all", DF_SUITE_IMAGENET_C);

    assert_int_equal(choice.count, 20);
    assert_string_equal(choice.items[0]->name, "spatter");
    assert_string_equal(choice.items[16]->name, "Defocus");
    for (int i = 0; i < choice.count; i++) {
        const char *name = choice.items[i]->name;
        const bool typed =
            strcmp(name, "spatter") == 0 || strcmp(name, "frost") == 0 || strcmp(name, "Defocus") == 0;
        assert_true(choice.named[i] == typed);
    }
}

static void assert_refused(const char *text, const char *error)
{
    struct df_corruption_choice choice;

    assert_int_equal(df_corruption_list(text, df_corruption_suite(DF_SUITE_IMAGENET_C), &choice), -1);
    assert_error_has(error);
}

static void what_is_no_list(void **state)
{
    assert_refused("gausian_noise", "no corruption is called 'gausian_noise'; did you mean gaussian_noise?");
    assert_refused("fog,zzzzzzzzzz", "no corruption is called 'zzzzzzzzzz'; there are gaussian_noise, ");
    assert_refused("fog,zzzzzzzzzz", ", ElasticTransform");
    assert_refused("", "expected names with commas between them, found ''");
    assert_refused("fog,", "found 'fog,'");
    assert_refused(",fog", "found ',fog'");
    assert_refused("fog,,snow", "found 'fog,,snow'");
    assert_refused("fog, snow", "' snow'; did you mean snow?");
}

static void a_group_goes_on_without_frost(void **state)
{
    struct df_corruption_choice choice = read_list("common", DF_SUITE_IMAGENET_C);
    struct df_frost *frost;

    assert_int_equal(df_corruption_choice_frost(&choice, "no/such/folder", "", &frost), 0);
    assert_null(frost);
    assert_int_equal(choice.count, 14);
    for (int i = 0; i < choice.count; i++)
        assert_false(choice.items[i]->needs_frost);
    assert_string_equal(choice.items[8]->name, "fog");
}

static void a_named_frost_needs_its_photographs(void **state)
{
    struct df_corruption_choice choice = read_list("common,frost", DF_SUITE_IMAGENET_C);
    struct df_frost *frost;

    assert_int_equal(df_corruption_choice_frost(&choice, "no/such/folder", "", &frost), -1);
    assert_error_has("no/such/folder");
}

static void no_photographs_where_none_are_needed(void **state)
{
    struct df_corruption_choice choice = read_list("fog,snow", DF_SUITE_IMAGENET_C);
    struct df_frost *frost;

    assert_int_equal(df_corruption_choice_frost(&choice, "no/such/folder", "", &frost), 0);
    assert_null(frost);
    assert_int_equal(choice.count, 2);
}

static void suites_by_name(void **state)
{
    assert_int_equal(df_corruption_suite(DF_SUITE_IMAGENET_C)->count, 19);
    assert_int_equal(df_corruption_suite(DF_SUITE_REFERENCE)->count, 10);
}

/* The reference project's pipeline: each of the ten as likely, and the same one for the same image. */
static void a_transform_is_drawn_for_each_image(void **state)
{
    enum { NAMES = 2000 };
    const struct df_corruption_suite *suite = df_corruption_suite(DF_SUITE_REFERENCE);
    int counts[10] = {0};

    for (int i = 0; i < NAMES; i++) {
        char name[16] = {(char)('a' + i % 10), (char)('a' + i / 10 % 10), (char)('a' + i / 100)};
        const struct df_corruption *drawn = df_corruption_draw(suite, 3, 0, name);
        assert_ptr_equal(drawn, df_corruption_draw(suite, 3, 0, name));
        counts[drawn - suite->corruptions]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], NAMES / 10 - 55, NAMES / 10 + 55); /* four standard deviations */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_both_suites),
        cmocka_unit_test(doubles_count_once),
        cmocka_unit_test(groups),
        cmocka_unit_test(groups_and_names),
        cmocka_unit_test(what_is_no_list),
        cmocka_unit_test(a_group_goes_on_without_frost),
        cmocka_unit_test(a_named_frost_needs_its_photographs),
        cmocka_unit_test(no_photographs_where_none_are_needed),
        cmocka_unit_test(suites_by_name),
        cmocka_unit_test(a_transform_is_drawn_for_each_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
