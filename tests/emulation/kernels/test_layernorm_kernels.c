/* LayerNorm at the widths that choose its kernels: a warp or a block a row, each number of vectors with and
 * without a remainder, rows that cannot be read in vectors. */
#include "device_arrays.h"

#include "backend/reference.h"
#include "kernels/kernels.h"
#include "support/cmocka_all.h"

static const float eps = 1e-6f;

/* dx = before + the gradient through the normalisation, at the chosen rows. */
static void reference_backward(const double *dy, const double *x, struct df_token_rows rows, int64_t dim,
                               const float *gamma, const double *mean, const double *rstd, double *dx)
{
    for (int64_t i = 0; i < rows.batch * rows.rows; i++) {
        const int64_t at = (i / rows.rows * rows.tokens + rows.first + i % rows.rows) * dim;
        double sum = 0.0, product = 0.0;
        for (int64_t c = 0; c < dim; c++) {
            const double g = dy[i * dim + c] * gamma[c];
            sum += g / (double)dim;
            product += g * (x[at + c] - mean[i]) * rstd[i] / (double)dim;
        }
        for (int64_t c = 0; c < dim; c++)
            dx[at + c] +=
                rstd[i] * (dy[i * dim + c] * gamma[c] - sum - (x[at + c] - mean[i]) * rstd[i] * product);
    }
}

static void check(struct df_token_rows rows, int64_t dim, enum df_dtype type)
{
    const int64_t all = rows.batch * rows.tokens * dim, chosen = rows.batch * rows.rows, n = chosen * dim;
    const float *x = host_normals(all, DF_F32, 0.5, 1.5, 1), *before = host_normals(all, DF_F32, 0.0, 1.0, 2);
    const float *gamma = host_normals(dim, DF_F32, 1.0, 0.3, 3),
                *beta = host_normals(dim, DF_F32, 0.0, 0.3, 4);
    const float *dy = host_normals(n, type, 0.0, 1.0, 5);
    double *wide = host_doubles(x, all), *want = host_zeros(n), *mean = host_zeros(chosen),
           *rstd = host_zeros(chosen);
    double *want_dx = host_doubles(before, all);
    const float *in = put_values(x, all, DF_F32), *g = put_values(gamma, dim, DF_F32);
    const float *b = put_values(beta, dim, DF_F32);
    float *means = device_room((size_t)chosen * sizeof(float)),
          *rstds = device_room((size_t)chosen * sizeof(float));
    float *dx = put_values(before, all, DF_F32);
    void *y = device_room((size_t)n * df_dtype_size(type));

    ref_layernorm(wide, rows, dim, gamma, beta, eps, want, mean, rstd);
    assert_ran(df_launch_layernorm_forward(NULL, in, rows, dim, g, b, eps, y, type, means, rstds));
    assert_values("layernorm", get_values(y, n, type), want, n, type, 4e-6);
    assert_values("mean", get_values(means, chosen, DF_F32), mean, chosen, DF_F32, 1e-6);
    assert_values("rstd", get_values(rstds, chosen, DF_F32), rstd, chosen, DF_F32, 1e-5);
    y = device_room((size_t)n * df_dtype_size(type));
    assert_ran(df_launch_layernorm_forward(NULL, in, rows, dim, g, b, eps, y, type, NULL, NULL));
    assert_values("layernorm alone", get_values(y, n, type), want, n, type, 4e-6);

    reference_backward(host_doubles(dy, n), wide, rows, dim, gamma, mean, rstd, want_dx);
    assert_ran(df_launch_layernorm_backward(NULL, put_values(dy, n, type), type, in, rows, dim, g, means,
                                            rstds, dx));
    assert_values("layernorm gradient", get_values(dx, all, DF_F32), want_dx, all, DF_F32, 1e-5);
    release_arrays();
}

static void widths_match(void **state)
{
    static const int64_t dims[] = {4,    132,  256,  384,  388,  768,  772,  1024,
                                   1028, 1536, 2052, 4096, 4100, 8192, 8196, 387};
    (void)state;
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
        check((struct df_token_rows){2, 4, 1, 3}, dims[i], DF_F32);
        check((struct df_token_rows){1, 6, 0, 5}, dims[i], DF_BF16);
    }
}

static void no_rows_are_no_work(void **state)
{
    (void)state;
    assert_ran(df_launch_layernorm_forward(NULL, NULL, (struct df_token_rows){0, 4, 1, 3}, 8, NULL, NULL, eps,
                                           NULL, DF_F32, NULL, NULL));
    assert_ran(df_launch_layernorm_backward(NULL, NULL, DF_F32, NULL, (struct df_token_rows){2, 4, 1, 0}, 8,
                                            NULL, NULL, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_match),
        cmocka_unit_test(no_rows_are_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
