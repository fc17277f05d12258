/* The checkpoints beside NAME.pt: the best validation's, and those of all or the newest. They hold what
 * NAME.pt has just got, written once more: a second name for that file would be one file for whoever copies
 * something over it, and not every file system has such names. */
#include "cut_epoch.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Another run of the name has left a configuration beside its checkpoint. Takes the path of that over. */
static int check_no_run(const struct df_training *training, char *configuration, const char *path)
{
    const bool other = configuration && access(configuration, F_OK) == 0 && path && access(path, F_OK) == 0;

    if (other)
        df_error_set("%s is the checkpoint of another run, and one of the run %s has the same name: another "
                     "--exp_name or --output_dir keeps both",
                     path, training->files->name);
    const int status = configuration && path && !other ? 0 : -1;
    free(configuration);
    return status;
}

static int check_epoch(const struct df_training *training, int64_t number)
{
    char *path = training_kept_path(training, number);
    const int status =
        check_no_run(training, df_run_epoch_file(training->files, "_e", number, "_config.json"), path);

    free(path);
    return status;
}

int training_check_kept(const struct df_training *training)
{
    const struct df_run_files *files = training->files;
    const int64_t epochs = training->options.keep_checkpoints > 0 ? training->options.epochs : 0;

    DF_TRY(check_no_run(training, df_run_file(files, "_best_config.json"), training->best_path));
    for (int64_t epoch = 0; epoch < epochs; epoch++)
        DF_TRY(check_epoch(training, training_file_epoch(training, epoch)));
    return 0;
}

static int write_kept(const struct df_training *training, int64_t number)
{
    char *path = training_kept_path(training, number);
    int status = path ? df_check_other_file(path, training->setup->weights_path) : -1;

    if (status == 0)
        status = training_write(training, path);
    free(path);
    return status;
}

static int remove_kept(const struct df_training *training, int64_t number)
{
    char *path = training_kept_path(training, number);

    if (!path)
        return -1;
    if (unlink(path) != 0 && errno != ENOENT)
        df_log("warning: cannot remove %s, an older checkpoint: %s", path, strerror(errno));
    free(path);
    return 0;
}

static bool keeps_epochs(const struct df_training *training)
{
    return training->options.keep_checkpoints > 0 && training_epoch_is_whole(training);
}

static bool is_newest(const struct kept_checkpoints *kept, int64_t number)
{
    return kept->count > 0 && kept->numbers[kept->count - 1] == number;
}

bool training_has_kept(const struct df_training *training, int64_t epoch)
{
    return !keeps_epochs(training) || is_newest(&training->kept, training_file_epoch(training, epoch));
}

int training_keep(struct df_training *training, int64_t epoch)
{
    struct kept_checkpoints *kept = &training->kept;
    const int64_t most = training->options.keep_checkpoints, number = training_file_epoch(training, epoch);

    if (!keeps_epochs(training))
        return 0;
    if (is_newest(kept, number)) /* by the process that this run goes on from */
        return write_kept(training, number);
    int64_t *numbers = realloc(kept->numbers, (size_t)(kept->count + 1) * sizeof *numbers);
    if (!numbers)
        return df_error_memory("the list of checkpoints", (size_t)(kept->count + 1) * sizeof *numbers);
    kept->numbers = numbers;
    DF_TRY(write_kept(training, number));
    numbers[kept->count++] = number;
    while (kept->count > most) {
        DF_TRY(remove_kept(training, numbers[0]));
        memmove(numbers, numbers + 1, (size_t)--kept->count * sizeof *numbers);
    }
    return 0;
}

int training_judge(struct df_training *training, int64_t epoch, const struct df_scores *scores)
{
    const enum df_best_metric metric = training->options.best_metric;

    if (!training_epoch_is_whole(training))
        DF_TRY(cut_epoch_remember(training));
    if (!df_best_judge(&training->best, metric, epoch, df_best_score(metric, scores)))
        return 0;
    return training_write(training, training->best_path);
}

bool training_stops_early(const struct df_training *training, int64_t epoch)
{
    const int64_t most = training->options.early_stop;

    if (most == 0 || training->best.since < most)
        return false;
    if (epoch + 1 < training->options.epochs && !training_out_of_steps(training))
        df_log("stopped early: %" PRId64 " validations without a better %s", training->best.since,
               df_best_metric_title(training->options.best_metric));
    return true;
}

void training_log_best(const struct df_training *training)
{
    const struct df_best_so_far *best = &training->best;
    const char *title = df_best_metric_title(training->options.best_metric);
    char score[DF_BEST_SCORE_TEXT];

    if (best->epoch >= 0)
        df_log("the best epoch was %" PRId64 "/%" PRId64 " with %s %s: %s%s", best->epoch + 1,
               training->options.epochs, title,
               df_best_score_text(training->options.best_metric, best->score, score), training->best_path,
               access(training->best_path, F_OK) == 0 ? "" : ", which is not there any more");
    else if (best->since > 0)
        df_log("no validation had a %s: there is no best epoch", title);
}
