/* What launchers promise and the backend does not ask of them, so that no case of an operation comes here:
 * conversion from and to blocks of matrices (the backend packs float32 into bfloat16), no rows, other types.
 */
#include "device_arrays.h"

#include "kernels/kernels.h"
#include "support/cmocka_all.h"

#include <string.h>

static const enum df_dtype types[] = {DF_F32, DF_BF16};

/* cols columns from column `first` on of a matrix of ld columns. */
struct block {
    int64_t rows, cols, first, ld;
};

static const struct block blocks[] = {
    {1, 1, 0, 1},       {3, 17, 0, 17},      {5, 21, 2, 30},    {40, 8, 8, 24},
    {300, 65, 1, 70},   {129, 96, 0, 96},    {515, 40, 16, 80}, {70, 300, 4, 304},
    {2, 2048, 0, 2048}, {1025, 150, 0, 150}, {4097, 3, 0, 3},   {9000, 4, 0, 4},
};

static struct df_matrix block_of(void *data, enum df_dtype type, struct block b)
{
    char *first = (char *)data + (size_t)b.first * df_dtype_size(type);
    return (struct df_matrix){first, type, b.rows, b.cols, b.ld};
}

/* What surrounds the destination keeps its bytes. */
static void check_convert(struct block to, enum df_dtype to_type, struct block from, enum df_dtype from_type)
{
    const int64_t to_all = to.rows * to.ld, from_all = from.rows * from.ld;
    const size_t size = df_dtype_size(to_type);
    const float *x = host_normals(from_all, from_type, 0.0, 10.0, 4);
    const float *before = host_normals(to_all, to_type, 0.0, 1.0, 5);
    void *destination = put_values(before, to_all, to_type);
    char *want = get_bytes(destination, (size_t)to_all * size);

    for (int64_t i = 0; i < to.rows; i++)
        assert_int_equal(df_convert_from_f32(want + (size_t)(i * to.ld + to.first) * size, to_type,
                                             x + i * from.ld + from.first, (size_t)to.cols),
                         0);
    assert_ran(df_launch_convert(NULL, block_of(destination, to_type, to),
                                 block_of(put_values(x, from_all, from_type), from_type, from)));
    assert_memory_equal(get_bytes(destination, (size_t)to_all * size), want, (size_t)to_all * size);
    release_arrays();
}

static void conversions_match(void **state)
{
    (void)state;
    for (size_t k = 0; k < 4; k++) {
        const enum df_dtype to = types[k % 2], from = types[k / 2];
        for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
            const struct block b = blocks[i], dense = {b.rows, b.cols, 0, b.cols};
            check_convert(b, to, dense, from);
            check_convert(dense, to, b, from);
        }
        check_convert((struct block){1, 100, 3, 110}, to, (struct block){1, 100, 8, 108}, from);
        check_convert((struct block){3, 13, 0, 16}, to, (struct block){3, 13, 8, 24}, from);
    }
}

static void other_types_are_refused(void **state)
{
    const struct df_matrix wide = {NULL, DF_F32, 2, 3, 3}, narrow = {NULL, DF_BF16, 3, 2, 2};

    (void)state;
    assert_int_equal(df_launch_convert(NULL, narrow, wide), cudaErrorInvalidValue);
    assert_int_equal(df_launch_convert(NULL, (struct df_matrix){NULL, DF_I32, 2, 3, 3}, wide),
                     cudaErrorInvalidValue);
    assert_int_equal(df_launch_add_bias(NULL, narrow, NULL), cudaErrorInvalidValue);
}

static void no_rows_are_no_work(void **state)
{
    static const float zeros[4] = {0.0f}, mean[3] = {0.0f}, std[3] = {1.0f, 1.0f, 1.0f};
    const struct df_matrix none = {NULL, DF_F32, 0, 4, 4}, square = {NULL, DF_F32, 4, 4, 4};
    const struct df_token_rows images = {0, 3, 1, 2}, rows = {2, 3, 1, 0};
    float *const sums = put_values((const float[4]){1, 1, 1, 1}, 4, DF_F32);

    (void)state;
    assert_ran(df_launch_convert(NULL, (struct df_matrix){NULL, DF_BF16, 0, 4, 4}, none));
    assert_ran(df_launch_add_bias(NULL, none, NULL));
    assert_ran(df_launch_matmul(NULL, none, false, square, false, none, false, NULL));
    assert_ran(
        df_launch_layernorm_forward(NULL, NULL, images, 8, NULL, NULL, 0.0f, NULL, DF_F32, NULL, NULL));
    assert_ran(df_launch_layernorm_backward(NULL, NULL, DF_F32, NULL, rows, 8, NULL, NULL, NULL, NULL));
    assert_ran(df_launch_assemble_tokens(NULL, NULL, NULL, NULL, NULL, images, 8));
    assert_ran(df_launch_image_normalize(NULL, NULL, NULL, 0, 14, 14, mean, std));
    assert_ran(df_launch_patchify(NULL, NULL, NULL, DF_F32, 0, 14, 14, 14));
    assert_ran(df_launch_column_sum(NULL, none, sums, NULL));
    assert_memory_equal(get_bytes(sums, sizeof zeros), zeros, sizeof zeros);
    release_arrays();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversions_match),
        cmocka_unit_test(other_types_are_refused),
        cmocka_unit_test(no_rows_are_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
