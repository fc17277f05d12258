#include "run_log.h"

#include "dinoft/error.h"
#include "dinoft/json_writer.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int run_log_init(struct run_log *log, const char *folder, const char *name, char *const *class_names,
                 int n_classes)
{
    memset(log, 0, sizeof *log);
    log->class_names = class_names;
    log->n_classes = n_classes;
    log->steps_path = df_text_format("%s/%s_steps.csv", folder, name);
    log->metrics_path = df_text_format("%s/%s_metrics.json", folder, name);
    return log->steps_path && log->metrics_path ? 0 : -1;
}

void run_log_free(struct run_log *log)
{
    if (log->steps)
        fclose(log->steps);
    free(log->steps_path);
    free(log->metrics_path);
    free(log->train_loss);
    for (int64_t i = 0; i < log->n_validations; i++)
        free(log->validations[i].class_iou);
    free(log->validations);
    memset(log, 0, sizeof *log);
}

static int cannot_write(const struct run_log *log)
{
    return df_error_set("cannot write %s: %s", log->steps_path, strerror(errno));
}

static int open_steps(struct run_log *log, const char *mode)
{
    log->steps = fopen(log->steps_path, mode);
    if (!log->steps)
        return cannot_write(log);
    setvbuf(log->steps, NULL, _IOLBF, 0); /* whole lines, for those who watch the file */
    return 0;
}

int64_t run_log_steps_bytes(const struct run_log *log)
{
    return log->steps ? (int64_t)ftello(log->steps) : 0;
}

int run_log_sync(struct run_log *log)
{
    if (!log->steps || (fflush(log->steps) == 0 && (fsync(fileno(log->steps)) == 0 || errno == EINVAL)))
        return 0;
    return cannot_write(log);
}

int run_log_go_on(struct run_log *log)
{
    const int64_t bytes = log->earlier_bytes;
    struct stat facts;

    DF_TRY(run_log_write(log));
    if (bytes == 0)
        return 0;
    if (stat(log->steps_path, &facts) != 0) {
        df_log("warning: %s is not there: it has only what comes now", log->steps_path);
        return 0;
    }
    if (facts.st_size < bytes)
        df_log("warning: %s has not all steps that the run has done: its first part is missing or was cut",
               log->steps_path);
    else if (truncate(log->steps_path, (off_t)bytes) != 0)
        return cannot_write(log);
    DF_TRY(open_steps(log, "a"));
    return fseeko(log->steps, 0, SEEK_END) == 0 ? 0 : cannot_write(log);
}

int run_log_step(struct run_log *log, const struct df_step_seen *step)
{
    if (!log->steps) {
        DF_TRY(open_steps(log, "w"));
        fprintf(log->steps, "epoch,step,loss,lr,images_per_second,gradient_norm\n");
    }
    fprintf(log->steps, "%" PRId64 ",%" PRId64 ",%.9g,%.9g,%.5g,%.6g\n", step->epoch, step->step, step->loss,
            step->lr, step->images_per_second, step->gradient_norm);
    return ferror(log->steps) ? cannot_write(log) : 0;
}

static double loss_of(const struct run_validation *validation)
{
    return validation->loss;
}

static double miou_of(const struct run_validation *validation)
{
    return validation->miou;
}

static double pixel_accuracy_of(const struct run_validation *validation)
{
    return validation->pixel_accuracy;
}

static double reference_iou_of(const struct run_validation *validation)
{
    return validation->reference_iou;
}

static double reference_miou_of(const struct run_validation *validation)
{
    return validation->reference_miou;
}

static double epoch_of(const struct run_validation *validation)
{
    return (double)validation->epoch;
}

static void add_validations(struct df_json *json, const struct run_log *log, const char *name,
                            double (*value_of)(const struct run_validation *))
{
    df_json_array(json, name);
    for (int64_t i = 0; i < log->n_validations; i++)
        df_json_number(json, NULL, value_of(&log->validations[i]));
    df_json_close(json);
}

static void add_class_iou(struct df_json *json, const struct run_log *log)
{
    df_json_array(json, "class_names");
    for (int i = 0; i < log->n_classes; i++)
        df_json_text(json, NULL, log->class_names[i]);
    df_json_close(json);
    df_json_array(json, "val_class_iou");
    for (int64_t i = 0; i < log->n_validations; i++) {
        df_json_array(json, NULL);
        for (int class_index = 0; class_index < log->n_classes; class_index++)
            df_json_number(json, NULL, log->validations[i].class_iou[class_index]);
        df_json_close(json);
    }
    df_json_close(json);
}

/* {"train_loss": [...], "val_loss": [...], "val_iou": [...]} as main.py's, with more lists beside them. */
int run_log_write(const struct run_log *log)
{
    struct df_json json = {0};

    df_json_object(&json, NULL);
    df_json_array(&json, "train_loss");
    for (int64_t i = 0; i < log->n_epochs; i++)
        df_json_number(&json, NULL, log->train_loss[i]);
    df_json_close(&json);
    add_validations(&json, log, "val_loss", loss_of);
    add_validations(&json, log, "val_iou", miou_of);
    add_validations(&json, log, "val_pixel_accuracy", pixel_accuracy_of);
    add_validations(&json, log, "val_reference_iou", reference_iou_of);
    add_validations(&json, log, "val_reference_miou", reference_miou_of);
    add_validations(&json, log, "val_epoch", epoch_of);
    add_class_iou(&json, log);
    df_json_close(&json);
    return df_json_write(&json, log->metrics_path);
}

int run_log_add_epoch(struct run_log *log, double train_loss)
{
    double *losses = realloc(log->train_loss, (size_t)(log->n_epochs + 1) * sizeof *losses);
    if (!losses)
        return df_error_memory("the run's log", (unsigned long long)(log->n_epochs + 1) * sizeof *losses);
    log->train_loss = losses;
    log->train_loss[log->n_epochs++] = train_loss;
    return 0;
}

int run_log_add_validation(struct run_log *log, const struct run_validation *validation)
{
    size_t bytes = (size_t)(log->n_validations + 1) * sizeof *log->validations;
    struct run_validation *validations = realloc(log->validations, bytes);
    if (!validations)
        return df_error_memory("the run's log", bytes);
    log->validations = validations;
    bytes = (size_t)log->n_classes * sizeof(double);
    double *class_iou = malloc(bytes);
    if (!class_iou)
        return df_error_memory("the run's log", bytes);
    memcpy(class_iou, validation->class_iou, bytes);
    validations[log->n_validations] = *validation;
    validations[log->n_validations++].class_iou = class_iou;
    return 0;
}

int run_log_epoch(struct run_log *log, double train_loss)
{
    DF_TRY(run_log_add_epoch(log, train_loss));
    return run_log_write(log);
}

int run_log_validation(struct run_log *log, const struct run_validation *validation)
{
    DF_TRY(run_log_add_validation(log, validation));
    return run_log_write(log);
}
