/* Scores of an earlier run, from which one continues; what is taken over comes back from a file that is
 * written of it. */
#include "fuzz.h"

#include "dinoft/corruption_results.h"

static const int severities[] = {1, 3, 5};

static void init(struct df_corruption_results *results)
{
    fuzz_check(df_corruption_results_init(results, "imagenet-c", severities, 3) == 0 &&
                   df_corruption_results_add(results, "gaussian_noise", "noise", true) == 0 &&
                   df_corruption_results_add(results, "fog", "weather", true) == 0 &&
                   df_corruption_results_add(results, "frost", "weather", true) == 0 &&
                   df_corruption_results_skip(results, "no photographs") == 0,
               "memory");
}

static void come_back(const struct df_corruption_results *results, int taken)
{
    struct df_corruption_results read;
    char path[FUZZ_PATH_MAX];
    int again = -1;

    init(&read);
    fuzz_path("output.json", path);
    fuzz_check(df_corruption_results_write(path, results, "key", NULL, 0) == 0, "scores can be written");
    fuzz_check(df_corruption_results_read(path, "key", &read, &again) == 0, "what was written can be read");
    fuzz_check(again == taken, "no score is lost");
    df_corruption_results_free(&read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct df_corruption_results results;
    struct df_corruption_mean mean;
    char path[FUZZ_PATH_MAX];
    int taken = 0;

    init(&results);
    fuzz_write(fuzz_path("input.json", path), data, size);
    fuzz_forget_error();
    if (df_corruption_results_read(path, "key", &results, &taken) != 0)
        fuzz_check_error();
    else if (taken > 0)
        come_back(&results, taken);
    df_corruption_mean(&results, (struct df_corruption_part){.common = true}, &mean);
    df_corruption_results_free(&results);
    return 0;
}
