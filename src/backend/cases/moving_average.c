/* The moving average of parameters. */
#include "build.h"

enum { COUNT, SHARE };
enum { VALUE, WEIGHT, AVERAGE };

/* Of the way from the average to the value. */
static const float shares[] = {0.001f, 0.0f, 1.0f, 0.5f, 0.75f};

static const int64_t moving_average_odd[][DF_CASE_SIZES] = {
    {0, 0}, {1, 0}, {2, 1}, {3, 2}, {4, 3}, {5, 4}, {1023, 0}, {1025, 2}, {4097, 3}, {4099, 0},
};

static int moving_average_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][COUNT] = df_case_trained(m);
    return 1;
}

static void moving_average_build(struct df_case *c)
{
    df_case_in(c, DF_F32, c->n[COUNT], 0.0, 1.0);
    df_case_in(c, DF_F32, 1, 0.0, 0.0);
    df_case_in_out(c, DF_F32, c->n[COUNT], 0.5, 1.0, c->n[SHARE] == 1 || c->n[SHARE] == 2 ? 0.0 : 2e-7);
    if (!c->failed)
        c->tensors[WEIGHT].values[0] = shares[c->n[SHARE]];
}

static int moving_average_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->moving_average(run->backend, run->memory[VALUE], run->memory[WEIGHT],
                                             run->memory[AVERAGE], c->n[COUNT]);
}

static void moving_average_expect(struct df_case *c)
{
    const double weight = (double)shares[c->n[SHARE]];
    double *average = c->tensors[AVERAGE].expected;

    for (int64_t i = 0; i < c->n[COUNT]; i++)
        average[i] = (1.0 - weight) * average[i] + weight * (double)c->tensors[VALUE].values[i];
}

DF_CASE_SET(moving_average, moving_average_odd, moving_average_uses);
