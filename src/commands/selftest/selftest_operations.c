/* Each operation's cases on a device: odd sizes against plain loops, the sizes of a model's step against the
 * CPU in float32, with their time. */
#include "selftest.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"

#include <math.h>
#include <stdio.h>

#define COPY_BYTES   ((size_t)256 << 20)
#define COPY_SECONDS 0.2

struct selftest {
    const struct selftest_setting *setting;
    struct df_backend *reference, *device;
    selftest_report *report;
    void *context;
    int *disagreements;
};

static void hand_out(const struct selftest *test, const struct selftest_line *line)
{
    test->report(line, test->context);
    *test->disagreements += !line->worst.agrees;
}

static int run_on_device(const struct selftest *test, const struct df_case *c, struct df_case_error *error,
                         double *seconds)
{
    struct df_case_run run;
    int status = -1;

    if (df_case_run_open(&run, c, test->device) == 0 && df_case_call(c, &run) == 0)
        status = df_case_compare(c, &run, error);
    if (status == 0 && seconds && test->setting->seconds > 0.0)
        status = df_case_time(c, &run, test->setting->seconds, seconds);
    df_case_run_close(&run);
    return status;
}

static int run_odd_sizes(const struct selftest *test, const struct df_case_set *set)
{
    char shape[48];
    struct selftest_line line = {.operation = set->operation, .shape = shape, .worst = {.agrees = true}};

    snprintf(shape, sizeof shape, "%d odd sizes, with plain loops", set->n_odd);
    for (int i = 0; i < set->n_odd; i++) {
        struct df_case c;
        struct df_case_error error;
        int status = df_case_open(&c, set, set->odd[i], test->device->compute, test->setting->seed);
        if (status == 0)
            status = df_case_expect(&c);
        if (status == 0)
            status = run_on_device(test, &c, &error, NULL);
        df_case_close(&c);
        DF_TRY(status);
        df_case_note(&line.worst, &error);
    }
    hand_out(test, &line);
    return 0;
}

/* What the CPU in float32 finds; the plain loops where it has no such operation. */
static int expect_reference(const struct selftest *test, struct df_case *c)
{
    struct df_case_run run;
    int status = -1;

    if (c->set->supported && !c->set->supported(test->reference))
        return df_case_expect(c);
    if (df_case_run_open(&run, c, test->reference) == 0 && df_case_call(c, &run) == 0)
        status = df_case_expect_results(c, &run);
    df_case_run_close(&run);
    return status;
}

static int run_use(const struct selftest *test, const struct df_case_set *set, const int64_t *sizes)
{
    struct selftest_line line = {.operation = set->operation};
    struct df_work work;
    struct df_case c;
    int status = df_case_open(&c, set, sizes, test->device->compute, test->setting->seed);

    if (status == 0)
        status = expect_reference(test, &c);
    if (status == 0)
        status = df_case_work(&c, &work);
    test->device->algorithm[0] = '\0';
    if (status == 0)
        status = run_on_device(test, &c, &line.worst, &line.seconds);
    df_case_close(&c);
    DF_TRY(status);
    line.shape = work.shape;
    line.algorithm = test->device->algorithm;
    line.flops = work.flops;
    line.bytes = work.bytes;
    hand_out(test, &line);
    return 0;
}

static struct df_case_model case_model(const struct selftest_setting *setting)
{
    const struct df_vit_config *vit = &setting->vit;
    return (struct df_case_model){
        .batch = setting->batch,
        .height = setting->height,
        .width = setting->width,
        .patch = vit->patch,
        .prefix = 1 + vit->registers,
        .depth = vit->depth,
        .dim = vit->dim,
        .heads = vit->heads,
        .head_size = vit->head_size,
        .hidden = vit->ffn_hidden,
        .swiglu = vit->ffn == DF_FFN_SWIGLU,
        .classes = setting->classes,
        .rank = setting->rank,
    };
}

static int run_set(const struct selftest *test, const struct df_case_set *set)
{
    const struct df_case_model model = case_model(test->setting);
    int64_t sizes[DF_CASE_USES][DF_CASE_SIZES] = {{0}};

    if (set->supported && !set->supported(test->device)) {
        const struct selftest_line line = {.operation = set->operation,
                                           .shape = "not an operation of this device",
                                           .worst = {.agrees = true}};
        hand_out(test, &line);
        return 0;
    }
    DF_TRY(run_odd_sizes(test, set));
    const int uses = set->uses(&model, sizes);
    for (int i = 0; i < uses; i++)
        DF_TRY(run_use(test, set, sizes[i]));
    return 0;
}

int selftest_operations(struct df_backend *reference, struct df_backend *device,
                        const struct selftest_setting *setting, selftest_report *report, void *context,
                        int *disagreements)
{
    const struct selftest test = {setting, reference, device, report, context, disagreements};

    *disagreements = 0;
    for (int i = 0; i < df_n_case_sets; i++) {
        if (run_set(&test, df_case_sets[i]) != 0)
            return df_error_context("selftest, %s", df_case_sets[i]->operation);
    }
    return 0;
}

int selftest_copy_peak(struct df_backend *device, double *peak)
{
    void *from = device->ops->alloc(device, COPY_BYTES), *to = device->ops->alloc(device, COPY_BYTES);
    double begun = df_seconds(), best = INFINITY;
    int status = from && to ? device->ops->zero(device, from, COPY_BYTES) : -1;

    for (int i = 0; status == 0 && (i < 3 || df_seconds() - begun < COPY_SECONDS); i++) {
        const double started = df_seconds();
        status = device->ops->copy(device, to, from, COPY_BYTES);
        if (status == 0)
            status = device->ops->wait(device);
        best = fmin(best, df_seconds() - started);
    }
    *peak = df_work_copy(device, to, from, COPY_BYTES).bytes / best;
    device->ops->free(device, from);
    device->ops->free(device, to);
    return status;
}
