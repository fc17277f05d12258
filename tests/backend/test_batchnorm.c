/* BatchNorm + ReLU against the scalar reference, whose gradient is itself held against finite differences.
 * Golden values: torch.nn.BatchNorm2d and relu of PyTorch 2. */
#include "device.h"
#include "reference.h"

#include "support/cmocka_all.h"

#include <math.h>

#define EPS 1e-5f

struct batchnorm_case {
    int64_t rows, channels;
    const double *gamma, *beta, *dy;
    double *y, *mean, *variance;
};

static double weighted_sum(const double *x, void *context)
{
    const struct batchnorm_case *c = context;
    double sum = 0.0;
    ref_channel_statistics(x, c->rows, c->channels, c->mean, c->variance);
    ref_batchnorm_relu(x, c->rows, c->channels, c->mean, c->variance, EPS, c->gamma, c->beta, c->y);
    for (int64_t i = 0; i < c->rows * c->channels; i++)
        sum += c->y[i] * c->dy[i];
    return sum;
}

static double weighted_sum_of_gamma(const double *gamma, void *context)
{
    struct batchnorm_case c = *(struct batchnorm_case *)context;
    const double *x = c.gamma; /* the input takes gamma's place, as gamma is what varies */
    c.gamma = gamma;
    return weighted_sum(x, &c);
}

/* The largest |a - b| relative to max(1, |b|). */
static double distance(const double *a, const double *b, size_t count)
{
    double largest = 0.0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(a[i] - b[i]) / fmax(1.0, fabs(b[i])));
    return largest;
}

static void check_reference_gradient(struct test_device *device)
{
    const int64_t rows = 17, channels = 3;
    const size_t n = (size_t)(rows * channels), nc = (size_t)channels;
    double *x = test_widen(device, test_random(device, n, 0.5, 2.0), n);
    double *gamma = test_widen(device, test_random(device, nc, 1.0, 0.5), nc);
    double *beta = test_widen(device, test_random(device, nc, 0.0, 0.5), nc);
    double *dx = test_doubles(device, n), *dgamma = test_doubles(device, nc),
           *dbeta = test_doubles(device, nc);
    double *numeric = test_doubles(device, n);
    struct batchnorm_case c = {rows,
                               channels,
                               gamma,
                               beta,
                               test_widen(device, test_random(device, n, 0.0, 1.0), n),
                               test_doubles(device, n),
                               test_doubles(device, nc),
                               test_doubles(device, nc)};
    ref_batchnorm_relu_backward(x, c.dy, rows, channels, EPS, gamma, beta, dx, dgamma, dbeta);
    test_numeric_gradient(weighted_sum, &c, x, n, numeric);
    assert_true(distance(dx, numeric, n) < 1e-7);
    c.gamma = x;
    test_numeric_gradient(weighted_sum_of_gamma, &c, gamma, nc, numeric);
    assert_true(distance(dgamma, numeric, nc) < 1e-7);
}

static void reference_gradient_is_right(void **state)
{
    (void)state;
    test_on_threads(check_reference_gradient);
}

/* Statistics, parameters and their places on the device. */
struct norm_on_device {
    struct df_batchnorm norm;
    double *gamma, *beta, *running_mean, *running_var;
};

static struct norm_on_device make_norm(struct test_device *device, int64_t rows, int64_t channels)
{
    const size_t n = (size_t)channels;
    const float *gamma = test_random(device, n, 1.0, 0.5), *beta = test_random(device, n, 0.0, 0.5);
    const float *mean = test_random(device, n, 0.0, 1.0);
    float *variance = test_random(device, n, 0.0, 1.0);
    for (size_t i = 0; i < n; i++)
        variance[i] = fabsf(variance[i]) + 0.1f;
    return (struct norm_on_device){
        .norm = {.rows = rows,
                 .channels = channels,
                 .eps = EPS,
                 .momentum = 0.1f,
                 .gamma = test_put_f32(device, gamma, n),
                 .beta = test_put_f32(device, beta, n),
                 .running_mean = test_put_f32(device, mean, n),
                 .running_var = test_put_f32(device, variance, n),
                 .save_mean = test_room_f32(device, n),
                 .save_rstd = test_room_f32(device, n)},
        .gamma = test_widen(device, gamma, n),
        .beta = test_widen(device, beta, n),
        .running_mean = test_widen(device, mean, n),
        .running_var = test_widen(device, variance, n),
    };
}

static void check_training(struct test_device *device, int64_t rows, int64_t channels, double mean)
{
    struct df_backend *backend = device->backend;
    const size_t n = (size_t)(rows * channels), nc = (size_t)channels;
    struct norm_on_device at = make_norm(device, rows, channels);
    const float *x = test_random(device, n, mean, 2.0), *dy = test_random(device, n, 0.0, 1.0);
    const double *wide = test_widen(device, x, n), *wide_dy = test_widen(device, dy, n);
    double *want = test_doubles(device, n), *means = test_doubles(device, nc),
           *variances = test_doubles(device, nc);
    double *rstd = test_doubles(device, nc), *want_dgamma = test_doubles(device, nc),
           *want_dbeta = test_doubles(device, nc);
    void *in = test_put_f32(device, x, n), *y = test_room_f32(device, n),
         *gradient = test_put_f32(device, dy, n);
    float *dgamma = test_room_f32(device, nc), *dbeta = test_room_f32(device, nc);

    assert_int_equal(backend->ops->batchnorm_relu_forward(backend, &at.norm, true, in, y), 0);
    ref_channel_statistics(wide, rows, channels, means, variances);
    ref_batchnorm_relu(wide, rows, channels, means, variances, EPS, at.gamma, at.beta, want);
    test_near("batchnorm", test_get_f32(device, y, n), want, n, 2e-5);
    for (size_t c = 0; c < nc; c++) {
        const double unbiased = rows > 1 ? variances[c] * (double)rows / (double)(rows - 1) : 0.0;
        rstd[c] = 1.0 / sqrt(variances[c] + (double)EPS);
        at.running_mean[c] = 0.9 * at.running_mean[c] + 0.1 * means[c];
        at.running_var[c] = 0.9 * at.running_var[c] + 0.1 * unbiased;
    }
    test_near("mean", test_get_f32(device, at.norm.save_mean, nc), means, nc, 1e-6);
    test_near("rstd", test_get_f32(device, at.norm.save_rstd, nc), rstd, nc, 1e-6);
    test_near("running mean", test_get_f32(device, at.norm.running_mean, nc), at.running_mean, nc, 1e-6);
    test_near("running variance", test_get_f32(device, at.norm.running_var, nc), at.running_var, nc, 1e-6);

    ref_batchnorm_relu_backward(wide, wide_dy, rows, channels, EPS, at.gamma, at.beta, want, want_dgamma,
                                want_dbeta);
    assert_int_equal(
        backend->ops->batchnorm_relu_backward(backend, &at.norm, in, y, gradient, gradient, dgamma, dbeta),
        0);
    /* One row has no variance: its gradient is a difference of equal numbers times 1 / sqrt(eps). */
    test_near("batchnorm gradient", test_get_f32(device, gradient, n), want, n, rows == 1 ? 1e-3 : 1e-5);
    test_near("dgamma", test_get_f32(device, dgamma, nc), want_dgamma, nc, 2e-5);
    test_near("dbeta", test_get_f32(device, dbeta, nc), want_dbeta, nc, 1e-6);
    test_release(device);
}

static void check_evaluation(struct test_device *device, int64_t rows, int64_t channels)
{
    struct df_backend *backend = device->backend;
    const size_t n = (size_t)(rows * channels), nc = (size_t)channels;
    struct norm_on_device at = make_norm(device, rows, channels);
    const float *x = test_random(device, n, 0.0, 2.0);
    double *want = test_doubles(device, n);
    void *in = test_put_f32(device, x, n), *y = test_room_f32(device, n);
    ref_batchnorm_relu(test_widen(device, x, n), rows, channels, at.running_mean, at.running_var, EPS,
                       at.gamma, at.beta, want);
    assert_int_equal(backend->ops->batchnorm_relu_forward(backend, &at.norm, false, in, y), 0);
    test_near("batchnorm in evaluation", test_get_f32(device, y, n), want, n, 2e-6);
    test_near("running mean", test_get_f32(device, at.norm.running_mean, nc), at.running_mean, nc, 0.0);
    test_near("running variance", test_get_f32(device, at.norm.running_var, nc), at.running_var, nc, 0.0);
    test_release(device);
}

static void check_batchnorm(struct test_device *device)
{
    static const int64_t shapes[][2] = {{1, 1}, {3, 3}, {65, 17}, {300, 21}, {1031, 65}, {70, 150}};
    for (size_t k = 0; k < sizeof(shapes) / sizeof(*shapes); k++) {
        check_training(device, shapes[k][0], shapes[k][1], k % 2 ? 50.0 : 0.5);
        check_evaluation(device, shapes[k][0], shapes[k][1]);
    }
}

static void batchnorm_matches(void **state)
{
    (void)state;
    test_in_all_types(check_batchnorm);
}

static void check_golden(struct test_device *device)
{
    static const float x[] = {1, 2, 3, -1, 0.5f, 4, -2, 0},
                       dy[] = {0.1f, -0.2f, 0.3f, 0.4f, -0.5f, 1, 0.2f, -1};
    static const float gamma[] = {1.5f, -0.5f}, beta[] = {0.2f, 0.1f}, zeros[2] = {0, 0}, ones[2] = {1, 1};
    static const double want[] = {0.51583755, 0, 2.20030475, 0.685849309, 0.0947208107, 0, 0, 0.425471842};
    static const double want_dx[] = {0.0850532055, -0.0344227962, 0.145628005, -0.157109082,
                                     -0.393318951, -0.0220659357, 0.16263777,  0.213597819};
    static const double want_dgamma[] = {0.456209838, 0.182264209}, want_dbeta[] = {-0.1, -0.6};
    static const double want_mean[] = {0.0625, 0.125}, want_var[] = {1.32291663, 1.39166665};
    static const double want_eval[] = {1.42262888,  0, 4.03090382, 0.576818764,
                                       0.770560145, 0, 0,          0.152979866};
    struct df_backend *backend = device->backend;
    struct df_batchnorm norm = {4,
                                2,
                                EPS,
                                0.1f,
                                test_put_f32(device, gamma, 2),
                                test_put_f32(device, beta, 2),
                                test_put_f32(device, zeros, 2),
                                test_put_f32(device, ones, 2),
                                test_room_f32(device, 2),
                                test_room_f32(device, 2)};
    void *in = test_put_f32(device, x, 8), *y = test_room_f32(device, 8),
         *gradient = test_put_f32(device, dy, 8);
    void *dx = test_room_f32(device, 8);
    float *dgamma = test_room_f32(device, 2), *dbeta = test_room_f32(device, 2);
    assert_int_equal(backend->ops->batchnorm_relu_forward(backend, &norm, true, in, y), 0);
    test_near("batchnorm", test_get_f32(device, y, 8), want, 8, 1e-6);
    test_near("running mean", test_get_f32(device, norm.running_mean, 2), want_mean, 2, 1e-7);
    test_near("running variance", test_get_f32(device, norm.running_var, 2), want_var, 2, 2e-7);
    assert_int_equal(
        backend->ops->batchnorm_relu_backward(backend, &norm, in, y, gradient, dx, dgamma, dbeta), 0);
    test_near("batchnorm gradient", test_get_f32(device, dx, 8), want_dx, 8, 1e-6);
    test_near("dgamma", test_get_f32(device, dgamma, 2), want_dgamma, 2, 1e-6);
    test_near("dbeta", test_get_f32(device, dbeta, 2), want_dbeta, 2, 1e-6);
    assert_int_equal(backend->ops->batchnorm_relu_forward(backend, &norm, false, in, y), 0);
    test_near("batchnorm in evaluation", test_get_f32(device, y, 8), want_eval, 8, 1e-6);
}

static void batchnorm_matches_pytorch(void **state)
{
    (void)state;
    test_on_threads(check_golden);
}

/* Channels do not touch each other; the ReLU keeps a NaN. */
static void check_not_a_number(struct test_device *device)
{
    static const float x[] = {NAN, 1, INFINITY, -1}, ones[] = {1, 1}, zeros[] = {0, 0};
    static const double evaluation[] = {NAN, 1, INFINITY, 0}, training[] = {NAN, 1, NAN, 0};
    struct df_backend *backend = device->backend;
    struct df_batchnorm norm = {.rows = 2,
                                .channels = 2,
                                .momentum = 0.1f,
                                .gamma = test_put_f32(device, ones, 2),
                                .beta = test_put_f32(device, zeros, 2),
                                .running_mean = test_put_f32(device, zeros, 2),
                                .running_var = test_put_f32(device, ones, 2),
                                .save_mean = test_room_f32(device, 2),
                                .save_rstd = test_room_f32(device, 2)};
    float *dgamma = test_room_f32(device, 2), *dbeta = test_room_f32(device, 2);
    void *in = test_put_f32(device, x, 4), *y = test_room_f32(device, 4),
         *gradient = test_put_f32(device, x, 4);
    assert_int_equal(backend->ops->batchnorm_relu_forward(backend, &norm, false, in, y), 0);
    test_near("batchnorm in evaluation", test_get_f32(device, y, 4), evaluation, 4, 1e-6);
    assert_int_equal(backend->ops->batchnorm_relu_forward(backend, &norm, true, in, y), 0);
    test_near("batchnorm", test_get_f32(device, y, 4), training, 4, 1e-6);
    assert_int_equal(
        backend->ops->batchnorm_relu_backward(backend, &norm, in, y, gradient, gradient, dgamma, dbeta), 0);
    const float *dx = test_get_f32(device, gradient, 4);
    assert_true(isnan(dx[0]) && isnan(dx[2]) && dx[1] == 0.0f && dx[3] == 0.0f);
}

static void not_a_number_passes_through(void **state)
{
    (void)state;
    test_in_all_types(check_not_a_number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_gradient_is_right),
        cmocka_unit_test(batchnorm_matches),
        cmocka_unit_test(batchnorm_matches_pytorch),
        cmocka_unit_test(not_a_number_passes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
