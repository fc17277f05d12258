/* What DoRA adds to a linear layer with LoRA. */
#include "build.h"

#include <math.h>

/* Blocks of columns, from column FIRST on, of matrices of LD; X_NARROW, Y_NARROW: of the compute type. */
enum { ROWS, COLS, FIRST, LD, X_NARROW, Y_NARROW, BIAS, RESIDUAL, IN_PLACE };

/* Rows of vectors and others, lanes that have a column or several, one chunk of rows and many. */
#define BLOCKS(...)                                                                                          \
    {1, 1, 0, 1, __VA_ARGS__}, {3, 17, 0, 17, __VA_ARGS__}, {5, 21, 2, 30, __VA_ARGS__},                     \
        {40, 8, 8, 24, __VA_ARGS__}, {129, 96, 0, 96, __VA_ARGS__}, {515, 40, 16, 80, __VA_ARGS__},          \
        {300, 65, 1, 70, __VA_ARGS__}, {70, 300, 4, 304, __VA_ARGS__}, {2500, 7, 0, 7, __VA_ARGS__},         \
    {                                                                                                        \
        0, 5, 0, 5, __VA_ARGS__                                                                              \
    }

static int64_t count_of(const struct df_case *c)
{
    return c->n[ROWS] * c->n[LD];
}

static struct df_matrix block(const struct df_case *c, const struct df_case_run *run, int tensor)
{
    return df_case_matrix(c, run, tensor, c->n[FIRST], c->n[ROWS], c->n[COLS], c->n[LD]);
}

/* The same elements of another tensor, without a shape. NULL: it is not there. */
static const void *elements(const struct df_case *c, const struct df_case_run *run, int tensor)
{
    return tensor < c->n_tensors ? block(c, run, tensor).data : NULL;
}

static enum df_dtype type_of(const struct df_case *c, int narrow)
{
    return c->n[narrow] ? c->act : DF_F32;
}

static int64_t at(const struct df_case *c, int64_t row, int64_t column)
{
    return row * c->n[LD] + c->n[FIRST] + column;
}

/* --- scale_columns: in place, y = x; else y is added to where there is a residual --- */

enum { X, FACTORS, SHIFT, Y };

static const int64_t scale_odd[][DF_CASE_SIZES] = {
    BLOCKS(0, 0, 0, 0, 1), /* as gradients are */
    BLOCKS(1, 1, 1, 0, 1), /* as y is in a layer of the compute type */
    BLOCKS(0, 0, 1, 1, 0), /* and in one whose result is added */
    BLOCKS(1, 0, 1, 1, 0), BLOCKS(0, 1, 0, 0, 0), BLOCKS(1, 1, 0, 1, 0),
};

static int scale_columns_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][ROWS] = df_case_rows(m);
    n[0][COLS] = n[0][LD] = 3 * m->dim;
    n[0][X_NARROW] = n[0][Y_NARROW] = n[0][BIAS] = n[0][IN_PLACE] = true;
    return 1;
}

static void scale_columns_build(struct df_case *c)
{
    const enum df_dtype type = type_of(c, Y_NARROW);

    if (c->n[IN_PLACE])
        df_case_in_out(c, type, count_of(c), 0.0, 1.0, 1e-6);
    else
        df_case_in(c, type_of(c, X_NARROW), count_of(c), 0.0, 1.0);
    df_case_in(c, DF_F32, c->n[COLS], 1.0, 0.5);
    df_case_in(c, DF_F32, c->n[COLS], 0.0, 2.0);
    if (!c->n[IN_PLACE])
        df_case_in_out(c, type, count_of(c), 0.0, 1.0, 1e-6);
}

static int y_of(const struct df_case *c)
{
    return c->n[IN_PLACE] ? X : Y;
}

static int scale_columns_call(const struct df_case *c, struct df_case_run *run)
{
    const struct df_matrix y = block(c, run, y_of(c));

    return run->backend->ops->scale_columns(run->backend, block(c, run, X), run->memory[FACTORS],
                                            c->n[BIAS] ? run->memory[SHIFT] : NULL,
                                            c->n[RESIDUAL] ? y.data : NULL, y);
}

static void scale_columns_expect(struct df_case *c)
{
    const float *x = c->tensors[X].values, *y = c->tensors[y_of(c)].values;

    for (int64_t i = 0; i < c->n[ROWS]; i++)
        for (int64_t j = 0; j < c->n[COLS]; j++)
            c->tensors[y_of(c)].expected[at(c, i, j)] =
                (double)x[at(c, i, j)] * (double)c->tensors[FACTORS].values[j] +
                (c->n[BIAS] ? (double)c->tensors[SHIFT].values[j] : 0.0) +
                (c->n[RESIDUAL] ? (double)y[at(c, i, j)] : 0.0);
}

DF_CASE_SET(scale_columns, scale_odd, scale_columns_uses);

/* --- dora_gradient --- */

enum { DY, VALUES, MAGNITUDE, GRADIENT, ADDED_OR_BIAS, LAST };

static const int64_t gradient_odd[][DF_CASE_SIZES] = {
    BLOCKS(1, 1, 1, 0), BLOCKS(0, 0, 1, 1),          BLOCKS(0, 1, 0, 0),
    BLOCKS(1, 1, 0, 0), {9000, 4, 0, 4, 0, 0, 1, 1},
};

static int dora_gradient_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][ROWS] = df_case_rows(m);
    n[0][COLS] = m->dim;
    n[0][LD] = 3 * m->dim;
    n[0][X_NARROW] = n[0][Y_NARROW] = n[0][BIAS] = true;
    return 1;
}

static void dora_gradient_build(struct df_case *c)
{
    const enum df_dtype type = type_of(c, Y_NARROW);

    df_case_in(c, type_of(c, X_NARROW), count_of(c), 0.1, 1.0);
    df_case_in(c, type, count_of(c), 0.2, 1.0);
    df_case_in(c, DF_F32, c->n[COLS], 3.0, 1.0);
    float *magnitude = c->tensors[MAGNITUDE].values;
    for (int64_t i = 2; magnitude && i < c->n[COLS]; i += 5)
        magnitude[i] = i % 2 ? 0.0f : -magnitude[i];
    df_case_out(c, DF_F32, c->n[COLS], 1e-6);
    if (c->n[BIAS])
        df_case_in(c, DF_F32, c->n[COLS], 0.0, 1.0);
    if (c->n[RESIDUAL])
        df_case_in(c, type, count_of(c), 0.0, 1.0);
}

static int dora_gradient_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->dora_gradient(
        run->backend, block(c, run, DY), block(c, run, VALUES),
        c->n[BIAS] ? run->memory[ADDED_OR_BIAS] : NULL,
        c->n[RESIDUAL] ? elements(c, run, c->n[BIAS] ? LAST : ADDED_OR_BIAS) : NULL, run->memory[MAGNITUDE],
        run->memory[GRADIENT]);
}

static void dora_gradient_expect(struct df_case *c)
{
    const float *bias = c->n[BIAS] ? c->tensors[ADDED_OR_BIAS].values : NULL;
    const float *residual = c->n[RESIDUAL] ? c->tensors[c->n[BIAS] ? LAST : ADDED_OR_BIAS].values : NULL;

    for (int64_t j = 0; j < c->n[COLS]; j++) {
        const double magnitude = (double)c->tensors[MAGNITUDE].values[j];
        double sum = 0.0;
        for (int64_t i = 0; i < c->n[ROWS]; i++)
            sum += (double)c->tensors[DY].values[at(c, i, j)] *
                   ((double)c->tensors[VALUES].values[at(c, i, j)] - (bias ? (double)bias[j] : 0.0) -
                    (residual ? (double)residual[at(c, i, j)] : 0.0));
        c->tensors[GRADIENT].expected[j] = magnitude == 0.0 ? 0.0 : sum / magnitude;
    }
}

DF_CASE_SET(dora_gradient, gradient_odd, dora_gradient_uses);

/* --- dora_factors --- */

enum { OUT, RANK, SCALED };
enum { B, PRODUCTS, GRAM, SQUARES, LENGTHS, SCALES, FACTOR, EXCESS, B_FACTOR };

#define PRODUCTS_GAP 3 /* between the rows of products, and of gram */

static const int64_t factors_odd[][DF_CASE_SIZES] = {
    {0, 3}, {1, 1}, {7, 1, true}, {257, 3}, {300, 16, true}, {19, 65}, {64, 8},
};

static int dora_factors_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][OUT] = m->dim;
    n[0][RANK] = m->rank;
    return m->rank > 0;
}

/* Of five rows one has B = 0, one is shorter than the least, one has a length of 0, and one a scale of 0. */
static void choose_rows(struct df_case *c)
{
    const int64_t rank = c->n[RANK], ld = c->n[OUT] + PRODUCTS_GAP;
    float *b = c->tensors[B].values, *products = c->tensors[PRODUCTS].values,
          *squares = c->tensors[SQUARES].values, *scales = c->tensors[SCALES].values;

    for (int64_t i = 0; b && products && squares && scales && i < c->n[OUT]; i++) {
        const int64_t kind = i % 5;
        squares[i] = kind == 2 ? 0.0f : 8.0f + squares[i] * squares[i];
        scales[i] = kind == 3 ? 0.0f : scales[i];
        for (int64_t k = 0; k < rank; k++) {
            if (kind == 0 || kind == 2)
                b[i * rank + k] = 0.0f;
            if (kind == 1)
                products[k * ld + i] =
                    (c->n[SCALED] && scales[i] < 0.0f ? 400.0f : -400.0f) * b[i * rank + k];
        }
    }
}

static void dora_factors_build(struct df_case *c)
{
    const int64_t rank = c->n[RANK], rows = c->n[OUT], gram_ld = rank + PRODUCTS_GAP;

    df_case_in(c, DF_F32, rows * rank, 0.3, 0.5 / sqrt((double)rank));
    df_case_in(c, DF_F32, rank * (rows + PRODUCTS_GAP), 0.0, 1.0 / (double)rank);
    df_case_in(c, DF_F32, rank * gram_ld, 0.0, 0.3 / (double)rank);
    df_case_in(c, DF_F32, rows, 0.0, 1.0);
    df_case_in(c, DF_F32, rows, 1.0, 1.0);
    df_case_in(c, DF_F32, rows, 1.0, 0.1);
    for (int i = 0; i < 3; i++)
        df_case_out(c, DF_F32, rows, 2e-6);
    float *gram = c->tensors[GRAM].values;
    for (int64_t k = 0; gram && k < rank; k++)
        gram[k * gram_ld + k] += 1.0f;
    choose_rows(c);
}

static int dora_factors_call(const struct df_case *c, struct df_case_run *run)
{
    const int64_t rank = c->n[RANK], rows = c->n[OUT];
    const struct df_dora_rows work = {
        .b = df_case_matrix(c, run, B, 0, rows, rank, rank),
        .products = df_case_matrix(c, run, PRODUCTS, 0, rank, rows, rows + PRODUCTS_GAP),
        .gram = df_case_matrix(c, run, GRAM, 0, rank, rank, rank + PRODUCTS_GAP),
        .squares = run->memory[SQUARES],
        .scales = c->n[SCALED] ? run->memory[SCALES] : NULL,
        .magnitude = run->memory[LENGTHS],
    };

    return run->backend->ops->dora_factors(run->backend, &work, run->memory[FACTOR], run->memory[EXCESS],
                                           run->memory[B_FACTOR]);
}

static double length_of(const struct df_case *c, int64_t row, double scale)
{
    const int64_t rank = c->n[RANK], ld = c->n[OUT] + PRODUCTS_GAP;
    const float *b = c->tensors[B].values + row * rank;
    const double least = (double)DF_DORA_LEAST * (double)c->tensors[SQUARES].values[row];
    double square = (double)c->tensors[SQUARES].values[row];

    for (int64_t k = 0; k < rank; k++) {
        if (scale != 0.0)
            square += 2.0 * (double)b[k] * (double)c->tensors[PRODUCTS].values[k * ld + row] / scale;
        for (int64_t j = 0; j < rank; j++)
            square +=
                (double)b[k] * (double)b[j] * (double)c->tensors[GRAM].values[k * (rank + PRODUCTS_GAP) + j];
    }
    return sqrt(square < least ? least : square);
}

static void dora_factors_expect(struct df_case *c)
{
    for (int64_t i = 0; i < c->n[OUT]; i++) {
        const double scale = c->n[SCALED] ? (double)c->tensors[SCALES].values[i] : 1.0;
        const double length = length_of(c, i, scale);
        const double factor = length == 0.0 ? 0.0 : (double)c->tensors[LENGTHS].values[i] / length;
        c->tensors[FACTOR].expected[i] = factor;
        c->tensors[EXCESS].expected[i] = factor - 1.0;
        c->tensors[B_FACTOR].expected[i] = factor * scale;
    }
}

DF_CASE_SET(dora_factors, factors_odd, dora_factors_uses);
