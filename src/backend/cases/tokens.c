/* Patches to tokens. */
#include "build.h"

/* patches [B, P, D], prefix [T, D], pos [P, D] or none, x [B, T + P, D] */
enum { BATCH, PREFIX_TOKENS, PATCH_TOKENS, DIM, NO_POSITION };
enum { PATCHES, PREFIX, POSITION, X };

/* Four images a block; the widest are more than a block's threads. */
static const int64_t odd[][DF_CASE_SIZES] = {
    {1, 1, 1, 1},  {2, 1, 7, 1},       {2, 5, 7, 17, true}, {2, 5, 7, 65},   {1, 1, 2, 259},
    {4, 5, 3, 64}, {9, 0, 2, 4, true}, {5, 1, 6, 132},      {3, 1, 2, 1028}, {0, 1, 2, 8},
};

static int uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][BATCH] = m->batch;
    n[0][PREFIX_TOKENS] = m->prefix;
    n[0][PATCH_TOKENS] = df_case_patches(m);
    n[0][DIM] = m->dim;
    return 1;
}

static void assemble_tokens_build(struct df_case *c)
{
    const int64_t patches = c->n[PATCH_TOKENS] * c->n[DIM], prefix = c->n[PREFIX_TOKENS] * c->n[DIM];

    df_case_in(c, DF_F32, c->n[BATCH] * patches, 0.0, 1.0);
    df_case_in(c, DF_F32, prefix, 0.0, 1.0);
    df_case_in(c, DF_F32, patches, 0.0, 1.0);
    df_case_out(c, DF_F32, c->n[BATCH] * (prefix + patches), 0.0);
}

static int assemble_tokens_call(const struct df_case *c, struct df_case_run *run)
{
    const struct df_token_rows rows = {c->n[BATCH], c->n[PREFIX_TOKENS] + c->n[PATCH_TOKENS],
                                       c->n[PREFIX_TOKENS], c->n[PATCH_TOKENS]};
    return run->backend->ops->assemble_tokens(run->backend, run->memory[PATCHES], run->memory[PREFIX],
                                              c->n[NO_POSITION] ? NULL : run->memory[POSITION],
                                              run->memory[X], rows, c->n[DIM]);
}

/* One addition, exact in float32. */
static void assemble_tokens_expect(struct df_case *c)
{
    const int64_t dim = c->n[DIM], prefix = c->n[PREFIX_TOKENS], patches = c->n[PATCH_TOKENS];
    const float *position = c->tensors[POSITION].values;

    for (int64_t i = 0; i < c->tensors[X].count; i++) {
        const int64_t d = i % dim, token = i / dim % (prefix + patches), b = i / dim / (prefix + patches);
        const int64_t p = token - prefix;
        float value;
        if (p < 0)
            value = c->tensors[PREFIX].values[token * dim + d];
        else
            value = c->tensors[PATCHES].values[(b * patches + p) * dim + d] +
                    (c->n[NO_POSITION] ? 0.0f : position[p * dim + d]);
        c->tensors[X].expected[i] = (double)value;
    }
}

DF_CASE_SET(assemble_tokens, odd, uses);
