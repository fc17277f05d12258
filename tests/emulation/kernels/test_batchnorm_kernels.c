/* BatchNorm + ReLU at the channel counts that choose how a map is cut: periods of one, two and four rows,
 * periods that fill a block or a part of it, more channels than a period can hold; one run of rows and many.
 */
#include "device_arrays.h"

#include "backend/reference.h"
#include "kernels/kernels.h"
#include "support/cmocka_all.h"

#include <math.h>

#define EPS 1e-5f

static float *positive(float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = fabsf(values[i]) + 0.1f;
    return values;
}

static void check_evaluation(struct df_batchnorm norm, const float *in, const double *x, const double *gamma,
                             const double *beta)
{
    const int64_t n = norm.rows * norm.channels, c = norm.channels;
    const float *mean = get_values(norm.running_mean, c, DF_F32),
                *variance = get_values(norm.running_var, c, DF_F32);
    double *want = host_zeros(n);
    float *y = device_room((size_t)n * sizeof(float));

    ref_batchnorm_relu(x, norm.rows, c, host_doubles(mean, c), host_doubles(variance, c), EPS, gamma, beta,
                       want);
    assert_ran(df_launch_batchnorm_relu_forward(NULL, &norm, false, in, y,
                                                device_room(df_launch_batchnorm_scratch(&norm))));
    assert_values("batchnorm in evaluation", get_values(y, n, DF_F32), want, n, DF_F32, 1e-5);
    assert_memory_equal(get_values(norm.running_mean, c, DF_F32), mean, (size_t)c * sizeof(float));
    assert_memory_equal(get_values(norm.running_var, c, DF_F32), variance, (size_t)c * sizeof(float));
}

static void check(int64_t rows, int64_t channels, double mean)
{
    const int64_t n = rows * channels;
    const size_t bytes = (size_t)channels * sizeof(float);
    const float *x = host_normals(n, DF_F32, mean, 2.0, 1), *dy = host_normals(n, DF_F32, 0.0, 1.0, 2);
    const float *gamma = host_normals(channels, DF_F32, 1.0, 0.5, 3);
    const float *beta = host_normals(channels, DF_F32, 0.0, 0.5, 4);
    const float *old_mean = host_normals(channels, DF_F32, 0.0, 1.0, 5);
    const float *old_var = positive(host_normals(channels, DF_F32, 0.0, 1.0, 6), channels);
    const double *wide = host_doubles(x, n), *scale = host_doubles(gamma, channels),
                 *shift = host_doubles(beta, channels);
    double *want = host_zeros(n), *means = host_zeros(channels), *variances = host_zeros(channels);
    double *rstds = host_zeros(channels), *dgamma = host_zeros(channels), *dbeta = host_zeros(channels);
    double *new_mean = host_zeros(channels), *new_var = host_zeros(channels);
    const struct df_batchnorm norm = {rows,
                                      channels,
                                      EPS,
                                      0.1f,
                                      put_values(gamma, channels, DF_F32),
                                      put_values(beta, channels, DF_F32),
                                      put_values(old_mean, channels, DF_F32),
                                      put_values(old_var, channels, DF_F32),
                                      device_room(bytes),
                                      device_room(bytes)};
    const float *in = put_values(x, n, DF_F32);
    float *y = device_room((size_t)n * sizeof(float)), *gradient = put_values(dy, n, DF_F32);
    float *got_dgamma = device_room(bytes), *got_dbeta = device_room(bytes);
    void *scratch = device_room(df_launch_batchnorm_scratch(&norm));

    ref_channel_statistics(wide, rows, channels, means, variances);
    ref_batchnorm_relu(wide, rows, channels, means, variances, EPS, scale, shift, want);
    for (int64_t c = 0; c < channels; c++) {
        const double unbiased = rows > 1 ? variances[c] * (double)rows / (double)(rows - 1) : variances[c];
        rstds[c] = 1.0 / sqrt(variances[c] + (double)EPS);
        new_mean[c] = 0.9 * (double)old_mean[c] + 0.1 * means[c];
        new_var[c] = 0.9 * (double)old_var[c] + 0.1 * unbiased;
    }
    assert_ran(df_launch_batchnorm_relu_forward(NULL, &norm, true, in, y, scratch));
    assert_values("batchnorm", get_values(y, n, DF_F32), want, n, DF_F32, 2e-5);
    assert_values("mean", get_values(norm.save_mean, channels, DF_F32), means, channels, DF_F32, 1e-6);
    assert_values("rstd", get_values(norm.save_rstd, channels, DF_F32), rstds, channels, DF_F32, 1e-6);
    assert_values("running mean", get_values(norm.running_mean, channels, DF_F32), new_mean, channels, DF_F32,
                  1e-6);
    assert_values("running var", get_values(norm.running_var, channels, DF_F32), new_var, channels, DF_F32,
                  1e-6);

    ref_batchnorm_relu_backward(wide, host_doubles(dy, n), rows, channels, EPS, scale, shift, want, dgamma,
                                dbeta);
    assert_ran(df_launch_batchnorm_relu_backward(NULL, &norm, in, y, gradient, gradient, got_dgamma,
                                                 got_dbeta, scratch));
    assert_values("gradient", get_values(gradient, n, DF_F32), want, n, DF_F32, 1e-5);
    assert_values("dgamma", get_values(got_dgamma, channels, DF_F32), dgamma, channels, DF_F32, 2e-5);
    assert_values("dbeta", get_values(got_dbeta, channels, DF_F32), dbeta, channels, DF_F32, 1e-6);
    check_evaluation(norm, in, wide, scale, shift);
    release_arrays();
}

static void shapes_match(void **state)
{
    static const int64_t shapes[][2] = {{5, 1},    {7, 2},    {9, 4},    {1201, 21}, {403, 22},  {131, 64},
                                        {67, 150}, {45, 255}, {6, 1024}, {5, 1028},  {131, 257}, {29, 515}};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(shapes[i][0], shapes[i][1], i % 2 ? 50.0 : 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
