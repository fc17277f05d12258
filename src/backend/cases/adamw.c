/* AdamW. */
#include "build.h"

#include <math.h>
#include <string.h>

enum { COUNT, STEP, LARGE_EPS, CLIPPED };
enum { PARAMETER, GRADIENT, FIRST, SECOND, SCALARS, SCALE };

/* Of the gradient. */
static const double factors[] = {1.0, 0.25};

static const int64_t adamw_odd[][DF_CASE_SIZES] = {
    {0, 1},    {1, 1},
    {2, 2},    {3, 3},
    {4, 4},    {5, 5},
    {6, 6},    {7, 7},
    {8, 8},    {9, 9},
    {3, 1},    {8, 1},
    {17, 1},   {65, 2},
    {1024, 1}, {1023, 3, false, true},
    {1025, 1}, {3073, 1000, true},
    {4097, 5},
};

static int adamw_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][COUNT] = df_case_trained(m);
    n[0][STEP] = 7;
    return 1;
}

static struct df_adamw settings_of(const struct df_case *c)
{
    return (struct df_adamw){.lr = 1e-2,
                             .beta1 = 0.9,
                             .beta2 = 0.999,
                             .eps = c->n[LARGE_EPS] ? 0.1 : 1e-8,
                             .weight_decay = 0.1,
                             .step = c->n[STEP]};
}

/* The moments are zeros before the first step. */
static void adamw_build(struct df_case *c)
{
    const double before = c->n[STEP] > 1 ? 1.0 : 0.0;
    const struct df_adamw settings = settings_of(c);
    const struct df_adamw_scalars scalars = df_adamw_scalars(&settings);

    df_case_in_out(c, DF_F32, c->n[COUNT], 0.0, 1.0, 2e-7);
    df_case_in(c, DF_F32, c->n[COUNT], 0.01, 0.1);
    df_case_in_out(c, DF_F32, c->n[COUNT], 0.0, 0.1 * before, before > 0.0 ? 1e-7 : 4e-9);
    df_case_in_out(c, DF_F32, c->n[COUNT], 0.5 * before, 0.08 * before, before > 0.0 ? 1e-7 : 4e-11);
    df_case_in(c, DF_F32, sizeof scalars / sizeof(float), 0.0, 0.0);
    df_case_in(c, DF_F32, sizeof(struct df_gradient_scale) / sizeof(float), 0.0, 0.0);
    if (c->failed)
        return;
    memcpy(c->tensors[SCALARS].values, &scalars, sizeof scalars);
    c->tensors[SCALE].values[1] = (float)factors[c->n[CLIPPED]];
}

static int adamw_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->adamw(run->backend, run->memory[SCALARS], run->memory[SCALE],
                                    run->memory[PARAMETER], run->memory[GRADIENT], run->memory[FIRST],
                                    run->memory[SECOND], c->n[COUNT]);
}

static void adamw_expect(struct df_case *c)
{
    const struct df_adamw s = settings_of(c);
    double *p = c->tensors[PARAMETER].expected, *m = c->tensors[FIRST].expected,
           *v = c->tensors[SECOND].expected;

    for (int64_t i = 0; i < c->n[COUNT]; i++) {
        const double g = (double)c->tensors[GRADIENT].values[i] * factors[c->n[CLIPPED]];
        p[i] *= 1.0 - s.lr * s.weight_decay;
        m[i] = s.beta1 * m[i] + (1.0 - s.beta1) * g;
        v[i] = s.beta2 * v[i] + (1.0 - s.beta2) * g * g;
        const double m_hat = m[i] / (1.0 - pow(s.beta1, (double)s.step));
        const double v_hat = v[i] / (1.0 - pow(s.beta2, (double)s.step));
        p[i] -= s.lr * m_hat / (sqrt(v_hat) + s.eps);
    }
}

DF_CASE_SET(adamw, adamw_odd, adamw_uses);
