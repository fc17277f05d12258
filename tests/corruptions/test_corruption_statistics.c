/* Means over draws against those of the packages themselves: the bounds of fixtures/README.md. */
#include "corruptions/corruption_support.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS  24
#define PHOTOS 2
#define CASES  (PHOTOS * DF_SEVERITIES)

static const char *const photos[PHOTOS] = {"koala_320x256", "koala_225x301"};
static const char *const columns[COLUMNS] = {"mae",        "psnr_db",     "mean_r",      "mean_g",
                                             "mean_b",     "std",         "mean_abs_dx", "mean_abs_dy",
                                             "fraction_0", "fraction_255"};

struct expected {
    double mean[COLUMNS], std[COLUMNS]; /* of the package's draws */
};

struct test_case {
    const struct subject *subject;
    const char *photo;
    int severity;
    struct expected expected;
    char name[64];
};

static cJSON *read_json(const char *file_name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/corruptions/%s", DINOFT_FIXTURES, file_name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = calloc(size + 1, 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, size, file), size);
    fclose(file);
    cJSON *tree = cJSON_Parse(text);
    free(text);
    return tree;
}

static void read_columns(const cJSON *entry, const char *key, double values[COLUMNS])
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(entry, key);

    assert_int_equal(cJSON_GetArraySize(array), COLUMNS);
    for (int i = 0; i < COLUMNS; i++)
        values[i] = cJSON_GetArrayItem(array, i)->valuedouble;
}

/* The entry of a case is in one of the two files: corruptions have different names in the two suites. */
static void read_expected(const cJSON *trees[2], struct test_case *test)
{
    const cJSON *entry = NULL;
    char key[64];

    snprintf(key, sizeof key, "%s.%d", test->subject->corruption->name, test->severity);
    for (int i = 0; i < 2 && !entry; i++) {
        const cJSON *photo_entries = cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(trees[i], "images"), test->photo);
        entry = cJSON_GetObjectItemCaseSensitive(photo_entries, key);
    }
    if (!entry)
        fail_msg("the fixtures have no statistics of %s on %s", key, test->photo);
    read_columns(entry, "mean", test->expected.mean);
    read_columns(entry, "std", test->expected.std);
}

static bool is_compared(const struct df_corruption *corruption, int column)
{
    /* Single draws of these two reach the clean image, where the ratio has no bound. */
    return column != PSNR_DB ||
           (strcmp(corruption->name, "GaussianBlur") != 0 && strcmp(corruption->name, "ZoomBlur") != 0);
}

static double bound(const struct expected *expected, int column)
{
    const double floor_value = column >= FRACTION_0 ? 0.002 : 0.3;
    return 4 * sqrt(2) * expected->std[column] / sqrt(DRAWS) + 0.02 * fabs(expected->mean[column]) +
           floor_value;
}

static void means_agree(void **state)
{
    const struct test_case *test = *state;
    const int draws = test->subject->corruption->random ? DRAWS : 1;
    struct df_image clean = fixture_image(test->photo);
    double means[COLUMNS] = {0}, worst = 0;
    int worst_column = 0;

    for (int draw = 0; draw < draws; draw++) {
        double values[COLUMNS];
        struct df_image result =
            corrupted(test->subject, test->severity, (uint64_t)draw, test->photo, &clean, NULL);
        image_columns(&clean, &result, values);
        for (int i = 0; i < COLUMNS; i++)
            means[i] += values[i] / draws;
        df_image_free(&result);
    }
    df_image_free(&clean);
    for (int i = 0; i < COLUMNS; i++) {
        const double share = fabs(means[i] - test->expected.mean[i]) / bound(&test->expected, i);
        if (is_compared(test->subject->corruption, i) && !(share <= worst)) { /* a NaN is the worst */
            worst = share;
            worst_column = i;
        }
        if (!(share <= 1))
            print_message("%s: %.4f, expected %.4f +- %.4f%s\n", columns[i], means[i], test->expected.mean[i],
                          bound(&test->expected, i),
                          is_compared(test->subject->corruption, i) ? "" : " (not compared)");
    }
    print_message("the farthest is %s, at %.2f of its bound\n", columns[worst_column], worst);
    if (!(worst <= 1))
        fail();
}

int main(int argc, char **argv)
{
    struct subject subject;
    static struct test_case cases[CASES];
    struct CMUnitTest tests[CASES];
    int status = subject_open(&subject, argc, argv);

    if (status != 0)
        return status;
    cJSON *files[2] = {read_json("statistics.json"), read_json("reference_statistics.json")};
    for (int i = 0; i < CASES; i++) {
        struct test_case *test = &cases[i];
        *test = (struct test_case){
            .subject = &subject, .photo = photos[i / DF_SEVERITIES], .severity = 1 + i % DF_SEVERITIES};
        snprintf(test->name, sizeof test->name, "%s, severity %d", test->photo, test->severity);
        read_expected((const cJSON *[2]){files[0], files[1]}, test);
        tests[i] = (struct CMUnitTest){.name = test->name, .test_func = means_agree, .initial_state = test};
    }
    for (int i = 0; i < 2; i++)
        cJSON_Delete(files[i]);
    status = cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
    subject_close(&subject);
    return status;
}
