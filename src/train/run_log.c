#include "run_log.h"

#include "dinoft/error.h"
#include "dinoft/json_file.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int run_log_init(struct run_log *log, const char *folder, const char *name)
{
    memset(log, 0, sizeof *log);
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
    free(log->validations);
    memset(log, 0, sizeof *log);
}

int run_log_step(struct run_log *log, int64_t epoch, int64_t step, double loss, double lr,
                 double images_per_second)
{
    if (!log->steps) {
        log->steps = fopen(log->steps_path, "w");
        if (!log->steps)
            return df_error_set("cannot write %s: %s", log->steps_path, strerror(errno));
        setvbuf(log->steps, NULL, _IOLBF, 0); /* whole lines, for those who watch the file */
        fprintf(log->steps, "epoch,step,loss,lr,images_per_second\n");
    }
    fprintf(log->steps, "%" PRId64 ",%" PRId64 ",%.9g,%.9g,%.5g\n", epoch, step, loss, lr, images_per_second);
    if (ferror(log->steps))
        return df_error_set("cannot write %s: %s", log->steps_path, strerror(errno));
    return 0;
}

/* {"train_loss": [...], "val_loss": [...], "val_iou": [...]} as main.py's, with two more lists beside them.
 */
static int write_metrics(const struct run_log *log)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *train_loss = cJSON_AddArrayToObject(object, "train_loss");
    cJSON *val_loss = cJSON_AddArrayToObject(object, "val_loss");
    cJSON *val_iou = cJSON_AddArrayToObject(object, "val_iou");
    cJSON *val_reference_iou = cJSON_AddArrayToObject(object, "val_reference_iou");
    cJSON *val_epoch = cJSON_AddArrayToObject(object, "val_epoch");

    for (int64_t i = 0; i < log->n_epochs; i++)
        cJSON_AddItemToArray(train_loss, df_json_number(log->train_loss[i]));
    for (int64_t i = 0; i < log->n_validations; i++) {
        const struct run_validation *validation = &log->validations[i];
        cJSON_AddItemToArray(val_loss, df_json_number(validation->loss));
        cJSON_AddItemToArray(val_iou, df_json_number(validation->miou));
        cJSON_AddItemToArray(val_reference_iou, df_json_number(validation->reference_iou));
        cJSON_AddItemToArray(val_epoch, df_json_number((double)validation->epoch));
    }
    int status = df_json_write(log->metrics_path, object);
    cJSON_Delete(object);
    return status;
}

int run_log_epoch(struct run_log *log, double train_loss)
{
    double *losses = realloc(log->train_loss, (size_t)(log->n_epochs + 1) * sizeof *losses);
    if (!losses)
        return df_error_memory("the run's log", (unsigned long long)(log->n_epochs + 1) * sizeof *losses);
    log->train_loss = losses;
    log->train_loss[log->n_epochs++] = train_loss;
    return write_metrics(log);
}

int run_log_validation(struct run_log *log, const struct run_validation *validation)
{
    size_t bytes = (size_t)(log->n_validations + 1) * sizeof *log->validations;
    struct run_validation *validations = realloc(log->validations, bytes);
    if (!validations)
        return df_error_memory("the run's log", bytes);
    log->validations = validations;
    log->validations[log->n_validations++] = *validation;
    return write_metrics(log);
}
