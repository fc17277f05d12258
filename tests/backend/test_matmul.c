/* Products of changing matrices against a plain loop. */
#include "dinoft/backend.h"

#include "arrays.h"
#include "precisions.h"

struct product {
    int64_t rows, inner, cols;
    bool transpose_a, transpose_b, accumulate;
    int64_t gap;              /* elements between the end of a row and the start of the next */
    bool act_a, act_b, act_c; /* the backend's type rather than float32 */
};

/* A matrix in both forms: `values` are exactly those of `matrix`, which is on the device. */
struct operand {
    struct df_matrix matrix;
    float *values;
};

static struct operand make_operand(struct df_backend *backend, bool act, int64_t rows, int64_t cols,
                                   int64_t gap, uint64_t seed)
{
    const enum df_dtype type = act ? backend->compute : DF_F32;
    const int64_t ld = cols + gap;
    struct operand made = {.values = seed ? random_values(type, rows * ld, seed) : nan_array(rows * ld)};

    void *host = to_type(type, made.values, rows * ld);
    void *data = put(backend, host, (size_t)(rows * ld) * df_dtype_size(type));
    free(host);
    made.matrix = (struct df_matrix){data, type, rows, cols, ld};
    return made;
}

static void free_operand(struct df_backend *backend, struct operand *operand)
{
    backend->ops->free(backend, operand->matrix.data);
    free(operand->values);
}

static double element(const struct operand *operand, bool transpose, int64_t i, int64_t j)
{
    return operand->values[transpose ? j * operand->matrix.ld + i : i * operand->matrix.ld + j];
}

static void check_result(struct df_backend *backend, const struct product *p, const struct operand *a,
                         const struct operand *b, const struct operand *before)
{
    const struct df_matrix *m = &before->matrix;
    const size_t bytes = (size_t)(m->rows * m->ld) * df_dtype_size(m->type);
    void *host = malloc(bytes + 1);

    assert_non_null(host);
    assert_int_equal(backend->ops->download(backend, host, m->data, bytes), 0);
    float *c = from_type(m->type, host, m->rows * m->ld);

    for (int64_t i = 0; i < p->rows; i++) {
        for (int64_t j = 0; j < p->cols; j++) {
            double expected = p->accumulate ? element(before, false, i, j) : 0.0;
            for (int64_t k = 0; k < p->inner; k++)
                expected += element(a, p->transpose_a, i, k) * element(b, p->transpose_b, k, j);
            assert_close(c[i * m->ld + j], expected, sum_tolerance(m->type, p->inner, expected));
        }
        assert_same_bits(c + i * m->ld + p->cols, before->values + i * m->ld + p->cols, m->ld - p->cols);
    }
    free(c);
    free(host);
}

static void check(struct df_backend *backend, struct product p)
{
    const int64_t a_rows = p.transpose_a ? p.inner : p.rows, a_cols = p.transpose_a ? p.rows : p.inner;
    const int64_t b_rows = p.transpose_b ? p.cols : p.inner, b_cols = p.transpose_b ? p.inner : p.cols;
    struct operand a = make_operand(backend, p.act_a, a_rows, a_cols, p.gap, 1);
    struct operand b = make_operand(backend, p.act_b, b_rows, b_cols, p.gap, 2);
    struct operand c = make_operand(backend, p.act_c, p.rows, p.cols, 2 * p.gap, p.accumulate ? 3 : 0);

    assert_int_equal(backend->ops->matmul(backend, a.matrix, p.transpose_a, b.matrix, p.transpose_b, c.matrix,
                                          p.accumulate),
                     0);
    check_result(backend, &p, &a, &b, &c);
    free_operand(backend, &a);
    free_operand(backend, &b);
    free_operand(backend, &c);
}

static void test_all_flags(void **state)
{
    const struct df_backend *backend = *state;
    const int n_flags = backend->compute == DF_F32 ? 16 : 128; /* the last three: which are of that type */
    static const int64_t shapes[][3] = {{1, 1, 1},    {3, 5, 7},    {17, 1, 33},  {1, 64, 21},
                                        {129, 48, 3}, {6, 257, 64}, {64, 96, 128}};

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        for (int flags = 0; flags < n_flags; flags++)
            check(*state, (struct product){shapes[s][0], shapes[s][1], shapes[s][2], flags & 1, flags & 2,
                                           flags & 4, flags & 8 ? 5 : 0, flags & 16, flags & 32, flags & 64});
    }
}

/* The products of LoRA of rank 3 and of decoders for 21 and 150 classes, on one image of 490 x 490. */
static void test_model_shapes(void **state)
{
    const int64_t rows = test_is_emulated() ? 126 : 1226, dim = 384, rank = 3;
    const struct product products[] = {
        {rows, dim, 2 * rank, .transpose_b = true, .act_a = true},
        {rows, rank, dim, .transpose_b = true, .accumulate = true, .gap = dim, .act_c = true},
        {dim, rows, rank, .transpose_a = true, .gap = 2 * dim, .act_a = true},
        {rows, dim, rank, .gap = 2 * dim, .act_a = true},
        {2 * rank, rows, dim, .transpose_a = true, .act_b = true},
        {rows, 2 * rank, dim, .accumulate = true, .act_c = true},
    };

    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        check(*state, products[i]);
    for (int64_t classes = 21; classes <= 150; classes += 129) {
        check(*state, (struct product){rows, dim, classes, .transpose_b = true, .act_a = true});
        check(*state, (struct product){rows, classes, dim, .act_c = true});
        check(*state, (struct product){classes, rows, dim, .transpose_a = true, .act_b = true});
    }
}

static void test_no_rows(void **state)
{
    check(*state, (struct product){0, 4, 4, .act_a = true, .act_c = true});
}

/* Bits of one product, on a backend of its own. */
static float *bits_on(enum df_dtype compute, int threads, struct product p)
{
    struct df_backend *backend = test_open_backend(compute == DF_BF16 ? "bf16" : "fp32", threads);
    float *bits = nan_array(p.rows * p.cols);

    assert_non_null(backend);
    struct operand a = make_operand(backend, p.act_a, p.transpose_a ? p.inner : p.rows,
                                    p.transpose_a ? p.rows : p.inner, 0, 1);
    struct operand b = make_operand(backend, p.act_b, p.transpose_b ? p.cols : p.inner,
                                    p.transpose_b ? p.inner : p.cols, 0, 2);
    struct operand c = make_operand(backend, false, p.rows, p.cols, 0, 0);
    assert_int_equal(
        backend->ops->matmul(backend, a.matrix, p.transpose_a, b.matrix, p.transpose_b, c.matrix, false), 0);
    free_operand(backend, &a);
    free_operand(backend, &b);
    get_floats(backend, bits, c.matrix.data, p.rows * p.cols);
    free(c.values);
    df_backend_close(backend);
    return bits;
}

static void test_same_bits_on_any_threads(void **state)
{
    const struct df_backend *backend = *state;
    const int64_t rows = test_is_emulated() ? 153 : 1226;
    const struct product products[] = {
        {6, 2 * rows, 384, .transpose_a = true, .act_b = true},
        {384, 2 * rows, 3, .transpose_a = true, .act_a = true},
        {2 * rows, 384, 6, .transpose_b = true, .act_a = true},
        {150, rows, 384, .transpose_a = true, .act_b = true},
    };

    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        float *first = bits_on(backend->compute, 1, products[i]);
        for (int threads = 1; threads <= (test_on_cpu() ? 4 : 1); threads++) {
            float *again = bits_on(backend->compute, threads, products[i]);
            assert_same_bits(first, again, products[i].rows * products[i].cols);
            free(again);
        }
        free(first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_flags),
        cmocka_unit_test(test_model_shapes),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_same_bits_on_any_threads),
    };
    return run_in_both_precisions(tests);
}
