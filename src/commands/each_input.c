#include "each_input.h"

#include "commands.h"
#include "interrupt.h"

#include "dinoft/progress.h"

#include <math.h>

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
