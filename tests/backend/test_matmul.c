/* Products of changing matrices against a plain loop. */
#include "dinoft/backend.h"

#include "arrays.h"

struct product {
    int64_t rows, inner, cols;
    bool transpose_a, transpose_b, accumulate;
    int64_t gap; /* elements between the end of a row and the start of the next */
};

static struct df_matrix matrix_of(float *data, int64_t rows, int64_t cols, int64_t gap)
{
    return (struct df_matrix){data, DF_F32, rows, cols, cols + gap};
}

static double element(struct df_matrix m, bool transpose, int64_t i, int64_t j)
{
    return ((const float *)m.data)[transpose ? j * m.ld + i : i * m.ld + j];
}

static void check(struct df_backend *backend, struct product p)
{
    const int64_t a_rows = p.transpose_a ? p.inner : p.rows, a_cols = p.transpose_a ? p.rows : p.inner;
    const int64_t b_rows = p.transpose_b ? p.cols : p.inner, b_cols = p.transpose_b ? p.inner : p.cols;
    const int64_t c_ld = p.cols + 2 * p.gap;
    struct df_matrix a = matrix_of(random_array(a_rows * (a_cols + p.gap), 1), a_rows, a_cols, p.gap);
    struct df_matrix b = matrix_of(random_array(b_rows * (b_cols + p.gap), 2), b_rows, b_cols, p.gap);
    float *c = p.accumulate ? random_array(p.rows * c_ld, 3) : nan_array(p.rows * c_ld);
    float *before = copy_array(c, p.rows * c_ld);

    assert_int_equal(backend->ops->matmul(backend, a, p.transpose_a, b, p.transpose_b,
                                          matrix_of(c, p.rows, p.cols, 2 * p.gap), p.accumulate),
                     0);
    for (int64_t i = 0; i < p.rows; i++) {
        for (int64_t j = 0; j < p.cols; j++) {
            double expected = p.accumulate ? before[i * c_ld + j] : 0.0;
            for (int64_t k = 0; k < p.inner; k++)
                expected += element(a, p.transpose_a, i, k) * element(b, p.transpose_b, k, j);
            assert_close(c[i * c_ld + j], expected, 1e-6 * (double)p.inner + 1e-6);
        }
        assert_same_bits(c + i * c_ld + p.cols, before + i * c_ld + p.cols, c_ld - p.cols);
    }
    free(a.data);
    free(b.data);
    free(c);
    free(before);
}

static void test_all_flags(void **state)
{
    static const int64_t shapes[][3] = {{1, 1, 1},    {3, 5, 7},    {17, 1, 33},  {1, 64, 21},
                                        {129, 48, 3}, {6, 257, 64}, {64, 96, 128}};

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        for (int flags = 0; flags < 16; flags++)
            check(*state, (struct product){shapes[s][0], shapes[s][1], shapes[s][2], flags & 1, flags & 2,
                                           flags & 4, flags & 8 ? 5 : 0});
    }
}

/* The products of LoRA of rank 3 and of a decoder for 21 classes, on one image of 490 x 490. */
static void test_model_shapes(void **state)
{
    const int64_t rows = 1226, dim = 384, rank = 3, classes = 21;

    check(*state, (struct product){rows, dim, 2 * rank, false, true, false, 0});
    check(*state, (struct product){rows, rank, dim, false, true, true, dim});
    check(*state, (struct product){dim, rows, rank, true, false, false, rank});
    check(*state, (struct product){rank, rows, dim, true, false, false, 0});
    check(*state, (struct product){rows, dim, classes, false, true, false, 0});
    check(*state, (struct product){rows, classes, dim, false, false, false, 0});
    check(*state, (struct product){classes, rows, dim, true, false, true, 0});
}

static void test_no_rows(void **state)
{
    check(*state, (struct product){0, 4, 4, false, false, false, 0});
}

static void test_same_bits_twice(void **state)
{
    const int64_t rows = 2452, dim = 384, rank = 6;
    struct df_backend *backend = *state;
    float *t = random_array(rows * rank, 1), *x = random_array(rows * dim, 2);
    float *first = nan_array(rank * dim), *second = nan_array(rank * dim);

    for (int i = 0; i < 20; i++) {
        assert_int_equal(backend->ops->matmul(backend, matrix_of(t, rows, rank, 0), true,
                                              matrix_of(x, rows, dim, 0), false,
                                              matrix_of(i ? second : first, rank, dim, 0), false),
                         0);
        assert_same_bits(first, i ? second : first, rank * dim);
    }
    free(t);
    free(x);
    free(first);
    free(second);
}

static int open_backend(void **state)
{
    *state = df_backend_open("cpu", "fp32", 2);
    return *state ? 0 : -1;
}

static int close_backend(void **state)
{
    df_backend_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_flags),
        cmocka_unit_test(test_model_shapes),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_same_bits_twice),
    };
    return cmocka_run_group_tests(tests, open_backend, close_backend);
}
