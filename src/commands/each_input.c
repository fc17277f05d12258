#include "each_input.h"

#include "commands.h"
#include "interrupt.h"

#include "dinoft/error.h"
#include "dinoft/progress.h"

#include <limits.h>
#include <math.h>
#include <string.h>

int each_input_in_order(const struct df_config *config, const char *label, each_input_work *work,
                        void *context)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    struct df_progress *progress = df_progress_open(stderr, label, config->n_inputs);
    int status = 0;

    for (int i = 0; i < config->n_inputs && status == 0; i++) {
        if (*stop)
            status = EXIT_INTERRUPTED;
        else if (work(context, i) != 0)
            status = 1;
        else
            df_progress_update(progress, i + 1, i + 1, NAN);
    }
    df_progress_close(progress);
    return status;
}

/* What the threads share; written in one critical section. */
struct state {
    struct df_progress *progress;
    int done;
    int failed; /* the first image that failed */
    char error[DF_ERROR_TEXT_MAX];
};

static void note_result(struct state *state, int i, int result)
{
    if (result == 0) {
        state->done++;
        df_progress_update(state->progress, state->done, state->done, NAN);
    } else if (i < state->failed) {
        state->failed = i;
        strncpy(state->error, df_error_text(), sizeof state->error - 1);
    }
}

int each_input_at_once(const struct df_config *config, const char *label, each_input_work *work,
                       void *context)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    struct state state = {.progress = df_progress_open(stderr, label, config->n_inputs), .failed = INT_MAX};
    bool ending = false;

#pragma omp parallel for schedule(dynamic)
    for (int i = 0; i < config->n_inputs; i++) {
        bool skip;
#pragma omp atomic read
        skip = ending;
        if (skip || *stop)
            continue;
        const int result = work(context, i);
        if (result != 0) {
#pragma omp atomic write
            ending = true;
        }
#pragma omp critical(each_input)
        note_result(&state, i, result);
    }
    df_progress_close(state.progress);
    if (state.failed < INT_MAX) {
        df_error_set("%s", state.error);
        return 1;
    }
    return state.done < config->n_inputs ? EXIT_INTERRUPTED : 0;
}
