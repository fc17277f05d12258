/* What a run has written: its steps, or its losses and scores; the target does not know which an input is. */
#include "fuzz.h"

#include "src/report/run/run_history.h"
#include <math.h>
#include <stdlib.h>

static void use_steps(const struct df_steps *steps)
{
    int64_t last = 0;

    fuzz_check(steps->count <= DF_STEP_BINS && steps->epoch_steps >= 0, "there are few bins");
    for (size_t i = 0; i < steps->count; i++) {
        const struct df_step_bin *bin = &steps->bins[i];
        fuzz_check(bin->first > last && bin->last >= bin->first, "steps ascend");
        last = bin->last;
        for (int v = 0; v < DF_STEP_VALUES; v++)
            fuzz_check(bin->counts[v] == 0 || !isnan(df_steps_mean(bin, (enum df_step_value)v)),
                       "a mean of numbers is one");
    }
}

static void use_metrics(const struct df_run_history *history)
{
    const int64_t best = df_run_best(history, DF_BEST_MIOU);
    int64_t last = 0;

    fuzz_check(best < history->n_validations, "the best one is there");
    for (int64_t i = 0; i < history->n_validations; i++) {
        const struct df_run_validation *validation = &history->validations[i];
        fuzz_check(validation->epoch > last && validation->epoch <= history->n_epochs, "epochs ascend");
        last = validation->epoch;
        if (validation->class_iou)
            fuzz_touch(validation->class_iou, (size_t)history->n_classes * sizeof *validation->class_iou);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct df_steps steps;
    char path[FUZZ_PATH_MAX], prefix[FUZZ_PATH_MAX];
    struct df_run_history *history = df_run_history_new(fuzz_path("a", prefix));

    fuzz_check(history != NULL, "memory");
    fuzz_write(fuzz_path("a_metrics.json", path), data, size);
    fuzz_forget_error();
    if (df_steps_read(path, &steps) == 0)
        use_steps(&steps);
    else
        fuzz_check_error();
    fuzz_forget_error();
    if (df_run_history_read_metrics(history) == 0)
        use_metrics(history);
    else
        fuzz_check_error();
    df_run_history_free(history);
    return 0;
}
