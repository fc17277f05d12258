/* Bank conflicts of shared memory, as comments in kernels/ have them: none in attention, and in matrix
 * products (gemm_tile.cuh) only where a thin tile is stored. */
#include "emulation_control.h"
#include "kernels/device_arrays.h"

#include "kernels/kernels.h"
#include "support/cmocka_all.h"

#include <stdio.h>

/* Conflicts by kind; words are seen only where every access is. phases: whether there have to be some. */
struct expected {
    unsigned long long conflicts[DF_SHARED_SCALAR + 1];
    bool phases[DF_SHARED_SCALAR + 1];
};

static void expect_turns(const char *what, const struct expected *expected)
{
    static const char *const names[] = {"ldmatrix", "cp.async", "vectors", "words"};

    for (int kind = DF_SHARED_MATRIX; kind <= DF_SHARED_SCALAR; kind++) {
        const struct df_shared_turns turns = df_emulation_shared_turns((enum df_shared_kind)kind);
        if (kind == DF_SHARED_SCALAR && !df_emulation_checks_accesses())
            continue;
        if (turns.conflicts != expected->conflicts[kind]) {
            df_emulation_print_conflicts();
            fail_msg("%s: %llu conflicts of %s in %llu phases, not %llu", what, turns.conflicts, names[kind],
                     turns.phases, expected->conflicts[kind]);
        }
        if (expected->phases[kind] && turns.phases == 0)
            fail_msg("%s: no %s", what, names[kind]);
    }
}

static void *drawn(int64_t count, enum df_dtype type)
{
    return put_values(host_normals(count, type, 0.0, 1.0, (uint64_t)count), count, type);
}

/* Forward and backward, with dk and without. */
static void attend(struct df_attention_shape s, enum df_dtype type)
{
    const int64_t rows = s.batch * s.tokens, dim = s.heads * s.head_size;
    const struct expected none = {{0}, {type == DF_BF16, true, true, true}};
    void *const qkv = drawn(rows * 3 * dim, type), *const dout = drawn(rows * dim, type);
    void *const out = drawn(rows * dim, type), *const dqkv = drawn(rows * 3 * dim, type);
    float *const lse = drawn(rows * s.heads, DF_F32);
    void *const scratch = drawn((int64_t)df_launch_attention_backward_scratch(s, type), DF_F32);
    char text[64];

    for (int pass = 0; pass < 3; pass++) {
        snprintf(text, sizeof text, "%s, head size %d, %s", df_dtype_name(type), (int)s.head_size,
                 pass == 0   ? "forward"
                 : pass == 1 ? "backward without dk"
                             : "backward");
        df_emulation_count_banks(true);
        if (pass == 0)
            assert_ran(df_launch_attention_forward(NULL, s, type, qkv, out, lse));
        else
            assert_ran(
                df_launch_attention_backward(NULL, s, type, qkv, out, lse, dout, dqkv, pass == 2, scratch));
        df_emulation_count_banks(false);
        expect_turns(text, &none);
    }
    release_arrays();
}

/* More than a block's rows, so that the last one is not full. */
static void attention_has_none(void **state)
{
    (void)state;
    attend((struct df_attention_shape){1, 140, 1, 64}, DF_BF16);
    attend((struct df_attention_shape){1, 140, 1, 128}, DF_BF16);
    attend((struct df_attention_shape){1, 40, 1, 64}, DF_F32);
    attend((struct df_attention_shape){1, 40, 1, 128}, DF_F32);
}

enum { ROWS = 128, DEPTH = 64 };

static struct df_matrix matrix(int64_t rows, int64_t cols, bool transpose, enum df_dtype type)
{
    return (struct df_matrix){drawn(rows * cols, type), type, transpose ? cols : rows,
                              transpose ? rows : cols, transpose ? rows : cols};
}

/* The thin operand's, [DEPTH, cols], when it is stored to its tile. */
static struct expected stores_of_thin(int cols, bool along_depth, enum df_dtype type)
{
    struct expected e = {{0}, {false, false, true, false}};

    if (along_depth)
        e.conflicts[DF_SHARED_SCALAR] = cols == 8 ? 48 : cols == 16 ? 32 : 0;
    if (!along_depth && type == DF_BF16)
        e.conflicts[DF_SHARED_VECTOR] = cols == 8 ? 16 : cols == 16 ? 32 : cols == 32 ? 64 : 0;
    return e;
}

static void multiply(int cols, bool transpose_a, bool transpose_b, enum df_dtype a_type, enum df_dtype b_type)
{
    const struct df_matrix a = matrix(ROWS, DEPTH, transpose_a, a_type);
    const struct df_matrix b = matrix(DEPTH, cols, transpose_b, b_type),
                           c = matrix(ROWS, cols, false, DF_F32);
    const struct expected expected = stores_of_thin(cols, transpose_b, b_type);
    char text[64];

    df_emulation_count_banks(true);
    assert_ran(df_launch_matmul(NULL, a, transpose_a, b, transpose_b, c, false, NULL));
    df_emulation_count_banks(false);
    snprintf(text, sizeof text, "%s%s times %s%s of %d columns", df_dtype_name(a_type),
             transpose_a ? "^T" : "", df_dtype_name(b_type), transpose_b ? "^T" : "", cols);
    expect_turns(text, &expected);
    release_arrays();
}

static void products_have_few(void **state)
{
    static const int cols[] = {8, 16, 32, 64};

    (void)state;
    for (unsigned i = 0; i < 64; i++)
        multiply(cols[i / 16], i & 1, i & 2, i & 4 ? DF_BF16 : DF_F32, i & 8 ? DF_BF16 : DF_F32);
}

static void convolutions_have_none(void **state)
{
    const struct expected none = {{0}, {false, false, true, true}};

    (void)state;
    for (int out = 32; out <= 64; out += 32) {
        const struct df_conv_shape shape = {
            .batch = 1, .height = 10, .width = 10, .in = 32, .out = out, .kernel = 3};
        float *const x = drawn(10 * 10 * 32, DF_F32), *const y = drawn(8 * 8 * out, DF_F32);
        float *const weight = drawn(out * 32 * 9, DF_F32);
        void *const scratch = drawn((int64_t)df_launch_conv_backward_weight_scratch(shape), DF_F32);
        df_emulation_count_banks(true);
        assert_ran(df_launch_conv_forward(NULL, shape, x, weight, NULL, y));
        assert_ran(df_launch_conv_backward_data(NULL, shape, y, weight, x));
        assert_ran(df_launch_conv_backward_weight(NULL, shape, x, y, weight, scratch));
        df_emulation_count_banks(false);
        expect_turns("convolution", &none);
        release_arrays();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_has_none),
        cmocka_unit_test(products_have_few),
        cmocka_unit_test(convolutions_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
