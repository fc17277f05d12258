#include "optimizer.h"

#include "dinoft/error.h"

#include <assert.h>

/* PyTorch's defaults. */
#define BETA1    0.9
#define BETA2    0.999
#define ADAM_EPS 1e-8

/* Uploaded for each step: what a graph's operations find there is of the step that replays it. */
struct df_step_scalars {
    struct df_adamw_scalars groups[DF_PARAMETER_GROUPS];
    float average_weight; /* of the new values in the moving average */
};

void optimizer_plan(struct df_optimizer *optimizer, struct df_arena *arena, bool accumulates)
{
    assert(optimizer->options.lr_head > 0.0 && optimizer->options.lr_lora > 0.0 &&
           optimizer->options.lora_scale > 0.0 &&
           optimizer->options.lora_plus > 0.0); /* 0: nobody filled them in */
    const int64_t length = df_parameters_length(optimizer->parameters);

    optimizer->outcome = df_arena_take(arena, "loss and norm", (int64_t)sizeof *optimizer->outcome, DF_U8);
    optimizer->scalars =
        df_arena_take(arena, "scalars of the update", (int64_t)sizeof *optimizer->scalars, DF_U8);
    optimizer->part_loss = optimizer->outcome ? &optimizer->outcome->loss : NULL;
    if (accumulates) {
        optimizer->part_loss =
            df_arena_take(arena, "loss of a part", (int64_t)sizeof *optimizer->part_loss, DF_U8);
        optimizer->sums = df_arena_take(arena, "sums of gradients", length, DF_F32);
    }
    if (optimizer->options.ema > 0.0)
        optimizer->average = df_arena_take(arena, "moving average", length, DF_F32);
}

int optimizer_start(struct df_optimizer *optimizer)
{
    if (!optimizer->average)
        return 0;
    return optimizer->backend->ops->zero(optimizer->backend, optimizer->average,
                                         (size_t)df_parameters_length(optimizer->parameters) *
                                             sizeof *optimizer->average);
}

void optimizer_free(struct df_optimizer *optimizer)
{
    if (optimizer->backend)
        optimizer->backend->ops->graph_free(optimizer->backend, optimizer->graph);
}

int optimizer_begin_part(struct df_optimizer *optimizer)
{
    const struct df_backend_ops *ops = optimizer->backend->ops;

    assert(!optimizer->averaged && (optimizer->sums || optimizer->parts == 0));
    if (optimizer->parts++ > 0 || !optimizer->sums)
        return 0;
    DF_TRY(ops->zero(optimizer->backend, &optimizer->outcome->loss, sizeof optimizer->outcome->loss));
    return ops->zero(optimizer->backend, optimizer->sums,
                     (size_t)df_parameters_length(optimizer->parameters) * sizeof *optimizer->sums);
}

int optimizer_add_part(struct df_optimizer *optimizer)
{
    const struct df_parameters *parameters = optimizer->parameters;

    if (!optimizer->sums)
        return 0;
    return optimizer->backend->ops->add_gradient(optimizer->backend, parameters->gradients,
                                                 df_parameters_length(parameters), optimizer->part_loss,
                                                 optimizer->sums, &optimizer->outcome->loss);
}

static struct df_adamw group_settings(const struct df_optimizer *optimizer, enum df_parameter_group group,
                                      double lr)
{
    const struct df_optimizer_options *options = &optimizer->options;
    const bool is_lora = group == DF_GROUP_LORA_A || group == DF_GROUP_LORA_B || group == DF_GROUP_LORA_M;
    const bool is_1d = group == DF_GROUP_LORA_M || group == DF_GROUP_VECTORS;
    struct df_adamw settings = {
        .lr = lr * (is_lora ? options->lr_lora : options->lr_head),
        .beta1 = BETA1,
        .beta2 = BETA2,
        .eps = ADAM_EPS,
        .weight_decay = is_1d && !options->decay_1d ? 0.0 : options->weight_decay,
        .step = optimizer->steps,
    };

    /* What is kept is S = scale * B, whose gradient is B's divided by the scale. So AdamW's step of B, times
     * the scale, is this one of S; the decay's factor, 1 - lr * weight_decay, stays. */
    if (group == DF_GROUP_LORA_B) {
        settings.lr *= options->lora_plus * options->lora_scale;
        settings.eps /= options->lora_scale;
        settings.weight_decay /= options->lora_scale;
    }
    return settings;
}

static struct df_step_scalars scalars_of(const struct df_optimizer *optimizer, double lr)
{
    const struct df_optimizer_options *options = &optimizer->options;
    struct df_step_scalars scalars;

    for (int group = 0; group < DF_PARAMETER_GROUPS; group++) {
        const struct df_adamw settings = group_settings(optimizer, (enum df_parameter_group)group, lr);
        scalars.groups[group] = df_adamw_scalars(&settings);
    }
    /* The first average is a copy, as PyTorch's AveragedModel has it. */
    scalars.average_weight = optimizer->steps == 1 ? 1.0f : (float)(1.0 - options->ema);
    return scalars;
}

static int update_group(const struct df_optimizer *optimizer, int group, const float *gradients)
{
    const struct df_parameters *parameters = optimizer->parameters;
    const int64_t first = parameters->group_first[group];

    return optimizer->backend->ops->adamw(optimizer->backend, &optimizer->scalars->groups[group],
                                          &optimizer->outcome->scale, parameters->values + first,
                                          gradients + first, parameters->m + first, parameters->v + first,
                                          parameters->group_first[group + 1] - first);
}

/* On the device alone. */
static int update(void *argument)
{
    const struct df_optimizer *optimizer = argument;
    const struct df_parameters *parameters = optimizer->parameters;
    const struct df_backend_ops *ops = optimizer->backend->ops;
    const float *gradients = optimizer->sums ? optimizer->sums : parameters->gradients;

    DF_TRY(ops->gradient_scale(optimizer->backend, gradients, df_parameters_length(parameters),
                               optimizer->sums ? &optimizer->outcome->loss : NULL,
                               optimizer->options.grad_clip, &optimizer->outcome->scale));
    for (int group = 0; group < DF_PARAMETER_GROUPS; group++) {
        if (parameters->group_first[group + 1] > parameters->group_first[group])
            DF_TRY(update_group(optimizer, group, gradients));
    }
    if (!optimizer->average)
        return 0;
    return ops->moving_average(optimizer->backend, parameters->values, &optimizer->scalars->average_weight,
                               optimizer->average, df_parameters_length(parameters));
}

int optimizer_update(struct df_optimizer *optimizer, double lr)
{
    const struct df_backend_ops *ops = optimizer->backend->ops;

    optimizer->steps++;
    optimizer->parts = 0;
    const struct df_step_scalars scalars = scalars_of(optimizer, lr);
    DF_TRY(ops->upload(optimizer->backend, optimizer->scalars, &scalars, sizeof scalars));
    DF_TRY(ops->graph_replay(optimizer->backend, &optimizer->graph, update, optimizer));
    if (optimizer->results < DF_FETCH_SLOTS)
        optimizer->results++;
    return ops->fetch(optimizer->backend, (int)(optimizer->steps % DF_FETCH_SLOTS), optimizer->outcome,
                      sizeof *optimizer->outcome);
}

int optimizer_outcome(struct df_optimizer *optimizer, struct df_step_outcome *outcome)
{
    const int64_t step = optimizer->steps - optimizer->results + 1;

    assert(optimizer->results > 0);
    optimizer->results--;
    return optimizer->backend->ops->fetched(optimizer->backend, (int)(step % DF_FETCH_SLOTS), outcome,
                                            sizeof *outcome);
}

int optimizer_use_average(struct df_optimizer *optimizer, bool averaged)
{
    const struct df_backend_ops *ops = optimizer->backend->ops;
    const struct df_parameters *parameters = optimizer->parameters;
    const size_t bytes = (size_t)df_parameters_length(parameters) * sizeof(float);

    if (!optimizer->average || optimizer->steps == 0 || averaged == optimizer->averaged)
        return 0;
    optimizer->averaged = averaged;
    DF_TRY(ops->copy(optimizer->backend, parameters->gradients, parameters->values, bytes));
    DF_TRY(ops->copy(optimizer->backend, parameters->values, optimizer->average, bytes));
    return ops->copy(optimizer->backend, optimizer->average, parameters->gradients, bytes);
}
