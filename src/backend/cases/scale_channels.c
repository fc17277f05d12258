/* Channels of maps times a factor of each image. */
#include "build.h"

enum { BATCH, POSITIONS, CHANNELS, IN_PLACE };
enum { X, FACTORS, Y };

/* Images of whole vectors and others, fewer channels than a vector has, counts beyond a block. */
#define WAYS(batch, positions, channels)                                                                     \
    {batch, positions, channels},                                                                            \
    {                                                                                                        \
        batch, positions, channels, true                                                                     \
    }
static const int64_t odd[][DF_CASE_SIZES] = {
    WAYS(1, 1, 1), WAYS(2, 3, 1), WAYS(2, 4, 3),  WAYS(3, 5, 7),   WAYS(2, 8, 2),
    WAYS(3, 7, 4), WAYS(0, 5, 7), WAYS(2, 0, 16), WAYS(2, 37, 32), WAYS(2, 11, 131),
};

static int uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][BATCH] = m->batch;
    n[0][POSITIONS] = df_case_patches(m);
    n[0][CHANNELS] = m->dim;
    return 1;
}

static int y_of(const struct df_case *c)
{
    return c->n[IN_PLACE] ? X : Y;
}

static void scale_channels_build(struct df_case *c)
{
    const int64_t count = c->n[BATCH] * c->n[POSITIONS] * c->n[CHANNELS];

    if (c->n[IN_PLACE])
        df_case_in_out(c, DF_F32, count, 0.0, 1.0, 1e-7);
    else
        df_case_in(c, DF_F32, count, 0.0, 1.0);
    df_case_in(c, DF_F32, c->n[BATCH] * c->n[CHANNELS], 0.0, 1.0);
    if (!c->n[IN_PLACE])
        df_case_out(c, DF_F32, count, 1e-7);
}

static int scale_channels_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->scale_channels(run->backend, run->memory[X], run->memory[FACTORS], c->n[BATCH],
                                             c->n[POSITIONS], c->n[CHANNELS], run->memory[y_of(c)]);
}

static void scale_channels_expect(struct df_case *c)
{
    const int64_t channels = c->n[CHANNELS], image = c->n[POSITIONS] * channels;

    for (int64_t i = 0; i < c->n[BATCH] * image; i++)
        c->tensors[y_of(c)].expected[i] =
            (double)c->tensors[X].values[i] *
            (double)c->tensors[FACTORS].values[i / image * channels + i % channels];
}

DF_CASE_SET(scale_channels, odd, uses);
