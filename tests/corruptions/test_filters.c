/* The filters that corruptions share, against plain loops and the packages' own results. */
#include "blur_goldens.h"
#include "src/corruptions/pixels/disk_blur.h"
#include "src/corruptions/pixels/line_blur.h"
#include "src/corruptions/pixels/motion.h"
#include "src/corruptions/pixels/opencv_gaussian.h"
#include "src/corruptions/pixels/weights.h"
#include "src/corruptions/pixels/zoom.h"
#include "support/cmocka_all.h"

#include "dinoft/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

static const struct size {
    int width, height, channels;
} sizes[] = {{41, 33, 3}, {32, 32, 1}, {7, 5, 1}, {9, 1, 3}, {3, 40, 1}, {2, 2, 3}, {1, 1, 1}};

#define SIZES (sizeof sizes / sizeof *sizes)

/* The formula of make_blur_goldens.py. */
static struct float_image picture(int height, int width, int channels)
{
    struct float_image image;

    assert_int_equal(float_image_alloc(&image, width, height, channels), 0);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                image.pixels[(y * width + x) * channels + c] =
                    (float)(uint8_t)(x * x * 13 + y * x * 29 + y * y * 7 + c * 83);
    return image;
}

static struct df_image random_bytes(struct size size)
{
    struct df_image image;
    struct df_rng rng;

    df_rng_seed(&rng, 1, (uint64_t)(size.width * size.height));
    assert_int_equal(df_image_alloc(&image, size.width, size.height, size.channels), 0);
    for (int64_t i = 0; i < image.width * image.height * image.channels; i++)
        image.pixels[i] = (uint8_t)df_rng_below(&rng, 256);
    return image;
}

static struct float_image floats_of(const struct df_image *bytes)
{
    struct float_image image;

    assert_int_equal(float_image_from_bytes(&image, bytes, 1.0f), 0);
    return image;
}

/* One reflection after the other, until the index is inside. */
static int64_t inside(int64_t i, int64_t count, enum filter_border border)
{
    while (i < 0 || i >= count) {
        if (border == BORDER_NEAREST || count == 1)
            i = i < 0 ? 0 : count - 1;
        else if (border == BORDER_REFLECT)
            i = i < 0 ? -1 - i : 2 * count - 1 - i;
        else
            i = i < 0 ? -i : 2 * count - 2 - i;
    }
    return i;
}

static double pixel_at(const struct float_image *image, int64_t x, int64_t y, int c,
                       enum filter_border border)
{
    x = inside(x, image->width, border);
    y = inside(y, image->height, border);
    return (double)image->pixels[(y * image->width + x) * image->channels + c];
}

/* Correlation of image with kernel [2 * radius + 1, 2 * radius + 1] at every value of result, within bound.
 */
static void assert_correlated(const struct float_image *result, const struct float_image *image,
                              const double *kernel, int radius, enum filter_border border, double bound)
{
    const int side = 2 * radius + 1, channels = image->channels;

    for (int64_t i = 0; i < image->width * image->height * channels; i++) {
        const int64_t x = i / channels % image->width, y = i / channels / image->width;
        double sum = 0.0;
        for (int k = 0; k < side * side; k++)
            sum += kernel[k] *
                   pixel_at(image, x + k % side - radius, y + k / side - radius, (int)(i % channels), border);
        if (fabs((double)result->pixels[i] - sum) > bound)
            fail_msg("%d x %d, value %d: %g, expected %g", (int)image->width, (int)image->height, (int)i,
                     (double)result->pixels[i], sum);
    }
}

static double *gaussian_kernel(double sigma, int radius)
{
    const int side = 2 * radius + 1;
    double *kernel = malloc((size_t)(side * side) * sizeof *kernel);
    double sum = 0.0;

    for (int k = 0; k < side * side; k++) {
        const double x = k % side - radius, y = k / side - radius;
        kernel[k] = exp(-(x * x + y * y) / (2.0 * sigma * sigma));
        sum += kernel[k];
    }
    for (int k = 0; k < side * side; k++)
        kernel[k] /= sum;
    return kernel;
}

static void gaussian_is_a_correlation(void **state)
{
    static const double sigmas[] = {0.1, 1.0, 6.0}; /* 1, 9 and 49 weights a side */

    for (size_t s = 0; s < SIZES; s++) {
        for (int k = 0; k < 9; k++) {
            const enum filter_border border = (enum filter_border)(k % 3);
            const int radius = (int)(4.0 * sigmas[k / 3] + 0.5);
            struct float_image image = picture(sizes[s].height, sizes[s].width, sizes[s].channels);
            struct float_image result = picture(sizes[s].height, sizes[s].width, sizes[s].channels);
            double *kernel = gaussian_kernel(sigmas[k / 3], radius);
            assert_int_equal(gaussian_filter(&result, sigmas[k / 3], 4.0, border), 0);
            assert_correlated(&result, &image, kernel, radius, border, 1e-4);
            free(kernel);
            float_image_free(&image);
            float_image_free(&result);
        }
    }
}

static void gaussian_is_scipys(void **state)
{
    for (size_t i = 0; i < sizeof gaussian_goldens / sizeof *gaussian_goldens; i++) {
        struct float_image image = picture(5, 7, 1);
        assert_int_equal(gaussian_filter(&image, gaussian_goldens[i].sigma, gaussian_goldens[i].truncate,
                                         gaussian_goldens[i].border),
                         0);
        for (int k = 0; k < 35; k++)
            assert_float_equal(image.pixels[k], gaussian_goldens[i].values[k], 2e-5f);
        float_image_free(&image);
    }
}

static void filter_2d_is_a_correlation(void **state)
{
    for (size_t s = 0; s < SIZES; s++) {
        for (int radius = 0; radius <= 4; radius++) {
            const int count = (2 * radius + 1) * (2 * radius + 1);
            struct float_image image = picture(sizes[s].height, sizes[s].width, sizes[s].channels);
            struct float_image result = picture(sizes[s].height, sizes[s].width, sizes[s].channels);
            double kernel[81];
            for (int k = 0; k < count; k++)
                kernel[k] = k * 7 % 11 - 4;
            assert_int_equal(filter_2d(&result, kernel, 2 * radius + 1), 0);
            assert_correlated(&result, &image, kernel, radius, BORDER_REFLECT_101, 1e-2);
            float_image_free(&image);
            float_image_free(&result);
        }
    }
}

static void filter_2d_is_opencvs(void **state)
{
    struct float_image image = picture(5, 7, 1);
    double kernel[25];

    for (int k = 0; k < 25; k++)
        kernel[k] = k * 7 % 11 - 4;
    assert_int_equal(filter_2d(&image, kernel, 5), 0);
    for (int k = 0; k < 35; k++)
        assert_float_equal(image.pixels[k], filter_2d_golden[k], 1e-2f);
    float_image_free(&image);
}

/* The image shifted step by step, as the package says it. */
static double moved(const struct float_image *image, int64_t x, int64_t y, int c, int radius, double sigma,
                    double angle)
{
    const int count = 2 * radius + 1;
    double sum = 0.0, weights = 0.0;

    for (int i = 0; i < count; i++)
        weights += exp(-i * i / (2.0 * sigma * sigma));
    for (int i = 0; i < count; i++) {
        const int64_t dx = -(int64_t)ceil(i * cos(angle / 180.0 * PI) - 0.5);
        const int64_t dy = -(int64_t)ceil(i * sin(angle / 180.0 * PI) - 0.5);
        if (llabs(dx) >= image->width || llabs(dy) >= image->height)
            break;
        sum += exp(-i * i / (2.0 * sigma * sigma)) / weights *
               pixel_at(image, x - dx, y - dy, c, BORDER_NEAREST);
    }
    return sum;
}

static void motion_is_a_sum_of_shifts(void **state)
{
    static const double angles[] = {-44.0, 0.0, 31.0, 90.0, -100.0, 180.0, -135.0};

    for (size_t s = 0; s < SIZES; s++) {
        for (size_t a = 0; a < sizeof angles / sizeof *angles; a++) {
            struct float_image image = picture(sizes[s].height, sizes[s].width, sizes[s].channels);
            struct float_image result = picture(sizes[s].height, sizes[s].width, sizes[s].channels);
            assert_int_equal(motion_blur(&result, 20, 15.0, angles[a]), 0);
            for (int64_t i = 0; i < image.width * image.height * image.channels; i++) {
                const int64_t pixel = i / image.channels;
                assert_float_equal(result.pixels[i],
                                   (float)moved(&image, pixel % image.width, pixel / image.width,
                                                (int)(i % image.channels), 20, 15.0, angles[a]),
                                   1e-4f);
            }
            float_image_free(&image);
            float_image_free(&result);
        }
    }
}

static void zoom_is_the_packages(void **state)
{
    struct float_image image = picture(6, 9, 1), zoomed;

    assert_int_equal(clipped_zoom(&image, 2.5, &zoomed), 0);
    assert_int_equal(zoomed.height, ZOOM_HEIGHT);
    assert_int_equal(zoomed.width, ZOOM_WIDTH);
    for (int i = 0; i < ZOOM_HEIGHT * ZOOM_WIDTH; i++)
        assert_float_equal(zoomed.pixels[i], zoom_golden[i], 2e-5f);
    float_image_free(&image);
    float_image_free(&zoomed);
}

static void zoom_sizes_and_edges_are_the_packages(void **state)
{
    for (size_t g = 0; g < sizeof zoom_goldens / sizeof *zoom_goldens; g++) {
        struct float_image image = picture(zoom_goldens[g].height, zoom_goldens[g].width, 1), zoomed;
        double sum = 0.0, last_row = 0.0, last_column = 0.0;
        assert_int_equal(clipped_zoom(&image, zoom_goldens[g].factor, &zoomed), 0);
        assert_int_equal(zoomed.height, zoom_goldens[g].to_height);
        assert_int_equal(zoomed.width, zoom_goldens[g].to_width);
        for (int64_t i = 0; i < zoomed.width * zoomed.height; i++) {
            sum += (double)zoomed.pixels[i];
            last_row += i / zoomed.width == zoomed.height - 1 ? (double)zoomed.pixels[i] : 0.0;
            last_column += i % zoomed.width == zoomed.width - 1 ? (double)zoomed.pixels[i] : 0.0;
        }
        assert_true(fabs(sum - zoom_goldens[g].sum) <= 1e-6 * zoom_goldens[g].sum);
        assert_true(fabs(last_row - zoom_goldens[g].last_row) <= 1e-6 * zoom_goldens[g].last_row);
        assert_true(fabs(last_column - zoom_goldens[g].last_column) <= 1e-6 * zoom_goldens[g].last_column);
        float_image_free(&image);
        float_image_free(&zoomed);
    }
}

static void zoom_adds_the_top_left(void **state)
{
    struct float_image image = picture(33, 41, 3), sum = picture(33, 41, 3), zoomed;

    assert_int_equal(clipped_zoom(&image, 1.07, &zoomed), 0);
    assert_int_equal(clipped_zoom_add(&image, 1.07, &sum), 0);
    for (int64_t i = 0; i < 33 * 41 * 3; i++) {
        const int64_t x = i / 3 % 41, y = i / 3 / 41;
        assert_true(sum.pixels[i] == image.pixels[i] + zoomed.pixels[(y * zoomed.width + x) * 3 + i % 3]);
    }
    float_image_free(&image);
    float_image_free(&sum);
    float_image_free(&zoomed);
}

/* Weights in 256ths leave the exact sum by less than their roundings, 1 / 512 each, could; the middle one
 * takes theirs back. */
static void opencv_gaussian_is_near_the_exact_one(void **state)
{
    static const struct {
        int size;
        double sigma;
    } blurs[] = {{3, 0.4}, {5, 0.7}, {7, 1.0}, {9, 1.1}, {11, 1.5}, {9, 0.0}};

    for (size_t s = 0; s < SIZES; s++) {
        for (size_t b = 0; b < sizeof blurs / sizeof *blurs; b++) {
            const int radius = blurs[b].size / 2;
            struct df_image bytes = random_bytes(sizes[s]);
            struct float_image image = floats_of(&bytes);
            assert_int_equal(opencv_gaussian_blur(&bytes, blurs[b].size, blurs[b].sigma), 0);
            struct float_image result = floats_of(&bytes);
            double *kernel =
                gaussian_kernel(blurs[b].sigma > 0.0 ? blurs[b].sigma : 0.3 * (radius - 1.0) + 0.8, radius);
            assert_correlated(&result, &image, kernel, radius, BORDER_REFLECT_101, 2.5);
            free(kernel);
            df_image_free(&bytes);
            float_image_free(&image);
            float_image_free(&result);
        }
    }
}

static void opencv_gaussian_of_one_weight_is_a_copy(void **state)
{
    struct df_image bytes = random_bytes(sizes[0]), copy = random_bytes(sizes[0]);

    assert_int_equal(opencv_gaussian_blur(&bytes, 1, 0.0), 0);
    assert_memory_equal(bytes.pixels, copy.pixels, 41 * 33 * 3);
    df_image_free(&bytes);
    df_image_free(&copy);
}

static void line_blur_is_a_rounded_mean(void **state)
{
    for (size_t s = 0; s < SIZES; s++) {
        for (int last = 1; last < LINE_MOST_SIZE; last++) {
            struct point points[LINE_MOST_SIZE];
            const int count = line_points(points, (struct point){0, last}, (struct point){last, last / 3});
            struct df_image bytes = random_bytes(sizes[s]);
            struct float_image image = floats_of(&bytes);
            const int size = last + 1 + last % 2, middle = size / 2;
            assert_int_equal(line_blur(&bytes, points, count, size), 0);
            for (int64_t i = 0; i < image.width * image.height * image.channels; i++) {
                const int64_t x = i / image.channels % image.width, y = i / image.channels / image.width;
                double sum = 0.0;
                for (int k = 0; k < count; k++)
                    sum += pixel_at(&image, x + points[k].x - middle, y + points[k].y - middle,
                                    (int)(i % image.channels), BORDER_REFLECT_101);
                assert_int_equal(bytes.pixels[i], (int)rint(sum / count));
            }
            df_image_free(&bytes);
            float_image_free(&image);
        }
    }
}

/* A disk's kernel [21, 21] as its blur shows it: of a single pixel with nothing near. */
static double *disk_kernel(int radius, double alias_blur)
{
    enum { SIDE = 61, HALF = DISK_MOST_RADIUS };
    struct float_image result = picture(SIDE, SIDE, 1);
    struct df_image pixel = random_bytes((struct size){SIDE, SIDE, 1});
    double *kernel = malloc((2 * HALF + 1) * (2 * HALF + 1) * sizeof *kernel);

    memset(pixel.pixels, 0, SIDE * SIDE);
    pixel.pixels[SIDE / 2 * SIDE + SIDE / 2] = 1;
    assert_int_equal(disk_blur(&pixel, radius, alias_blur, take_floats, &result), 0);
    for (int k = 0; k < (2 * HALF + 1) * (2 * HALF + 1); k++) {
        const int x = SIDE / 2 + k % (2 * HALF + 1) - HALF, y = SIDE / 2 + k / (2 * HALF + 1) - HALF;
        kernel[k] = (double)result.pixels[y * SIDE + x];
    }
    df_image_free(&pixel);
    float_image_free(&result);
    return kernel;
}

static void disk_blur_is_a_correlation(void **state)
{
    static const double alias_blurs[] = {0.0, 0.1, 0.5};

    for (int radius = 1; radius <= DISK_MOST_RADIUS; radius++) {
        for (size_t s = 0; s < SIZES; s++) {
            const double alias_blur = alias_blurs[(radius + (int)s) % 3];
            struct df_image bytes = random_bytes(sizes[s]);
            struct float_image image = floats_of(&bytes), result = floats_of(&bytes);
            double *kernel = disk_kernel(radius, alias_blur);
            assert_int_equal(disk_blur(&bytes, radius, alias_blur, take_floats, &result), 0);
            assert_correlated(&result, &image, kernel, DISK_MOST_RADIUS, BORDER_REFLECT_101, 1e-3);
            free(kernel);
            df_image_free(&bytes);
            float_image_free(&image);
            float_image_free(&result);
        }
    }
}

static void weights_are_divided_by_numpys_sum(void **state)
{
    for (size_t i = 0; i < sizeof sum_goldens / sizeof *sum_goldens; i++) {
        double *weights = malloc((size_t)sum_goldens[i].count * sizeof *weights);
        uint64_t bits;
        for (int k = 0; k < sum_goldens[i].count; k++)
            weights[k] = 1.0 / (k + 1.5);
        normalise_weights(weights, sum_goldens[i].count);
        memcpy(&bits, weights, sizeof bits);
        assert_true(bits == sum_goldens[i].bits);
        free(weights);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaussian_is_a_correlation),
        cmocka_unit_test(gaussian_is_scipys),
        cmocka_unit_test(filter_2d_is_a_correlation),
        cmocka_unit_test(filter_2d_is_opencvs),
        cmocka_unit_test(motion_is_a_sum_of_shifts),
        cmocka_unit_test(zoom_is_the_packages),
        cmocka_unit_test(zoom_sizes_and_edges_are_the_packages),
        cmocka_unit_test(zoom_adds_the_top_left),
        cmocka_unit_test(opencv_gaussian_is_near_the_exact_one),
        cmocka_unit_test(opencv_gaussian_of_one_weight_is_a_copy),
        cmocka_unit_test(line_blur_is_a_rounded_mean),
        cmocka_unit_test(disk_blur_is_a_correlation),
        cmocka_unit_test(weights_are_divided_by_numpys_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
