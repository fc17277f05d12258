/* Kernels that are right run to their end and give what plain loops give. */
#include "support/cmocka_all.h"

#include "emulation_control.h"
#include "examples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool sums_are_truncated(void)
{
    const char *const sums = getenv("DF_EMULATION_SUMS");
    return sums && !strcmp(sums, "truncated");
}

static void *to_device(const void *host, size_t bytes)
{
    void *memory;

    assert_int_equal(cudaMalloc(&memory, bytes), cudaSuccess);
    if (host)
        assert_int_equal(cudaMemcpy(memory, host, bytes, cudaMemcpyHostToDevice), cudaSuccess);
    else
        assert_int_equal(cudaMemset(memory, 0, bytes), cudaSuccess);
    return memory;
}

static void from_device(void *host, void *memory, size_t bytes)
{
    assert_int_equal(cudaMemcpy(host, memory, bytes, cudaMemcpyDeviceToHost), cudaSuccess);
    assert_int_equal(cudaFree(memory), cudaSuccess);
}

/* Small integers: their sums and products are exact in float32. */
static float small_number(int i)
{
    return (float)((i * 37 + i / 7 * 11) % 13 - 6);
}

static void sums_of_rows(void **state)
{
    enum { ROWS = 5, COLUMNS = 301 };
    float x[ROWS * COLUMNS], sums[ROWS];
    uint16_t narrow[ROWS * COLUMNS];

    for (int i = 0; i < ROWS * COLUMNS; i++) {
        x[i] = small_number(i);
        narrow[i] = df_f32_to_bf16(x[i]);
    }
    for (int type = 0; type < 2; type++) {
        void *in = type == 0 ? to_device(x, sizeof x) : to_device(narrow, sizeof narrow);
        float *out = to_device(NULL, sizeof sums);
        assert_int_equal(sound_row_sums(NULL, in, type == 0 ? DF_F32 : DF_BF16, out, ROWS, COLUMNS),
                         cudaSuccess);
        from_device(sums, out, sizeof sums);
        cudaFree(in);
        for (int row = 0; row < ROWS; row++) {
            float expected = 0.0f;
            for (int i = 0; i < COLUMNS; i++)
                expected += x[row * COLUMNS + i];
            assert_true(sums[row] == expected);
        }
    }
    assert_int_equal(sound_row_sums(NULL, NULL, DF_I64, NULL, 1, 1), cudaErrorInvalidValue);
}

static void transposed(void **state)
{
    enum { ROWS = 37, COLUMNS = 50 };
    float x[ROWS * COLUMNS], y[ROWS * COLUMNS];

    for (int i = 0; i < ROWS * COLUMNS; i++)
        x[i] = (float)i;
    float *in = to_device(x, sizeof x), *out = to_device(NULL, sizeof y);
    assert_int_equal(sound_transpose(NULL, in, out, ROWS, COLUMNS), cudaSuccess);
    from_device(y, out, sizeof y);
    cudaFree(in);
    for (int row = 0; row < ROWS; row++) {
        for (int column = 0; column < COLUMNS; column++)
            assert_true(y[column * ROWS + row] == x[row * COLUMNS + column]);
    }
}

/* mma, ldmatrix and cp.async together. */
static void products(void **state)
{
    enum { M = 48, N = 32, K = 80 };
    uint16_t a[M * K], b[N * K];
    float c[M * N];

    for (int i = 0; i < M * K; i++)
        a[i] = df_f32_to_bf16(small_number(i));
    for (int i = 0; i < N * K; i++)
        b[i] = df_f32_to_bf16(small_number(i + 5000));
    for (int b_is_k_n = 0; b_is_k_n < 2; b_is_k_n++) {
        void *left = to_device(a, sizeof a), *right = to_device(b, sizeof b);
        float *out = to_device(NULL, sizeof c);
        assert_int_equal(sound_product(NULL, left, right, b_is_k_n, out, M, N, K), cudaSuccess);
        from_device(c, out, sizeof c);
        cudaFree(left);
        cudaFree(right);
        for (int row = 0; row < M; row++) {
            for (int column = 0; column < N; column++) {
                float expected = 0.0f;
                for (int k = 0; k < K; k++)
                    expected += df_bf16_to_f32(a[row * K + k]) *
                                df_bf16_to_f32(b_is_k_n ? b[k * N + column] : b[column * K + k]);
                assert_true(c[row * N + column] == expected);
            }
        }
    }
}

static void fragments(void **state)
{
    uint16_t a[16 * 16], b[16 * 8];
    float c[16 * 8], before[16 * 8];

    for (int i = 0; i < 16 * 16; i++)
        a[i] = df_f32_to_bf16(small_number(i));
    for (int i = 0; i < 16 * 8; i++) {
        b[i] = df_f32_to_bf16(small_number(3 * i + 1));
        before[i] = (float)i;
    }
    void *left = to_device(a, sizeof a), *right = to_device(b, sizeof b);
    float *out = to_device(before, sizeof before);
    assert_int_equal(sound_fragments(NULL, left, right, out), cudaSuccess);
    from_device(c, out, sizeof c);
    cudaFree(left);
    cudaFree(right);
    for (int row = 0; row < 16; row++) {
        for (int column = 0; column < 8; column++) {
            float expected = before[row * 8 + column];
            for (int k = 0; k < 16; k++)
                expected += df_bf16_to_f32(a[row * 16 + k]) * df_bf16_to_f32(b[k * 8 + column]);
            assert_true(c[row * 8 + column] == expected);
        }
    }
}

/* 16 products of the same size and a sum, in units of 2^-24: as DF_EMULATION_SUMS says. */
static void sums_of_tensor_cores(void **state)
{
    enum { ONE = 1 << 24 };
    static const struct {
        int sum, product;
        int rounded, truncated;
    } sums[] = {
        {-ONE, 1, -ONE + 16, -ONE},   /* below the last place of the sum; if rounded, below one it has more */
        {ONE, 3, ONE + 64, ONE + 32}, /* one and a half last places, if rounded to an even one */
        {ONE, 64, ONE + 1024, ONE + 1024},
        {8, 2 * ONE, 32 * ONE, 32 * ONE},
    };

    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        const float expected = (float)(sums_are_truncated() ? sums[i].truncated : sums[i].rounded);
        uint16_t a[16 * 16], b[16 * 8];
        float c[16 * 8];
        for (int j = 0; j < 16 * 16; j++)
            a[j] = df_f32_to_bf16((float)sums[i].product / (float)(1 << 12));
        for (int j = 0; j < 16 * 8; j++) {
            b[j] = df_f32_to_bf16(1.0f / (float)(1 << 12));
            c[j] = (float)sums[i].sum / (float)ONE;
        }
        void *left = to_device(a, sizeof a), *right = to_device(b, sizeof b);
        float *out = to_device(c, sizeof c);
        assert_int_equal(sound_fragments(NULL, left, right, out), cudaSuccess);
        from_device(c, out, sizeof c);
        cudaFree(left);
        cudaFree(right);
        for (int j = 0; j < 16 * 8; j++)
            assert_true(c[j] * (float)ONE == expected);
    }
}

static int expected_lane(int what, int lane)
{
    switch (what) {
    case 0:
        return 100 + 5;
    case 1:
        return 100 + lane / 8 * 8 + (lane + 1) % 8;
    case 2:
        return 100 + (lane >= 3 ? lane - 3 : lane);
    case 3:
        return 100 + (lane % 16 >= 3 ? lane - 3 : lane);
    case 4:
        return 100 + (lane < 28 ? lane + 4 : lane);
    case 5:
        return 100 + (lane % 8 < 4 ? lane + 4 : lane);
    case 6:
        return 100 + (lane ^ 9);
    case 7:
        return 100 + (lane ^ 1);
    case 8:
        return 0x49249249;
    case 9:
    case 10:
        return 1;
    default:
        return 100 + (lane < 8 ? lane ^ 7 : 31);
    }
}

static void lanes(void **state)
{
    int out[12 * 32];

    int *memory = to_device(NULL, sizeof out);
    assert_int_equal(sound_lanes(NULL, memory), cudaSuccess);
    from_device(out, memory, sizeof out);
    for (int i = 0; i < 12 * 32; i++)
        assert_int_equal(out[i], expected_lane(i / 32, i % 32));
}

static void warps_by_themselves(void **state)
{
    int out[64], values[64], next[64];

    int *memory = to_device(NULL, sizeof out);
    assert_int_equal(sound_pass_on(NULL, memory, 3), cudaSuccess);
    from_device(out, memory, sizeof out);
    for (int i = 0; i < 64; i++)
        values[i] = i;
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 64; i++)
            next[i] = round < 3 + i / 32 ? values[i / 32 * 32 + (i + 1) % 32] : 0;
        for (int i = 0; i < 64; i++)
            values[i] += next[i];
    }
    for (int i = 0; i < 64; i++)
        assert_int_equal(out[i], values[63 - i]);
}

static void a_histogram(void **state)
{
    enum { COUNT = 1001, CLASSES = 21 };
    uint8_t labels[COUNT];
    unsigned counts[CLASSES], expected[CLASSES] = {0};

    for (int i = 0; i < COUNT; i++) {
        labels[i] = (uint8_t)(i * i % CLASSES);
        expected[labels[i]]++;
    }
    uint8_t *in = to_device(labels, sizeof labels);
    unsigned *out = to_device(NULL, sizeof counts);
    assert_int_equal(sound_histogram(NULL, in, COUNT, out, CLASSES), cudaSuccess);
    from_device(counts, out, sizeof counts);
    cudaFree(in);
    assert_memory_equal(counts, expected, sizeof counts);
}

static void places_of_threads(void **state)
{
    static const unsigned grid[3] = {3, 2, 2}, block[3] = {5, 3, 2};
    enum { COUNT = 3 * 2 * 2 * 5 * 3 * 2 };
    int numbers[COUNT];

    int *out = to_device(NULL, sizeof numbers);
    assert_int_equal(sound_thread_numbers(NULL, out, grid, block), cudaSuccess);
    from_device(numbers, out, sizeof numbers);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(numbers[i], i + 1);
}

static void arguments_are_copied(void **state)
{
    float x[100];

    float *memory = to_device(NULL, sizeof x);
    assert_int_equal(sound_arguments(NULL, memory, 100, 10.0f), cudaSuccess);
    from_device(x, memory, sizeof x);
    for (int i = 0; i < 100; i++)
        assert_true(x[i] == 11.0f + (float)(i % 4));
}

static void dynamic_shared_memory(void **state)
{
    enum { THREADS = 100 };
    float out[THREADS];
    float *memory = to_device(NULL, sizeof out);
    int limit;

    assert_int_equal(sound_dynamic(NULL, memory, THREADS, sizeof out), cudaSuccess);
    /* More than 48 KB have to be asked for, and the device's limit is all there is. */
    assert_int_equal(cudaDeviceGetAttribute(&limit, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0), cudaSuccess);
    assert_int_equal(sound_dynamic(NULL, memory, THREADS, 49 * 1024), cudaErrorInvalidValue);
    assert_int_equal(sound_dynamic_allow((size_t)limit + 1), cudaErrorInvalidValue);
    assert_int_equal(cudaGetLastError(), cudaErrorInvalidValue);
    assert_int_equal(sound_dynamic_allow((size_t)limit), cudaSuccess);
    assert_int_equal(sound_dynamic(NULL, memory, THREADS, (size_t)limit), cudaSuccess);
    assert_int_equal(sound_dynamic(NULL, memory, THREADS, (size_t)limit + 4), cudaErrorInvalidValue);
    from_device(out, memory, sizeof out);
    for (int i = 0; i < THREADS; i++)
        assert_true(out[i] == (float)(i + (i + 1) % THREADS));
}

/* Rows of 16 bytes, eight of which a phase takes, and words. */
static void bank_conflicts(void **state)
{
    static const struct {
        int stride;
        unsigned of_rows, of_words;
    } strides[] = {{16, 0, 3}, {32, 1, 7}, {48, 0, 3}, {64, 3, 15}, {128, 7, 31}, {144, 0, 3}};
    unsigned data[4 * 32], out[32];

    for (unsigned i = 0; i < 4 * 32; i++)
        data[i] = i * i;
    for (size_t i = 0; i < sizeof strides / sizeof *strides; i++) {
        void *in = to_device(data, sizeof data);
        unsigned *sums = to_device(NULL, sizeof out);
        df_emulation_count_banks(true);
        assert_int_equal(sound_rows(NULL, in, sums, strides[i].stride), cudaSuccess);
        from_device(out, sums, sizeof out);
        df_emulation_count_banks(false);
        cudaFree(in);
        for (int lane = 0; lane < 32; lane++)
            assert_int_equal(out[lane], data[lane] + data[32 + lane] + data[64 + lane] + data[96 + lane]);
        for (int kind = DF_SHARED_MATRIX; kind <= DF_SHARED_SCALAR; kind++) {
            const struct df_shared_turns turns = df_emulation_shared_turns((enum df_shared_kind)kind);
            const bool words = kind == DF_SHARED_SCALAR;
            if (words && !df_emulation_checks_accesses())
                continue;
            assert_int_equal(turns.phases, words ? 1 : 4);
            assert_int_equal(turns.conflicts, words ? strides[i].of_words : 4 * strides[i].of_rows);
        }
    }
}

static void counting_barriers(void **state)
{
    int x[70], count;

    for (int positive = 0; positive <= 70; positive += 35) {
        for (int i = 0; i < 70; i++)
            x[i] = i < positive;
        int *in = to_device(x, sizeof x), *out = to_device(NULL, sizeof count);
        assert_int_equal(sound_count(NULL, in, out, 70), cudaSuccess);
        from_device(&count, out, sizeof count);
        cudaFree(in);
        assert_int_equal(count, positive + (positive > 0 ? 1000 : 0) + (positive == 70 ? 2000 : 0));
    }
}

static void impossible_launches_are_refused(void **state)
{
    static const struct {
        unsigned grid[3], block[3];
    } launches[] = {{{0, 1, 1}, {1, 1, 1}},     {{1, 1, 0}, {1, 1, 1}},     {{1, 1, 1}, {0, 1, 1}},
                    {{1, 1, 1}, {1025, 1, 1}},  {{1, 1, 1}, {64, 17, 1}},   {{1, 1, 1}, {1, 1, 65}},
                    {{1, 65536, 1}, {1, 1, 1}}, {{1, 1, 65536}, {1, 1, 1}}, {{0x80000000u, 1, 1}, {1, 1, 1}}};

    for (size_t i = 0; i < sizeof launches / sizeof *launches; i++) {
        assert_int_equal(sound_thread_numbers(NULL, NULL, launches[i].grid, launches[i].block),
                         cudaErrorInvalidConfiguration);
        assert_int_equal(cudaGetLastError(), cudaSuccess);
    }
}

static void declared_bounds_are_kept(void **state)
{
    int *out = to_device(NULL, sizeof *out), threads;

    assert_int_equal(sound_bounded(NULL, out, 64), cudaSuccess);
#ifndef __clang__
    assert_int_equal(sound_bounded(NULL, out, 96), cudaErrorInvalidValue);
#endif
    from_device(&threads, out, sizeof threads);
    assert_int_equal(threads, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_rows),
        cmocka_unit_test(transposed),
        cmocka_unit_test(products),
        cmocka_unit_test(fragments),
        cmocka_unit_test(sums_of_tensor_cores),
        cmocka_unit_test(lanes),
        cmocka_unit_test(warps_by_themselves),
        cmocka_unit_test(a_histogram),
        cmocka_unit_test(places_of_threads),
        cmocka_unit_test(arguments_are_copied),
        cmocka_unit_test(dynamic_shared_memory),
        cmocka_unit_test(bank_conflicts),
        cmocka_unit_test(counting_barriers),
        cmocka_unit_test(impossible_launches_are_refused),
        cmocka_unit_test(declared_bounds_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
