/* The batch size that is named where a device has too little memory. */
#include "support/errors.h"
#include "support/golden.h"
#include "support/open_backend.h"

#include "dinoft/backbone_file.h"
#include "dinoft/error.h"
#include "dinoft/segmenter.h"

#include <stdio.h>

/* A backend with `available` bytes for one block of memory. */
static struct small_device {
    const struct df_backend_ops *real;
    struct df_backend_ops ops;
    size_t available;
} small_device;

static void *alloc_small(struct df_backend *backend, size_t bytes)
{
    if (bytes <= small_device.available)
        return small_device.real->alloc(backend, bytes);
    df_error_memory("a buffer", bytes);
    return NULL;
}

static int memory_small(struct df_backend *backend, struct df_memory_use *use)
{
    *use = (struct df_memory_use){.available = small_device.available, .total = small_device.available};
    return 0;
}

static struct df_backend *open_small(size_t available)
{
    struct df_backend *backend = test_open_backend("fp32", 1);

    assert_non_null(backend);
    small_device = (struct small_device){.real = backend->ops, .ops = *backend->ops, .available = available};
    small_device.ops.alloc = alloc_small;
    small_device.ops.memory = memory_small;
    backend->ops = &small_device.ops;
    return backend;
}

static size_t planned_bytes(struct df_backend *backend, const struct df_vit_config *config,
                            struct df_segmenter_options options, int64_t batch)
{
    options.max_batch = batch;
    struct df_memory_plan plan;
    assert_int_equal(df_segmenter_plan(backend, config, &options, &plan), 0);
    return plan.peak;
}

static void the_hint_names_what_fits(void **state)
{
    struct df_vit_config config;
    const struct df_segmenter_options options = {.decoder = "linear",
                                                 .classes = 21,
                                                 .rank = 3,
                                                 .max_batch = 13,
                                                 .height = 112,
                                                 .width = 112,
                                                 .training = true,
                                                 .optimizer = DF_OPTIMIZER_DEFAULTS,
                                                 .rope_rescale = 1.0};
    struct df_state *weights = df_backbone_read(fixture_path("dinov2_tiny_reg/backbone.pth"), &config);
    struct df_backend *backend = open_small(0);
    char text[64];

    assert_non_null(weights);
    for (int64_t batch = 1; batch < 13; batch += 3) {
        small_device.available = (size_t)((double)planned_bytes(backend, &config, options, batch) / 0.9) + 64;
        assert_null(df_segmenter_create(backend, weights, &config, &options, NULL, 0));
        snprintf(text, sizeof text, "; a batch of %d should fit", (int)batch);
        assert_error_has("the memory plan needs ");
        assert_error_has(text);
    }
    small_device.available = planned_bytes(backend, &config, options, 1) - 1;
    assert_null(df_segmenter_create(backend, weights, &config, &options, NULL, 0));
    assert_error_has("; not even a batch of 1 fits");
    backend->ops = small_device.real;
    df_state_free(weights);
    df_backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_hint_names_what_fits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
