/* The corruptions that draw nothing, against the package's own pictures. */
#include "corruptions/corruption_support.h"

#include <stdio.h>
#include <string.h>

#define PHOTO      "koala_320x256"
#define MAE_BOUND  1.0
#define PSNR_BOUND 40.0

struct test_case {
    const struct subject *subject;
    int severity;
    char name[32];
};

static void result_is_the_packages(void **state)
{
    const struct test_case *test = *state;
    double columns[COLUMNS];
    char name[128];

    snprintf(name, sizeof name, "%s.%s.%d", PHOTO, test->subject->corruption->name, test->severity);
    struct df_image clean = fixture_image(PHOTO), golden = fixture_image(name);
    struct df_image result = corrupted(test->subject, test->severity, 0, PHOTO, &clean, NULL);
    image_columns(&golden, &result, columns);
    const bool same = memcmp(result.pixels, golden.pixels, image_bytes(&golden)) == 0;
    df_image_free(&clean);
    df_image_free(&golden);
    df_image_free(&result);
    if (same)
        print_message("the same bytes\n");
    else
        print_message("mean absolute difference %.4f, PSNR %.2f dB\n", columns[MAE], columns[PSNR_DB]);
    if (strcmp(test->subject->corruption->name, "jpeg_compression") == 0)
        assert_true(same);
    assert_true(columns[MAE] <= MAE_BOUND && columns[PSNR_DB] >= PSNR_BOUND);
}

int main(int argc, char **argv)
{
    struct subject subject;
    static struct test_case cases[DF_SEVERITIES];
    struct CMUnitTest tests[DF_SEVERITIES];
    int status = subject_open(&subject, argc, argv);

    if (status != 0)
        return status;
    for (int i = 0; i < DF_SEVERITIES; i++) {
        cases[i] = (struct test_case){.subject = &subject, .severity = i + 1};
        snprintf(cases[i].name, sizeof cases[i].name, "severity %d", i + 1);
        tests[i] = (struct CMUnitTest){
            .name = cases[i].name, .test_func = result_is_the_packages, .initial_state = &cases[i]};
    }
    status = cmocka_run_group_tests_name(argv[1], tests, NULL, NULL);
    subject_close(&subject);
    return status;
}
