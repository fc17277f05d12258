/* The same bits whatever the order in which threads and blocks take turns. The program runs itself once in
 * each order (tests/emulation reads it from the environment), and compares what the runs say of their
 * results. */
#include "device_arrays.h"

#include "dinoft/rng.h"
#include "kernels/kernels.h"
#include "support/cmocka_all.h"

#include <cuda_runtime_api.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const orders[] = {"forward", "backward", "random:1", "random:2"};
static const char *program;

static void say(const char *what, const void *device, size_t bytes)
{
    const unsigned char *host = get_bytes(device, bytes);
    uint64_t digest = 14695981039346656037u;

    for (size_t i = 0; i < bytes; i++)
        digest = (digest ^ host[i]) * 1099511628211u; /* FNV-1a */
    printf("%s %016" PRIx64 "\n", what, digest);
    release_arrays();
}

static void *normals(int64_t count, enum df_dtype type, uint64_t seed)
{
    return put_values(host_normals(count, type, 0.1, 1.0, seed), count, type);
}

static void say_sum(int64_t rows, int64_t cols, enum df_dtype type)
{
    const struct df_matrix x = {normals(rows * cols, type, 1), type, rows, cols, cols};
    float *out = device_room((size_t)cols * sizeof(float));

    assert_ran(df_launch_column_sum(NULL, x, out, device_room(df_launch_column_sum_scratch(x))));
    say("column sum", out, (size_t)cols * sizeof(float));
}

static void say_bias(void)
{
    enum { ROWS = 300, COLS = 21 };
    const struct df_matrix x = {normals(ROWS * COLS, DF_F32, 1), DF_F32, ROWS, COLS, COLS};

    assert_ran(df_launch_add_bias(NULL, x, normals(COLS, DF_F32, 2)));
    say("bias", x.data, ROWS * COLS * sizeof(float));
}

static void say_conversion(void)
{
    enum { ROWS = 70, COLS = 100 };
    const struct df_matrix x = {normals(ROWS * COLS, DF_F32, 1), DF_F32, ROWS, COLS, COLS};
    const struct df_matrix y = {device_room(ROWS * COLS * 2), DF_BF16, ROWS, COLS, COLS};

    assert_ran(df_launch_convert(NULL, y, x));
    say("conversion", y.data, ROWS * COLS * 2);
}

static void say_activations(enum df_dtype type)
{
    enum { ROWS = 33, HIDDEN = 264, COUNT = ROWS * HIDDEN };
    const size_t bytes = COUNT * df_dtype_size(type);
    void *out = device_room(2 * bytes);

    assert_ran(df_launch_gelu_forward(NULL, normals(COUNT, type, 1), out, type, COUNT));
    say("gelu", out, bytes);
    out = normals(COUNT, type, 2);
    assert_ran(df_launch_gelu_backward(NULL, normals(COUNT, type, 1), out, out, type, COUNT));
    say("gelu gradient", out, bytes);
    out = device_room(bytes);
    assert_ran(df_launch_swiglu_forward(NULL, normals(2 * COUNT, type, 1), out, type, ROWS, HIDDEN));
    say("swiglu", out, bytes);
    out = normals(2 * COUNT, type, 1);
    assert_ran(df_launch_swiglu_backward(NULL, out, normals(COUNT, type, 2), out, type, ROWS, HIDDEN));
    say("swiglu gradient", out, 2 * bytes);
}

static void say_adamw(void)
{
    enum { COUNT = 5001 };
    const struct df_adamw settings = {1e-3, 0.9, 0.999, 1e-8, 0.01, 3};
    float *parameter = normals(COUNT, DF_F32, 1), *m = normals(COUNT, DF_F32, 2);
    const float *start = host_normals(COUNT, DF_F32, 10.0, 0.1, 3);

    assert_ran(df_launch_adamw(NULL, &settings, parameter, normals(COUNT, DF_F32, 4), m,
                               put_values(start, COUNT, DF_F32), COUNT));
    say("parameters", parameter, COUNT * sizeof(float));
}

static void say_tokens(void)
{
    const struct df_token_rows rows = {5, 9, 2, 7};
    enum { DIM = 132, ALL = 5 * 9 * DIM };
    float *x = device_room(ALL * sizeof(float));

    assert_ran(df_launch_assemble_tokens(NULL, normals(5 * 7 * DIM, DF_F32, 1), normals(2 * DIM, DF_F32, 2),
                                         normals(7 * DIM, DF_F32, 3), x, rows, DIM));
    say("tokens", x, ALL * sizeof(float));
}

static void say_maps(void)
{
    enum { B = 2, H = 5, W = 7, HEIGHT = 12, WIDTH = 13, C = 36 };
    const size_t small = B * H * W * C, large = B * HEIGHT * WIDTH * C;
    float *y = normals((int64_t)large, DF_F32, 1), *dx = device_room(small * sizeof(float));

    assert_ran(df_launch_nearest_backward(NULL, y, B, HEIGHT, WIDTH, dx, H, W, C));
    say("map gradient", dx, small * sizeof(float));
    y = normals((int64_t)large, DF_F32, 1);
    assert_ran(df_launch_nearest_forward(NULL, normals((int64_t)small, DF_F32, 2), B, H, W, y, HEIGHT, WIDTH,
                                         C, true));
    say("map", y, large * sizeof(float));
}

static void say_images(void)
{
    enum { B = 2, H = 28, W = 56, ALL = B * 3 * H * W, SOURCE_W = 90, SOURCE_H = 41 };
    static const float mean[3] = {0.5f, 0.4f, 0.3f}, std[3] = {0.2f, 0.3f, 0.4f};
    static const struct df_packed_image sources[B] = {{0, SOURCE_W, SOURCE_H}, {100, SOURCE_H, SOURCE_W}};
    uint8_t pixels[SOURCE_W * SOURCE_H * 3 + 100];
    struct df_rng rng;
    float *image = device_room(ALL * sizeof(float));
    uint8_t *labels;
    void *patches;

    df_rng_seed(&rng, 1, 0);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)df_rng_below(&rng, 256);
    assert_ran(df_launch_image_normalize(NULL, put_bytes(pixels, ALL), image, B, H, W, mean, std));
    say("image", image, ALL * sizeof(float));
    patches = device_room(ALL * 2);
    assert_ran(df_launch_patchify(NULL, normals(ALL, DF_F32, 1), patches, DF_BF16, B, H, W, 14));
    say("patches", patches, ALL * 2);
    image = device_room(ALL * sizeof(float));
    assert_ran(df_launch_resize_normalize(NULL, put_bytes(pixels, sizeof pixels),
                                          put_bytes(sources, sizeof sources), image, B, H, W, mean, std));
    say("resized image", image, ALL * sizeof(float));
    labels = device_room(B * H * W);
    assert_ran(df_launch_resize_labels(NULL, put_bytes(pixels, sizeof pixels),
                                       put_bytes(sources, sizeof sources), labels, B, H, W));
    say("resized labels", labels, B * H * W);
}

static void say_all(void)
{
    say_sum(700, 21, DF_F32);
    say_sum(3000, 4, DF_F32);
    say_sum(3000, 24, DF_BF16);
    say_bias();
    say_conversion();
    say_activations(DF_F32);
    say_activations(DF_BF16);
    say_adamw();
    say_tokens();
    say_maps();
    say_images();
}

/* What the program says when it runs in that order. */
static void listen(const char *order, char *text, size_t size)
{
    char command[4096];
    FILE *run;
    size_t length;

    assert_true(snprintf(command, sizeof command, "DF_EMULATION_ORDER=%s '%s' say", order, program) <
                (int)sizeof command);
    run = popen(command, "r");
    assert_non_null(run);
    length = fread(text, 1, size - 1, run);
    text[length] = '\0';
    assert_int_equal(pclose(run), 0);
}

static void bits_do_not_depend_on_the_order(void **state)
{
    static char first[8192], other[8192];
    size_t lines = 0;

    (void)state;
    listen(orders[0], first, sizeof first);
    for (const char *c = first; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 21);
    for (size_t i = 1; i < sizeof orders / sizeof *orders; i++) {
        listen(orders[i], other, sizeof other);
        assert_string_equal(other, first);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bits_do_not_depend_on_the_order)};

    program = argv[0];
    if (argc == 2 && !strcmp(argv[1], "say")) {
        say_all();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
