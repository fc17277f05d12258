/* BatchNorm with and without a ReLU. */
#include "build.h"

#include <math.h>

#define USUAL_CHANNELS 128 /* of a pyramid's maps */
#define EPS            1e-5f
#define MOMENTUM       0.1f

/* The norm's; then forward: y, x; backward: y, dgamma, dbeta, dy, dx, the last two one where it works in
 * place. */
enum { GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR, SAVE_MEAN, SAVE_RSTD, X, Y, DGAMMA, DBETA, DY, DX };

/* MEAN: of x, far from 0 a challenge to sums of squares. OTHER: the forward pass in evaluation, the backward
 * pass in place. PLAIN: without a ReLU. */
enum { ROWS, CHANNELS, MEAN, OTHER, PLAIN };

/* Channels that choose how the kernels cut a map: periods of one, two and four rows, periods that fill a
 * block or a part of it, more channels than a period can hold; one run of rows and many. */
#define SIZES(other)                                                                                         \
    {1, 1, 0, other}, {3, 3, 0, other}, {5, 1, 0, other}, {7, 2, 0, other}, {9, 4, 0, other},                \
        {65, 17, 0, other}, {1201, 21, 50, other}, {403, 22, 0, other}, {131, 64, 50, other},                \
        {67, 150, 0, other}, {45, 255, 50, other}, {6, 1024, 0, other}, {5, 1028, 0, other},                 \
        {131, 257, 50, other}, {29, 515, 0, other}, {1, 1, 0, other, true}, {65, 17, 0, other, true},        \
        {1201, 21, 50, other, true}, {131, 64, 0, other, true}, {131, 257, 50, other, true},

static const int64_t odd[][DF_CASE_SIZES] = {SIZES(false) SIZES(true)};

static int uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][ROWS] = m->batch * df_case_patches(m);
    n[0][CHANNELS] = USUAL_CHANNELS;
    return 1;
}

static int64_t count_of(const struct df_case *c)
{
    return c->n[ROWS] * c->n[CHANNELS];
}

static void add_norm(struct df_case *c)
{
    const int64_t channels = c->n[CHANNELS];

    df_case_in(c, DF_F32, channels, 1.0, 0.5);
    df_case_in(c, DF_F32, channels, 0.0, 0.5);
    df_case_in_out(c, DF_F32, channels, 0.0, 1.0, 1e-6);
    df_case_in_out(c, DF_F32, channels, 0.0, 1.0, 1e-6);
    float *variance = c->tensors[RUNNING_VAR].values;
    for (int64_t i = 0; variance && i < channels; i++)
        variance[i] = fabsf(variance[i]) + 0.1f;
    df_case_out(c, DF_F32, channels, 1e-6);
    df_case_out(c, DF_F32, channels, 1e-6);
    df_case_in(c, DF_F32, count_of(c), (double)c->n[MEAN] + 0.5, 2.0);
    df_case_out(c, DF_F32, count_of(c), 2e-5);
}

static struct df_batchnorm norm_of(const struct df_case *c, const struct df_case_run *run)
{
    return (struct df_batchnorm){
        .rows = c->n[ROWS],
        .channels = c->n[CHANNELS],
        .relu = !c->n[PLAIN],
        .eps = EPS,
        .momentum = MOMENTUM,
        .gamma = run->memory[GAMMA],
        .beta = run->memory[BETA],
        .running_mean = run->memory[RUNNING_MEAN],
        .running_var = run->memory[RUNNING_VAR],
        .save_mean = run->memory[SAVE_MEAN],
        .save_rstd = run->memory[SAVE_RSTD],
    };
}

static int run_forward(const struct df_case *c, struct df_case_run *run, bool training)
{
    const struct df_batchnorm norm = norm_of(c, run);
    return run->backend->ops->batchnorm_forward(run->backend, &norm, training, run->memory[X],
                                                run->memory[Y]);
}

/* A channel's statistics. */
struct statistics {
    double mean, variance, rstd;
};

static struct statistics statistics_of(const struct df_case *c, int64_t channel)
{
    const int64_t rows = c->n[ROWS], channels = c->n[CHANNELS];
    const float *x = c->tensors[X].values + channel;
    double sum = 0.0, squares = 0.0;

    for (int64_t i = 0; i < rows; i++)
        sum += (double)x[i * channels];
    const double mean = sum / (double)rows;
    for (int64_t i = 0; i < rows; i++)
        squares += ((double)x[i * channels] - mean) * ((double)x[i * channels] - mean);
    return (struct statistics){mean, squares / (double)rows,
                               1.0 / sqrt(squares / (double)rows + (double)EPS)};
}

/* Element i before the ReLU. */
static double normalized(const struct df_case *c, struct statistics s, int64_t i)
{
    const int64_t channel = i % c->n[CHANNELS];
    return ((double)c->tensors[X].values[i] - s.mean) * s.rstd * (double)c->tensors[GAMMA].values[channel] +
           (double)c->tensors[BETA].values[channel];
}

static void expect_output(struct df_case *c, struct statistics s, int64_t channel)
{
    for (int64_t i = channel; i < count_of(c); i += c->n[CHANNELS])
        c->tensors[Y].expected[i] = c->n[PLAIN] ? normalized(c, s, i) : fmax(normalized(c, s, i), 0.0);
}

static void expect_training(struct df_case *c)
{
    const double rows = (double)c->n[ROWS], momentum = (double)MOMENTUM;

    for (int64_t channel = 0; channel < c->n[CHANNELS]; channel++) {
        const struct statistics s = statistics_of(c, channel);
        const double unbiased = rows > 1.0 ? s.variance * rows / (rows - 1.0) : s.variance;
        double *mean = c->tensors[RUNNING_MEAN].expected, *variance = c->tensors[RUNNING_VAR].expected;
        mean[channel] += momentum * (s.mean - mean[channel]);
        variance[channel] += momentum * (unbiased - variance[channel]);
        c->tensors[SAVE_MEAN].expected[channel] = s.mean;
        c->tensors[SAVE_RSTD].expected[channel] = s.rstd;
        expect_output(c, s, channel);
    }
}

/* --- forward --- */

static void batchnorm_forward_build(struct df_case *c)
{
    add_norm(c);
}

static int batchnorm_forward_call(const struct df_case *c, struct df_case_run *run)
{
    return run_forward(c, run, !c->n[OTHER]);
}

/* In evaluation nothing is written but y. */
static void expect_evaluation(struct df_case *c)
{
    for (int64_t channel = 0; channel < c->n[CHANNELS]; channel++) {
        const double mean = (double)c->tensors[RUNNING_MEAN].values[channel];
        const double variance = (double)c->tensors[RUNNING_VAR].values[channel];
        c->tensors[SAVE_MEAN].expected[channel] = c->tensors[SAVE_RSTD].expected[channel] = NAN;
        expect_output(c, (struct statistics){mean, variance, 1.0 / sqrt(variance + (double)EPS)}, channel);
    }
}

static void batchnorm_forward_expect(struct df_case *c)
{
    (c->n[OTHER] ? expect_evaluation : expect_training)(c);
}

DF_CASE_SET(batchnorm_forward, odd, uses);

/* --- backward --- */

/* The tensor with dx. */
static int dx_of(const struct df_case *c)
{
    return c->n[OTHER] ? DY : DX;
}

/* No gradient reaches an element of which rounding could decide whether it passes the ReLU. */
static void leave_out_kinks(struct df_case *c)
{
    for (int64_t channel = 0; !c->failed && !c->n[PLAIN] && channel < c->n[CHANNELS]; channel++) {
        const struct statistics s = statistics_of(c, channel);
        for (int64_t i = channel; i < count_of(c); i += c->n[CHANNELS]) {
            if (fabs(normalized(c, s, i)) < 1e-3)
                c->tensors[DY].values[i] = 0.0f;
        }
    }
}

static void batchnorm_backward_build(struct df_case *c)
{
    /* One row has no variance: its gradient is a difference of equal numbers times 1 / sqrt(eps). */
    const double tolerance = c->n[ROWS] == 1 ? 1e-3 : c->n[MEAN] != 0 ? 2e-5 : 1e-5;

    add_norm(c);
    df_case_out(c, DF_F32, c->n[CHANNELS], 2e-5);
    df_case_out(c, DF_F32, c->n[CHANNELS], 1e-6);
    if (c->n[OTHER]) {
        df_case_in_out(c, DF_F32, count_of(c), 0.0, 1.0, tolerance);
    } else {
        df_case_in(c, DF_F32, count_of(c), 0.0, 1.0);
        df_case_out(c, DF_F32, count_of(c), tolerance);
    }
    leave_out_kinks(c);
}

static int batchnorm_backward_prepare(const struct df_case *c, struct df_case_run *run)
{
    return run_forward(c, run, true);
}

static int batchnorm_backward_call(const struct df_case *c, struct df_case_run *run)
{
    const struct df_batchnorm norm = norm_of(c, run);
    return run->backend->ops->batchnorm_backward(
        run->backend, &norm, run->memory[X], norm.relu ? run->memory[Y] : NULL, run->memory[DY],
        run->memory[dx_of(c)], run->memory[DGAMMA], run->memory[DBETA]);
}

/* What reaches element i, through the ReLU if there is one, and the normalised x there. */
struct pair {
    double g, n;
};

static struct pair pair_of(const struct df_case *c, struct statistics s, int64_t i)
{
    const bool passes = c->n[PLAIN] || c->tensors[Y].expected[i] > 0.0;
    return (struct pair){passes ? (double)c->tensors[DY].values[i] : 0.0,
                         ((double)c->tensors[X].values[i] - s.mean) * s.rstd};
}

static void batchnorm_backward_expect(struct df_case *c)
{
    const int64_t channels = c->n[CHANNELS];

    expect_training(c);
    for (int64_t channel = 0; channel < channels; channel++) {
        const struct statistics s = statistics_of(c, channel);
        double sum_g = 0.0, sum_gn = 0.0;
        for (int64_t i = channel; i < count_of(c); i += channels) {
            const struct pair p = pair_of(c, s, i);
            sum_g += p.g;
            sum_gn += p.g * p.n;
        }
        for (int64_t i = channel; i < count_of(c); i += channels) {
            const struct pair p = pair_of(c, s, i);
            c->tensors[dx_of(c)].expected[i] = (double)c->tensors[GAMMA].values[channel] * s.rstd *
                                               (p.g - (sum_g + p.n * sum_gn) / (double)c->n[ROWS]);
        }
        c->tensors[DGAMMA].expected[channel] = sum_gn;
        c->tensors[DBETA].expected[channel] = sum_g;
    }
}

/* Which elements pass the ReLU is taken from what is expected: no step moves one over its kink. */
static double batchnorm_objective(const struct df_case *c)
{
    double sum = 0.0;

    for (int64_t channel = 0; channel < c->n[CHANNELS]; channel++) {
        const struct statistics s = statistics_of(c, channel);
        for (int64_t i = channel; i < count_of(c); i += c->n[CHANNELS])
            sum += pair_of(c, s, i).g * normalized(c, s, i);
    }
    return sum;
}

DF_CASE_SET(batchnorm_backward, odd, uses, .prepare = batchnorm_backward_prepare,
            .objective = batchnorm_objective, .gradients = {{X, DX}, {GAMMA, DGAMMA}, {BETA, DBETA}},
            .n_gradients = 3);
