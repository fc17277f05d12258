/* Tokens from patches. */
#include "device_arrays.h"

#include "kernels/kernels.h"
#include "support/cmocka_all.h"

static void check_tokens(int64_t batch, int64_t prefix_tokens, int64_t patches, int64_t dim,
                         bool with_position)
{
    const int64_t tokens = prefix_tokens + patches, n = batch * tokens * dim,
                  n_patches = batch * patches * dim;
    const float *patch = host_normals(n_patches, DF_F32, 0.0, 1.0, 1);
    const float *prefix = host_normals(prefix_tokens * dim, DF_F32, 0.0, 1.0, 2);
    const float *position = host_normals(patches * dim, DF_F32, 0.0, 1.0, 3);
    const float *pos = put_values(position, patches * dim, DF_F32);
    float *x = device_room((size_t)n * sizeof(float));
    double *want = host_zeros(n);

    for (int64_t i = 0; i < n; i++) {
        const int64_t d = i % dim, token = i / dim % tokens, b = i / dim / tokens, p = token - prefix_tokens;
        want[i] = p < 0 ? (double)prefix[token * dim + d]
                        : (double)(patch[(b * patches + p) * dim + d] +
                                   (with_position ? position[p * dim + d] : 0.0f));
    }
    assert_ran(df_launch_assemble_tokens(
        NULL, put_values(patch, n_patches, DF_F32), put_values(prefix, prefix_tokens * dim, DF_F32),
        with_position ? pos : NULL, x, (struct df_token_rows){batch, tokens, prefix_tokens, patches}, dim));
    assert_values("tokens", get_values(x, n, DF_F32), want, n, DF_F32, 0.0);
    release_arrays();
}

static void tokens_match(void **state)
{
    (void)state;
    check_tokens(1, 1, 1, 1, true);
    check_tokens(2, 5, 7, 17, false);
    check_tokens(4, 5, 3, 64, true);
    check_tokens(5, 1, 6, 132, true);
    check_tokens(9, 0, 2, 4, false);
    check_tokens(3, 1, 2, 1028, true); /* more than a block's threads */
    check_tokens(1, 1, 2, 259, true);
    assert_ran(
        df_launch_assemble_tokens(NULL, NULL, NULL, NULL, NULL, (struct df_token_rows){0, 3, 1, 2}, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
