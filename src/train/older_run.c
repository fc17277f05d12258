/* What an older run of the name has left goes when a new one takes its place, or it would look like the new
 * one's: what it would go on from with the first step, its models when there is a new one. */
#include "run_state.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/weight_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Takes the path over. The checkpoint that the new run started from stays. */
static int remove_file(const struct df_training *training, char *path)
{
    int status = path ? 0 : -1;

    if (path && df_check_other_file(path, training->setup->model.checkpoint_path) == 0 && unlink(path) != 0 &&
        errno != ENOENT)
        status = df_error_set("cannot remove %s, of an earlier run: %s", path, strerror(errno));
    free(path);
    return status;
}

static void remember_checkpoint(struct df_training *training)
{
    if (access(training->checkpoint_path, F_OK) != 0)
        return;
    /* One that cannot be read is replaced as well. */
    struct df_state *checkpoint = df_weight_file_read(training->checkpoint_path, NULL);
    training->checkpoint_content = checkpoint ? df_state_digest(checkpoint, NULL) : 0;
    df_state_free(checkpoint);
}

int training_retire_older(struct df_training *training)
{
    static const char *const endings[] = {".state", "_metrics.json", "_report.html"};

    /* Those that its state knows of: others of such names need not be its own. */
    DF_TRY(run_state_kept(training, &training->older_kept));
    training->older_is_there = true;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        DF_TRY(remove_file(training, df_run_file(training->files, endings[i])));
    remember_checkpoint(training);
    return 0;
}

int training_discard_older(struct df_training *training)
{
    static const char *const endings[] = {"_best.pt", "_stopped.pt"};
    const struct kept_checkpoints *kept = &training->older_kept;

    if (!training->older_is_there)
        return 0;
    for (int64_t i = 0; i < kept->count; i++)
        DF_TRY(remove_file(training, training_kept_path(training, kept->numbers[i])));
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        DF_TRY(remove_file(training, df_run_file(training->files, endings[i])));
    training->older_is_there = false;
    return 0;
}
