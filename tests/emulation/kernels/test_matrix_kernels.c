/* Column sums, bias and conversion: blocks of matrices whose neighbours must stay, rows that vectors fit and
 * rows that they do not, and every bfloat16. */
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

static void check_sum(struct block b, enum df_dtype type)
{
    const int64_t all = b.rows * b.ld;
    const float *x = host_normals(all, type, 0.3, 1.0, 1);
    const struct df_matrix matrix = block_of(put_values(x, all, type), type, b);
    float *out = device_room((size_t)b.cols * sizeof(float));
    double *want = host_zeros(b.cols);

    for (int64_t i = 0; i < b.rows; i++)
        for (int64_t j = 0; j < b.cols; j++)
            want[j] += (double)x[i * b.ld + b.first + j];
    assert_ran(df_launch_column_sum(NULL, matrix, out, device_room(df_launch_column_sum_scratch(matrix))));
    assert_values("column sum", get_values(out, b.cols, DF_F32), want, b.cols, DF_F32, 1e-6);
    release_arrays();
}

static void column_sums_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        for (size_t k = 0; k < sizeof types / sizeof *types; k++)
            check_sum(blocks[i], types[k]);
    check_sum((struct block){140000, 17, 0, 17}, DF_F32); /* as many chunks as there can be */
    check_sum((struct block){0, 5, 0, 5}, DF_F32);
}

static void check_bias(struct block b, int64_t shift)
{
    const int64_t all = b.rows * b.ld;
    const float *x = host_normals(all, DF_F32, 0.0, 1.0, 2);
    const float *bias = host_normals(b.cols + shift, DF_F32, 0.0, 1.0, 3);
    void *data = put_values(x, all, DF_F32);
    const float *added = put_values(bias, b.cols + shift, DF_F32);
    double *want = host_doubles(x, all);

    for (int64_t i = 0; i < b.rows; i++)
        for (int64_t j = b.first; j < b.first + b.cols; j++)
            want[i * b.ld + j] = (double)(x[i * b.ld + j] + bias[shift + j - b.first]);
    assert_ran(df_launch_add_bias(NULL, block_of(data, DF_F32, b), added + shift));
    assert_values("bias", get_values(data, all, DF_F32), want, all, DF_F32, 0.0);
    release_arrays();
}

static void bias_is_added(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        check_bias(blocks[i], 0);
    check_bias((struct block){5, 8, 0, 8}, 1); /* a bias between other parameters */
    assert_int_equal(df_launch_add_bias(NULL, (struct df_matrix){NULL, DF_BF16, 1, 1, 1}, NULL),
                     cudaErrorInvalidValue);
    assert_ran(df_launch_add_bias(NULL, (struct df_matrix){NULL, DF_F32, 0, 4, 4}, NULL));
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
        for (int64_t n = 1; n <= 17; n++)
            check_convert((struct block){1, n, 0, n}, to, (struct block){1, n, 0, n}, from);
        check_convert((struct block){1, 4097, 0, 4097}, to, (struct block){1, 4097, 0, 4097}, from);
        check_convert((struct block){1, 100, 3, 110}, to, (struct block){1, 100, 8, 108}, from);
        check_convert((struct block){3, 13, 0, 16}, to, (struct block){3, 13, 8, 24}, from);
    }
}

/* float32 around every bfloat16 and every tie between two, NaN among them. */
static void every_bfloat16_is_converted(void **state)
{
    static const uint32_t tails[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
    enum { ALL = 65536, TAILS = 6, NUMBERS = ALL * TAILS };
    static uint32_t numbers[NUMBERS];
    static uint16_t halves[ALL];
    void *wide, *narrow = device_room(NUMBERS * sizeof(uint16_t));
    const uint16_t *got;
    const uint32_t *back;

    (void)state;
    for (uint32_t i = 0; i < NUMBERS; i++)
        numbers[i] = i / TAILS << 16 | tails[i % TAILS];
    for (uint32_t i = 0; i < ALL; i++)
        halves[i] = (uint16_t)i;
    wide = put_bytes(numbers, sizeof numbers);
    assert_ran(df_launch_convert(NULL, (struct df_matrix){narrow, DF_BF16, 1, NUMBERS, NUMBERS},
                                 (struct df_matrix){wide, DF_F32, 1, NUMBERS, NUMBERS}));
    got = get_bytes(narrow, NUMBERS * sizeof(uint16_t));
    for (size_t i = 0; i < NUMBERS; i++) {
        float value;
        memcpy(&value, &numbers[i], sizeof value);
        if (got[i] != df_f32_to_bf16(value))
            fail_msg("%08x became %04x, expected %04x", numbers[i], got[i], df_f32_to_bf16(value));
    }
    assert_ran(df_launch_convert(NULL, (struct df_matrix){wide, DF_F32, 1, ALL, ALL},
                                 (struct df_matrix){put_bytes(halves, sizeof halves), DF_BF16, 1, ALL, ALL}));
    back = get_bytes(wide, ALL * sizeof(uint32_t));
    for (uint32_t i = 0; i < ALL; i++)
        assert_int_equal(back[i], i << 16);
    release_arrays();
}

static void other_conversions_are_refused(void **state)
{
    const struct df_matrix wide = {NULL, DF_F32, 2, 3, 3}, narrow = {NULL, DF_BF16, 3, 2, 2};

    (void)state;
    assert_int_equal(df_launch_convert(NULL, narrow, wide), cudaErrorInvalidValue);
    assert_int_equal(df_launch_convert(NULL, (struct df_matrix){NULL, DF_I32, 2, 3, 3}, wide),
                     cudaErrorInvalidValue);
    assert_ran(df_launch_convert(NULL, (struct df_matrix){NULL, DF_BF16, 0, 3, 3},
                                 (struct df_matrix){NULL, DF_F32, 0, 3, 3}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(column_sums_match),
        cmocka_unit_test(bias_is_added),
        cmocka_unit_test(conversions_match),
        cmocka_unit_test(every_bfloat16_is_converted),
        cmocka_unit_test(other_conversions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
