/* Products of matrices that change. */
#include "build.h"

#include <math.h>

/* FLAGS: which are transposed, whether the product is added; NARROW: which are act, others are float32; GAP:
 * elements between the end of a row and the start of the next, in c twice as many. */
enum { ROWS, INNER, COLS, FLAGS, NARROW, GAP_A, GAP_B, GAP_C };
enum { TRANSPOSE_A = 1, TRANSPOSE_B = 2, ADD = 4 };
enum { NARROW_A = 1, NARROW_B = 2, NARROW_C = 4 };
enum { A, B, C };

/* Each way that operands can lie, over all shapes with all types. */
#define WAY(rows, inner, cols, s, flags)                                                                     \
    {rows, inner, cols, flags, ((flags)*5 + (s)) % 8},                                                       \
    {                                                                                                        \
        rows, inner, cols, flags, (((flags) + 8) * 5 + (s) + 1) % 8, 5, 5, 10                                \
    }
#define WAYS(rows, inner, cols, s)                                                                           \
    WAY(rows, inner, cols, s, 0), WAY(rows, inner, cols, s, 1), WAY(rows, inner, cols, s, 2),                \
        WAY(rows, inner, cols, s, 3), WAY(rows, inner, cols, s, 4), WAY(rows, inner, cols, s, 5),            \
        WAY(rows, inner, cols, s, 6), WAY(rows, inner, cols, s, 7)

/* Every tile with whole and cut rows, columns and depths; then LoRA's products of rank 3 and a decoder's with
 * 21 and 150 classes, which are cut into blocks; then one long side alone. */
static const int64_t odd[][DF_CASE_SIZES] = {
    WAYS(1, 1, 1, 0),
    WAYS(3, 5, 7, 1),
    WAYS(17, 1, 33, 2),
    WAYS(1, 64, 21, 3),
    WAYS(129, 48, 3, 4),
    WAYS(6, 257, 64, 5),
    WAYS(64, 96, 128, 6),
    WAYS(130, 33, 6, 7),
    WAYS(150, 70, 16, 8),
    WAYS(129, 34, 9, 9),
    WAYS(20, 40, 31, 10),
    WAYS(131, 18, 65, 11),
    WAYS(64, 16, 128, 12),
    {520, 384, 6, TRANSPOSE_B, NARROW_A},
    {520, 3, 384, TRANSPOSE_B | ADD, NARROW_C, 384, 384, 768},
    {520, 3, 384, TRANSPOSE_B | ADD, NARROW_C},
    {384, 520, 3, TRANSPOSE_A, NARROW_A, 768, 768, 1536},
    {384, 520, 3, TRANSPOSE_A, NARROW_A, 8, 8, 16},
    {520, 384, 3, 0, NARROW_A, 3, 3, 6},
    {6, 520, 384, TRANSPOSE_A, NARROW_B},
    {520, 6, 384, ADD, NARROW_C, 4, 4, 8},
    {520, 384, 21, TRANSPOSE_B, NARROW_A},
    {520, 21, 384, 0, NARROW_C},
    {21, 520, 384, TRANSPOSE_A | ADD, NARROW_B},
    {300, 384, 150, TRANSPOSE_B, NARROW_A},
    {300, 150, 384, 0, NARROW_C},
    {150, 520, 128, TRANSPOSE_A, NARROW_B},
    {1, 3000, 1, 0, NARROW_B},
    {1500, 1, 1, TRANSPOSE_B | ADD, 0},
    {1, 2, 1500, TRANSPOSE_A, NARROW_A | NARROW_B | NARROW_C},
    {5, 4111, 3, TRANSPOSE_A | TRANSPOSE_B | ADD, NARROW_A | NARROW_C, 1, 1, 2},
    {1, 1600, 1024, TRANSPOSE_A, NARROW_B}, /* more blocks than partial sums */
    {0, 4, 4, 0, NARROW_A | NARROW_C},
};

static void set_use(int64_t n[DF_CASE_SIZES], int64_t rows, int64_t inner, int64_t cols, int64_t flags,
                    int64_t narrow)
{
    n[ROWS] = rows;
    n[INNER] = inner;
    n[COLS] = cols;
    n[FLAGS] = flags;
    n[NARROW] = narrow;
}

/* LoRA: down, up to q, which is a third of the columns, and the gradient of the first, a sum over all
 * tokens; then the 1x1 decoder. */
static int uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    const int64_t rows = df_case_rows(m);

    set_use(n[0], rows, m->dim, 2 * m->rank, TRANSPOSE_B, NARROW_A);
    set_use(n[1], rows, m->rank, m->dim, TRANSPOSE_B | ADD, NARROW_C);
    n[1][GAP_A] = m->rank;
    n[1][GAP_C] = 2 * m->dim;
    set_use(n[2], 2 * m->rank, rows, m->dim, TRANSPOSE_A, NARROW_B);
    set_use(n[3], m->batch * df_case_patches(m), m->dim, m->classes, TRANSPOSE_B, 0);
    return 4;
}

static bool is_transposed(const struct df_case *c, int operand)
{
    return c->n[FLAGS] & (operand == A ? TRANSPOSE_A : TRANSPOSE_B);
}

static struct df_matrix matrix(const struct df_case *c, const struct df_case_run *run, int number)
{
    const int64_t rows = number == B ? c->n[INNER] : c->n[ROWS];
    const int64_t cols = number == A ? c->n[INNER] : c->n[COLS];

    if (number != C && is_transposed(c, number))
        return df_case_matrix(c, run, number, 0, cols, rows, rows + c->n[GAP_A + number]);
    return df_case_matrix(c, run, number, 0, rows, cols, cols + c->n[GAP_A + number]);
}

/* Index of element (i, j) of an operand, as it is multiplied. */
static int64_t index_of(const struct df_case *c, int operand, int64_t i, int64_t j)
{
    const int64_t rows = operand == A ? c->n[ROWS] : c->n[INNER];
    const int64_t cols = operand == A ? c->n[INNER] : c->n[COLS], gap = c->n[GAP_A + operand];
    return is_transposed(c, operand) ? j * (rows + gap) + i : i * (cols + gap) + j;
}

static int64_t operand_count(const struct df_case *c, int operand)
{
    const int64_t rows = operand == A ? c->n[ROWS] : c->n[INNER];
    const int64_t cols = operand == A ? c->n[INNER] : c->n[COLS], gap = c->n[GAP_A + operand];
    return is_transposed(c, operand) ? cols * (rows + gap) : rows * (cols + gap);
}

static void matmul_build(struct df_case *c)
{
    const double inner = (double)c->n[INNER], tolerance = 2e-6 + 2e-7 * sqrt(inner);

    df_case_in(c, c->n[NARROW] & NARROW_A ? c->act : DF_F32, operand_count(c, A), 0.0, 1.0);
    df_case_in(c, c->n[NARROW] & NARROW_B ? c->act : DF_F32, operand_count(c, B), 0.0, 1.0 / sqrt(inner));
    df_case_product(c, c->n[NARROW] & NARROW_C ? c->act : DF_F32, c->n[ROWS], c->n[COLS],
                    c->n[COLS] + c->n[GAP_C], c->n[FLAGS] & ADD, tolerance);
}

static int matmul_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->matmul(run->backend, matrix(c, run, A), is_transposed(c, A), matrix(c, run, B),
                                     is_transposed(c, B), matrix(c, run, C), c->n[FLAGS] & ADD);
}

static void matmul_expect(struct df_case *c)
{
    const float *a = c->tensors[A].values, *b = c->tensors[B].values;

    for (int64_t i = 0; i < c->n[ROWS]; i++) {
        for (int64_t j = 0; j < c->n[COLS]; j++) {
            double *to = &c->tensors[C].expected[i * (c->n[COLS] + c->n[GAP_C]) + j];
            double sum = c->n[FLAGS] & ADD ? *to : 0.0;
            for (int64_t k = 0; k < c->n[INNER]; k++)
                sum += (double)a[index_of(c, A, i, k)] * (double)b[index_of(c, B, k, j)];
            *to = sum;
        }
    }
}

DF_CASE_SET(matmul, odd, uses, .is_product = true);
