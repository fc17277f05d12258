#define _GNU_SOURCE /* open_memstream */

#include "run_record.h"
#include "version.h"

#include "dinoft/error.h"
#include "dinoft/json_writer.h"
#include "dinoft/log.h"
#include "dinoft/revision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum df_precision precision_of(const struct df_backend *backend)
{
    return backend->compute == DF_BF16 ? DF_PRECISION_BF16 : DF_PRECISION_FP32;
}

/* The settings that count in the end. Numbers of threads stay as they were asked for; what "all" was is a
 * fact. */
static struct df_config effective(const struct run_record *run)
{
    const struct df_setup *setup = run->setup;
    struct df_config config = *run->config;

    config.exp_name = run->files->name;
    config.weights = setup->weights_path;
    config.img_dim[0] = setup->model.height;
    config.img_dim[1] = setup->model.width;
    config.normalize = setup->normalize;
    config.cache_features = df_training_features(run->training);
    config.precision = precision_of(setup->backend);
    if (config.device == DF_DEVICE_AUTO)
        config.device = strcmp(setup->backend->name, "cpu") == 0 ? DF_DEVICE_CPU : DF_DEVICE_CUDA;
    return config;
}

static void add_command_line(struct df_json *json, char **words)
{
    df_json_array(json, "command_line");
    for (; words && *words; words++)
        df_json_text(json, NULL, *words);
    df_json_close(json);
}

/* "KEY:   VALUE"; of the environment's variables the name is the key. */
static void add_fact(struct df_json *json, char *line)
{
    char *colon = strchr(line, ':'), *equals = NULL;

    if (!colon)
        return;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " ");
    if (strcmp(line, "environment") == 0)
        equals = strchr(value, '=');
    if (equals)
        *equals = '\0';
    df_json_text(json, equals ? value : line, equals ? equals + 1 : value);
}

/* What `dinoft --version --verbose` says, to be freed. NULL with the error set. */
static char *machine_facts(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    if (stream)
        print_facts(stream);
    if (stream && fclose(stream) == 0)
        return text;
    df_error_memory("what is known of the machine", 0);
    free(text);
    return NULL;
}

static void add_machine(struct df_json *json, char *text)
{
    char *rest;

    df_json_object(json, "machine");
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        add_fact(json, line);
    df_json_close(json);
}

static void add_class_weights(struct df_json *json, const struct run_record *run)
{
    const struct df_loss_options *loss = &run->setup->model.loss;

    if (!loss->weighted)
        return;
    df_json_array(json, "class_weights");
    for (int i = 0; i < run->train_set->n_classes; i++)
        df_json_number(json, NULL, (double)loss->class_weights[i]);
    df_json_close(json);
}

/* Which images --shots has chosen. */
static void add_chosen_images(struct df_json *json, const struct run_record *run)
{
    if (run->config->shots == 0)
        return;
    df_json_array(json, "training_image_names");
    for (int64_t i = 0; i < run->train_set->count; i++)
        df_json_text(json, NULL, run->train_set->samples[i].name);
    df_json_close(json);
}

/* machine: the text, which is cut. */
static void add_facts(struct df_json *json, const struct run_record *run, const struct df_config *config,
                      char *machine)
{
    const struct df_backend *backend = run->setup->backend;
    char text[DF_VIT_TEXT];

    df_json_object(json, DF_CONFIG_FACTS);
    add_command_line(json, run->config->command_line);
    df_config_add_origins(json, config);
    df_json_text(json, "revision", DINOFT_REVISION);
    df_json_text(json, "device", backend->name);
    df_json_text(json, "precision", df_choice_text(DF_OPTION_PRECISION, (int)precision_of(backend)));
    df_json_integer(json, "threads", backend->threads);
    df_json_integer(json, "num_workers", df_training_workers(run->training));
    df_json_text(json, "cache_features",
                 df_choice_text(DF_OPTION_CACHE_FEATURES, (int)df_training_features(run->training)));
    df_json_text(json, "backbone", df_vit_describe(&run->setup->vit, text));
    df_json_text(json, "decoder", run->setup->model.decoder);
    df_json_integer(json, "n_classes", run->train_set->n_classes);
    add_class_weights(json, run);
    df_json_integer(json, "training_images", run->train_set->count);
    add_chosen_images(json, run);
    df_json_integer(json, "validation_images", run->val_set ? run->val_set->count : 0);
    add_machine(json, machine);
    df_json_close(json);
}

static int write_record(const struct run_record *run)
{
    const struct df_config config = effective(run);
    struct df_json json = {0};
    char *path = df_run_file(run->files, "_config.json"), *machine = path ? machine_facts() : NULL;
    int status = -1;

    if (machine) {
        df_config_to_json(&json, &config);
        add_facts(&json, run, &config, machine);
        df_json_close(&json);
        status = df_json_write(&json, path);
    }
    free(machine);
    free(path);
    return status;
}

/* A disk that is full for a moment is no reason to give up. */
static int try_to_write(struct run_record *run)
{
    run->tried = true;
    run->written = write_record(run) == 0;
    if (!run->written)
        df_log("warning: the settings are not recorded: %s", df_error_text());
    return 0;
}

static int step(void *context, const struct df_step_seen *seen)
{
    struct run_record *run = context;

    (void)seen;
    return run->tried ? 0 : try_to_write(run);
}

static int leave_epoch(void *context, const struct df_epoch_seen *seen)
{
    struct run_record *run = context;

    return run->written || !seen->is_saved ? 0 : try_to_write(run);
}

struct df_training_observer run_record_observer(struct run_record *run)
{
    return (struct df_training_observer){
        .name = "the record of the settings",
        .context = run,
        .leave_epoch = leave_epoch,
        .step = step,
    };
}
