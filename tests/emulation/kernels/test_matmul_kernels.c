/* Products against a plain loop: every tile with whole and cut rows, columns and depths, both ways that an
 * operand can lie, aligned and not, and partial sums. */
#include "device_arrays.h"

#include "kernels/kernels.h"
#include "support/cmocka_all.h"

#include <math.h>

struct product {
    int64_t rows, depth, cols;
    bool transpose_a, transpose_b, accumulate;
    enum df_dtype a, b, c;
    int64_t gap; /* elements between the end of a row and the start of the next */
};

static struct df_matrix put_matrix(const float *values, int64_t rows, int64_t cols, int64_t ld,
                                   enum df_dtype type)
{
    return (struct df_matrix){put_values(values, rows * ld, type), type, rows, cols, ld};
}

static void check(struct product p)
{
    const int64_t a_rows = p.transpose_a ? p.depth : p.rows, a_cols = p.transpose_a ? p.rows : p.depth;
    const int64_t b_rows = p.transpose_b ? p.cols : p.depth, b_cols = p.transpose_b ? p.depth : p.cols;
    const int64_t a_ld = a_cols + p.gap, b_ld = b_cols + p.gap, c_ld = p.cols + 2 * p.gap, n = p.rows * c_ld;
    const float *a = host_normals(a_rows * a_ld, p.a, 0.0, 1.0, 1),
                *b = host_normals(b_rows * b_ld, p.b, 0.0, 1.0, 2);
    const float *before = host_normals(n, p.c, 0.0, 1.0, 3);
    double *want = host_doubles(before, n);
    const struct df_matrix left = put_matrix(a, a_rows, a_cols, a_ld, p.a);
    const struct df_matrix right = put_matrix(b, b_rows, b_cols, b_ld, p.b);
    const struct df_matrix c = put_matrix(before, p.rows, p.cols, c_ld, p.c);
    void *scratch = device_room(df_launch_matmul_scratch(left, p.transpose_a, right, p.transpose_b, c));

    for (int64_t i = 0; i < p.rows; i++) {
        for (int64_t j = 0; j < p.cols; j++) {
            double sum = p.accumulate ? want[i * c_ld + j] : 0.0;
            for (int64_t k = 0; k < p.depth; k++)
                sum += (double)a[p.transpose_a ? k * a_ld + i : i * a_ld + k] *
                       (double)b[p.transpose_b ? j * b_ld + k : k * b_ld + j];
            want[i * c_ld + j] = sum;
        }
    }
    assert_ran(df_launch_matmul(NULL, left, p.transpose_a, right, p.transpose_b, c, p.accumulate, scratch));
    const float *got = get_values(c.data, n, p.c);
    assert_values("product", got, want, n, p.c, 2e-7 * (double)p.depth + 2e-6);
    for (int64_t i = 0; i < p.rows; i++) /* what lies between rows is left alone */
        assert_memory_equal(got + i * c_ld + p.cols, before + i * c_ld + p.cols,
                            (size_t)(2 * p.gap) * sizeof(float));
    release_arrays();
}

static void shapes_and_flags_match(void **state)
{
    static const int64_t shapes[][3] = {{1, 1, 1},    {3, 5, 7},    {130, 33, 6},  {150, 70, 16},
                                        {129, 34, 9}, {20, 40, 31}, {131, 18, 65}, {64, 16, 128}};
    (void)state;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        for (int flags = 0; flags < 16; flags++) {
            const int types = (flags * 5 + (int)s) % 8;
            check((struct product){shapes[s][0], shapes[s][1], shapes[s][2], flags & 1, flags & 2, flags & 4,
                                   types & 1 ? DF_BF16 : DF_F32, types & 2 ? DF_BF16 : DF_F32,
                                   types & 4 ? DF_BF16 : DF_F32, flags & 8 ? 5 : 0});
        }
    }
}

/* LoRA's and the decoder's, short. */
static void model_shapes_match(void **state)
{
    const int64_t tokens = 520, dim = 384, rank = 3;
    const struct product products[] = {
        {tokens, dim, 2 * rank, false, true, false, DF_BF16, DF_F32, DF_F32, 0},
        {tokens, rank, dim, false, true, true, DF_F32, DF_F32, DF_BF16, 0},
        {dim, tokens, rank, true, false, false, DF_BF16, DF_F32, DF_F32, 8},
        {tokens, dim, rank, false, false, false, DF_BF16, DF_F32, DF_F32, 3},
        {2 * rank, tokens, dim, true, false, false, DF_F32, DF_BF16, DF_F32, 0},
        {tokens, 2 * rank, dim, false, false, true, DF_F32, DF_F32, DF_BF16, 4},
        {tokens, dim, 21, false, true, false, DF_F32, DF_F32, DF_F32, 0},
        {21, tokens, dim, true, false, true, DF_F32, DF_F32, DF_F32, 0},
        {tokens, 21, dim, false, false, false, DF_F32, DF_F32, DF_F32, 0},
        {150, tokens, 128, true, false, false, DF_F32, DF_F32, DF_F32, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        check(products[i]);
}

/* The launcher must not depend on how much there is to do: one long column, one long row, one long depth. */
static void extreme_shapes_match(void **state)
{
    (void)state;
    check((struct product){1, 3000, 1, false, false, false, DF_F32, DF_BF16, DF_F32, 0});
    check((struct product){1500, 1, 1, false, true, true, DF_F32, DF_F32, DF_F32, 0});
    check((struct product){1, 2, 1500, true, false, false, DF_BF16, DF_BF16, DF_BF16, 0});
    check((struct product){5, 4111, 3, true, true, true, DF_BF16, DF_F32, DF_BF16, 1});
}

static void no_rows_are_no_work(void **state)
{
    const struct df_matrix none = {NULL, DF_F32, 0, 4, 4}, square = {NULL, DF_F32, 4, 4, 4};
    (void)state;
    assert_ran(df_launch_matmul(NULL, none, false, square, false, none, false, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_and_flags_match),
        cmocka_unit_test(model_shapes_match),
        cmocka_unit_test(extreme_shapes_match),
        cmocka_unit_test(no_rows_are_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
