/* Resizing by nearest neighbour. */
#include "build.h"

#include <math.h>

#define USUAL_CHANNELS 128 /* of a pyramid's maps */

/* forward: x, y; backward: dy, dx and x, which is there for the objective alone. */
enum { READ, RESULT, X };
enum { BATCH, SMALL_HEIGHT, SMALL_WIDTH, LARGE_HEIGHT, LARGE_WIDTH, CHANNELS, ACCUMULATE };

#define SIZES(accumulate)                                                                                    \
    {0, 1, 1, 2, 2, 4, accumulate}, {1, 1, 1, 1, 1, 1, accumulate}, {2, 3, 4, 6, 8, 3, accumulate},          \
        {1, 5, 3, 17, 11, 17, accumulate}, {2, 7, 9, 3, 4, 3, accumulate}, /* some pixels have no reader */  \
        {1, 3, 65, 3, 65, 1, accumulate}, {3, 2, 5, 5, 2, 2, accumulate},                                    \
        {1, 1, 2, 3, 5, 300, accumulate}, /* more channels than are summed together */                       \
        {1, 1, 1, 17, 19, 1, accumulate}, /* 323 readers, rounded once */                                    \
        {2, 4, 5, 8, 10, 64, accumulate}, {1, 3, 5, 7, 9, 8, accumulate},                                    \
        {1, 1, 2, 1, 82, 1, accumulate}, /* in float32, 41 * (2 / 82) falls short of 1 */                    \
        {1, 2, 40, 5, 77, 12, accumulate}, {1, 1, 300, 1, 599, 4, accumulate},                               \
        {1, 35, 2, 140, 3, 4, accumulate},

static const int64_t forward_odd[][DF_CASE_SIZES] = {SIZES(false) SIZES(true)};
static const int64_t backward_odd[][DF_CASE_SIZES] = {SIZES(false)};

/* A pyramid adds the map of the next level, which is half as large. */
static int uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][BATCH] = m->batch;
    n[0][SMALL_HEIGHT] = m->height / m->patch;
    n[0][SMALL_WIDTH] = m->width / m->patch;
    n[0][LARGE_HEIGHT] = 2 * n[0][SMALL_HEIGHT] + 1;
    n[0][LARGE_WIDTH] = 2 * n[0][SMALL_WIDTH] + 1;
    n[0][CHANNELS] = USUAL_CHANNELS;
    n[0][ACCUMULATE] = true;
    return 1;
}

static int64_t small_count(const struct df_case *c)
{
    return c->n[BATCH] * c->n[SMALL_HEIGHT] * c->n[SMALL_WIDTH] * c->n[CHANNELS];
}

static int64_t large_count(const struct df_case *c)
{
    return c->n[BATCH] * c->n[LARGE_HEIGHT] * c->n[LARGE_WIDTH] * c->n[CHANNELS];
}

static int64_t source_index(int64_t i, int64_t small, int64_t large)
{
    const int64_t index = (int64_t)floorf((float)i * ((float)small / (float)large));
    return index < small ? index : small - 1;
}

/* Which element of the small map element i of the large one reads. */
static int64_t source_of(const struct df_case *c, int64_t i)
{
    const int64_t channel = i % c->n[CHANNELS], column = i / c->n[CHANNELS] % c->n[LARGE_WIDTH];
    const int64_t line = i / c->n[CHANNELS] / c->n[LARGE_WIDTH];
    const int64_t row = line % c->n[LARGE_HEIGHT], image = line / c->n[LARGE_HEIGHT];
    const int64_t from_row = source_index(row, c->n[SMALL_HEIGHT], c->n[LARGE_HEIGHT]);
    const int64_t from_column = source_index(column, c->n[SMALL_WIDTH], c->n[LARGE_WIDTH]);

    return ((image * c->n[SMALL_HEIGHT] + from_row) * c->n[SMALL_WIDTH] + from_column) * c->n[CHANNELS] +
           channel;
}

static void nearest_forward_build(struct df_case *c)
{
    df_case_in(c, DF_F32, small_count(c), 0.0, 1.0);
    if (c->n[ACCUMULATE])
        df_case_in_out(c, DF_F32, large_count(c), 0.0, 1.0, 1e-7);
    else
        df_case_out(c, DF_F32, large_count(c), 0.0);
}

static int nearest_forward_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->nearest_forward(
        run->backend, run->memory[READ], c->n[BATCH], c->n[SMALL_HEIGHT], c->n[SMALL_WIDTH],
        run->memory[RESULT], c->n[LARGE_HEIGHT], c->n[LARGE_WIDTH], c->n[CHANNELS], c->n[ACCUMULATE]);
}

static void nearest_forward_expect(struct df_case *c)
{
    for (int64_t i = 0; i < large_count(c); i++)
        c->tensors[RESULT].expected[i] += (double)c->tensors[READ].values[source_of(c, i)];
}

DF_CASE_SET(nearest_forward, forward_odd, uses);

static void nearest_backward_build(struct df_case *c)
{
    df_case_in(c, DF_F32, large_count(c), 0.0, 1.0);
    df_case_out(c, DF_F32, small_count(c), 1e-5);
    df_case_in(c, DF_F32, small_count(c), 0.0, 1.0);
}

static int nearest_backward_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->nearest_backward(run->backend, run->memory[READ], c->n[BATCH],
                                               c->n[LARGE_HEIGHT], c->n[LARGE_WIDTH], run->memory[RESULT],
                                               c->n[SMALL_HEIGHT], c->n[SMALL_WIDTH], c->n[CHANNELS]);
}

static void nearest_backward_expect(struct df_case *c)
{
    for (int64_t i = 0; i < large_count(c); i++)
        c->tensors[RESULT].expected[source_of(c, i)] += (double)c->tensors[READ].values[i];
}

static double nearest_objective(const struct df_case *c)
{
    double sum = 0.0;
    for (int64_t i = 0; i < large_count(c); i++)
        sum += (double)c->tensors[READ].values[i] * (double)c->tensors[X].values[source_of(c, i)];
    return sum;
}

DF_CASE_SET(nearest_backward, backward_odd, uses, .objective = nearest_objective, .gradients = {{X, RESULT}},
            .n_gradients = 1);
