/* What observers hear at the beginning of a run. */
#include "training.h"

#include "dinoft/size.h"

void training_start_observers(struct df_training *training, const struct df_state *state)
{
    const struct df_training_options *options = &training->options;
    const int64_t all = options->epochs * training->epoch_steps,
                  steps = options->max_steps > 0 ? df_min_i64(options->max_steps, all) : all,
                  last = (steps - 1) / training->epoch_steps; /* epoch, from 0 */
    const struct df_run_start run = {
        .epochs = options->epochs,
        .epoch_steps = training->epoch_steps,
        .steps = steps,
        .validations =
            training->val_set ? last / options->val_every + 1 + (last % options->val_every != 0) : 0,
        .done = training->step,
        .validated = training->log.n_validations,
        .best = training->best.score,
        .best_metric = options->best_metric,
        .state = state,
    };

    observers_start(&training->observers, &run);
}
