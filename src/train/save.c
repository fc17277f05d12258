/* Checkpoints, and the states that belong to them. */
#include "run_state.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/weight_file.h"

#include <inttypes.h>

/* The moving average where there is one. Weights that can be read again, and that the last batch still makes
 * finite logits of: its loss was found before they were changed. */
static int check_model(struct df_training *training)
{
    struct df_segmenter *segmenter = training->segmenter;

    DF_TRY(df_segmenter_use_average(segmenter, true));
    if (df_segmenter_check_parameters(segmenter) == 0 &&
        (training->last_count == 0 ||
         df_segmenter_forward(segmenter, training->last_count, false, NULL) == 0))
        return 0;
    training->worthless = true;
    return df_error_context("step %" PRId64
                            ": training diverged and is not saved (a smaller learning rate may help)",
                            training->step);
}

int training_write(const struct df_training *training, const char *path)
{
    struct df_state *checkpoint = df_checkpoint_state(training->segmenter, &training->record);
    const int status = checkpoint ? df_weight_file_write(path, checkpoint) : -1;

    df_state_free(checkpoint);
    return status;
}

int training_save_alone(struct df_training *training, const char *path)
{
    DF_TRY(check_model(training));
    return training_write(training, path);
}

int training_save(struct df_training *training)
{
    DF_TRY(check_model(training));
    struct df_state *checkpoint = df_checkpoint_state(training->segmenter, &training->record);
    const uint64_t content = checkpoint ? df_state_digest(checkpoint, NULL) : 0;
    int status = -1;

    if (checkpoint && run_state_write(training, content) == 0)
        status = df_weight_file_write(training->checkpoint_path, checkpoint);
    if (status == 0) {
        training->checkpoint_content = content;
        training->saved_at = df_seconds();
    }
    df_state_free(checkpoint);
    return status == 0 ? training_discard_older(training) : status;
}
