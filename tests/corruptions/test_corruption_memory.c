/* Corruptions when memory runs out: each call that wants some fails once, and the picture is whole or there
 * is an error. Whatever they free without having set it ends the process: stack and heap are full of other
 * things. */
#include "data/scratch_images.h"
#include "support/allocations.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/corruption.h"
#include "dinoft/error.h"

#include <string.h>

#define WIDTH      48
#define HEIGHT     40
#define STACK_USED 65536

static struct df_image picture(void)
{
    struct df_image image;
    struct df_rng rng;

    df_rng_seed(&rng, 1, 1);
    assert_int_equal(df_image_alloc(&image, WIDTH, HEIGHT, 3), 0);
    for (int i = 0; i < WIDTH * HEIGHT * 3; i++)
        image.pixels[i] = (uint8_t)(df_rng_below(&rng, 80) + (uint64_t)(i / 3 % WIDTH));
    return image;
}

/* Leaves addresses that nobody may free where later functions have their variables. */
static __attribute__((noinline)) void soil_stack(void)
{
    unsigned char bytes[STACK_USED];

    memset(bytes, 0xa5, sizeof bytes);
    __asm__ volatile("" : : "r"(bytes) : "memory"); /* so that the compiler keeps it */
}

/* Grey pictures of the sizes that frost's photographs have. */
static struct df_frost *grey_frost(void)
{
    static const struct {
        const char *name;
        int64_t width, height;
    } photographs[DF_CORRUPTION_FROSTS] = {{"frost1.png", 900, 600},
                                           {"frost2.png", 560, 315},
                                           {"frost3.png", 560, 315},
                                           {"frost4.jpg", 527, 350},
                                           {"frost5.jpg", 660, 495}};

    for (int i = 0; i < DF_CORRUPTION_FROSTS; i++)
        scratch_image(photographs[i].name, (int)photographs[i].width, (int)photographs[i].height, 100 + i);
    struct df_frost *frost = df_frost_open(scratch_folder(), "");
    assert_works(frost);
    return frost;
}

static void fail_each_call(const struct df_corruption *corruption, int severity, const struct df_frost *frost)
{
    struct df_image whole = picture();
    long calls = 0;

    if (df_corrupt(corruption, severity, 5, "name", frost, &whole, NULL) != 0)
        fail_msg("%s: %s", corruption->name, df_error_text());
    for (long n = 0; n <= calls; n++) {
        struct df_image image = picture();
        df_error_set("an earlier error");
        soil_stack();
        allocations_fail(n, 1);
        const int status = df_corrupt(corruption, severity, 5, "name", frost, &image, NULL);
        calls = allocations_end_failing();
        if (status == 0)
            assert_memory_equal(image.pixels, whole.pixels, WIDTH * HEIGHT * 3);
        else if (n >= calls || !df_error_is_memory())
            fail_msg("%s at severity %d, call %ld of %ld: %s", corruption->name, severity, n, calls,
                     df_error_text());
        df_image_free(&image);
    }
    df_image_free(&whole);
}

static void pictures_are_whole_or_an_error(void **state)
{

    if (!allocations_can_be_counted())
        skip();
    struct df_frost *frost = grey_frost();
    for (int s = 0; s < DF_SUITE_COUNT; s++) {
        const struct df_corruption_suite *suite = df_corruption_suite((enum df_suite)s);
        for (int i = 0; i < suite->count; i++) {
            for (int severity = 1; severity <= DF_SEVERITIES; severity++)
                fail_each_call(&suite->corruptions[i], severity, frost);
        }
    }
    df_frost_free(frost);
    scratch_remove(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pictures_are_whole_or_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
