/* What config.json says, against what is computed here. The shapes of the weights say most of it, and tell a
 * configuration of another model. The rest (heads, RoPE's base, activations, …) must be what the program
 * takes for granted. Not compared is what changes no features: values that training starts from
 * (layerscale_value and initializer_range: the trained tensors are in the file), what acts in training alone
 * (dropouts, drop_path_rate, pos_embed_shift, _jitter and _rescale), and which outputs transformers hands out
 * (apply_layernorm, out_features, …).
 */
#include "huggingface_config.h"

#include "dinov3_buffers.h"
#include "qkv.h"

#include "dinoft/error.h"
#include "dinoft/json_read.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME    "config.json"
#define FILE_MAX     ((size_t)16 << 20) /* bytes; names of ImageNet's 21,000 classes take 1.5 MB of it */
#define TOLERANCE    1e-6               /* relative: some expected values are floats */
#define QUERY_PART   0
#define VALUE_PART   2
#define DIFFERENCE   200
#define COUNT(facts) (int)(sizeof(facts) / sizeof((facts)[0]))

struct check {
    const cJSON *tree;
    const char *path, *weights;
    const struct df_state *official;
    const struct df_vit_config *vit;
    char difference[DIFFERENCE]; /* the first that was found, for people */
};

/* A key and the value that fits: a number, or 0 and 1 for false and true. */
struct fact {
    const char *key;
    double expected;
    bool is_switch;
};

enum { FITS = 0, DIFFERS = 1 }; /* and -1: damaged, the error is set */

static const cJSON *member(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(item) ? NULL : item;
}

/* NaN for a key that is not there: it says nothing. */
static int read_number(const struct check *check, const cJSON *object, const char *key, double *value)
{
    const cJSON *item = member(object, key);

    *value = NAN;
    if (cJSON_IsNumber(item))
        *value = item->valuedouble;
    else if (cJSON_IsBool(item))
        *value = cJSON_IsTrue(item) ? 1.0 : 0.0;
    else if (item)
        return df_error_set("%s is damaged: its %s is neither a number nor true or false", check->path, key);
    return 0;
}

static bool is_other(double said, double expected)
{
    return fabs(said - expected) > TOLERANCE * fabs(expected);
}

static int compare(struct check *check, const struct fact *facts, int count)
{
    double said;

    for (int i = 0; i < count; i++) {
        const struct fact *fact = &facts[i];
        DF_TRY(read_number(check, check->tree, fact->key, &said));
        if (!is_other(said, fact->expected))
            continue;
        if (fact->is_switch)
            snprintf(check->difference, sizeof check->difference, "%s %s, not %s", fact->key,
                     said != 0.0 ? "true" : "false", fact->expected != 0.0 ? "true" : "false");
        else
            snprintf(check->difference, sizeof check->difference, "%s %g, not %g", fact->key, said,
                     fact->expected);
        return DIFFERS;
    }
    return FITS;
}

/* --- what the shapes say too --- */

/* transformers' arithmetic: the width that follows from a DINOv2's mlp_ratio. */
static double hidden_width(const struct df_vit_config *vit, double ratio)
{
    const double width = floor((double)vit->dim * ratio);
    return vit->ffn == DF_FFN_SWIGLU ? 8.0 * floor((floor(width * 2.0 / 3.0) + 7.0) / 8.0) : width;
}

static int compare_ratio(struct check *check)
{
    const double expected = (double)check->vit->ffn_hidden;
    double ratio;

    DF_TRY(read_number(check, check->tree, "mlp_ratio", &ratio));
    const double width = hidden_width(check->vit, ratio);
    if (!is_other(width, expected))
        return FITS;
    snprintf(check->difference, sizeof check->difference, "mlp_ratio %g, an FFN of %g channels, not %g",
             ratio, width, expected);
    return DIFFERS;
}

/* The size that DINOv2's table of positions is for. */
static int compare_image_size(struct check *check)
{
    const struct df_vit_config *vit = check->vit;
    double size;

    DF_TRY(read_number(check, check->tree, "image_size", &size));
    const double grid = floor(size / (double)vit->patch), expected = (double)vit->pos_grid;
    if (!is_other(grid, expected))
        return FITS;
    snprintf(check->difference, sizeof check->difference,
             "image_size %g, %g x %g patches of %" PRId64 ", not %g x %g", size, grid, grid, vit->patch,
             expected, expected);
    return DIFFERS;
}

static int compare_dinov2_shapes(struct check *check)
{
    const struct df_vit_config *vit = check->vit;
    const struct fact facts[] = {{"use_swiglu_ffn", vit->ffn == DF_FFN_SWIGLU, true},
                                 {"num_register_tokens", (double)vit->registers, false}};
    const bool has_registers = strcmp(cJSON_GetStringValue(member(check->tree, "model_type")), "dinov2") != 0;
    int status = compare(check, facts, has_registers ? 2 : 1);

    if (status == FITS && has_registers != (vit->registers > 0)) {
        snprintf(check->difference, sizeof check->difference, "model_type %s, not one %s registers",
                 cJSON_GetStringValue(member(check->tree, "model_type")), has_registers ? "without" : "with");
        return DIFFERS;
    }
    if (status == FITS)
        status = compare_ratio(check);
    return status == FITS ? compare_image_size(check) : status;
}

static int compare_dinov3_shapes(struct check *check)
{
    const struct df_vit_config *vit = check->vit;
    const struct fact facts[] = {{"use_gated_mlp", vit->ffn == DF_FFN_SWIGLU, true},
                                 {"intermediate_size", (double)vit->ffn_hidden, false},
                                 {"num_register_tokens", (double)vit->registers, false}};
    return compare(check, facts, COUNT(facts));
}

static int compare_shapes(struct check *check)
{
    const struct df_vit_config *vit = check->vit;
    const struct fact facts[] = {{"hidden_size", (double)vit->dim, false},
                                 {"num_hidden_layers", (double)vit->depth, false},
                                 {"patch_size", (double)vit->patch, false}};
    const char *type = cJSON_GetStringValue(member(check->tree, "model_type"));
    const bool is_dinov3 = strcmp(type, "dinov3_vit") == 0;

    if (is_dinov3 != (vit->family == DF_DINOV3)) {
        snprintf(check->difference, sizeof check->difference, "model_type %s", type);
        return DIFFERS;
    }
    const int status = compare(check, facts, COUNT(facts));
    if (status != FITS)
        return status;
    return is_dinov3 ? compare_dinov3_shapes(check) : compare_dinov2_shapes(check);
}

/* --- what the shapes do not say --- */

/* An error in any case: dinoft computes something else. */
static int refuse(const struct check *check, const char *computed)
{
    return df_error_set("%s says %s; dinoft computes %s, so that features of %s would be wrong (a %s of "
                        "another model belongs in another folder)",
                        check->path, check->difference, computed, check->weights, FILE_NAME);
}

static int check_heads(struct check *check)
{
    const struct df_vit_config *vit = check->vit;
    char computed[64];
    double heads;

    DF_TRY(read_number(check, check->tree, "num_attention_heads", &heads));
    if (!is_other(heads, (double)vit->heads))
        return 0;
    snprintf(check->difference, sizeof check->difference, "num_attention_heads %g, heads of %g channels",
             heads, (double)vit->dim / heads);
    snprintf(computed, sizeof computed, "with heads of %" PRId64, vit->head_size);
    return refuse(check, computed);
}

static int check_number(struct check *check, const cJSON *object, const char *key, double expected)
{
    char computed[64];
    double said;

    DF_TRY(read_number(check, object, key, &said));
    if (!is_other(said, expected))
        return 0;
    snprintf(check->difference, sizeof check->difference, "%s %g", key, said);
    snprintf(computed, sizeof computed, "with %g", expected);
    return refuse(check, computed);
}

/* transformers' names of the erf GELU and of SiLU. A DINOv2 with SwiGLU has SiLU, whatever its configuration
 * says. */
static int check_activation(struct check *check)
{
    const bool gated = check->vit->ffn == DF_FFN_SWIGLU;
    const char *const names[] = {gated ? "silu" : "gelu", gated ? "swish" : "gelu_python"};
    const cJSON *item = member(check->tree, "hidden_act");
    const char *said = cJSON_GetStringValue(item);

    if (!item || (gated && check->vit->family == DF_DINOV2))
        return 0;
    if (!said)
        return df_error_set("%s is damaged: its hidden_act is not a name", check->path);
    if (strcmp(said, names[0]) == 0 || strcmp(said, names[1]) == 0)
        return 0;
    snprintf(check->difference, sizeof check->difference, "hidden_act %s", said);
    return refuse(check, names[0]);
}

/* transformers leaves a bias alone that the configuration denies; here it is added. The other way round the
 * bias is zero in both. */
static int check_bias(struct check *check, const char *key, bool added)
{
    double said;

    DF_TRY(read_number(check, check->tree, key, &said));
    if (!added || isnan(said) || said != 0.0)
        return 0;
    snprintf(check->difference, sizeof check->difference, "%s false", key);
    return refuse(check, "with the bias that the weights have");
}

static int check_qkv_bias(struct check *check, const char *key, int part)
{
    const struct df_entry *whole = df_state_find(check->official, "blocks.0.attn.qkv.bias");
    struct df_tensor third;

    if (!whole)
        return 0;
    DF_TRY(df_qkv_third(whole, part, &third));
    return check_bias(check, key, !df_tensor_is_zero(&third));
}

static int check_computation(struct check *check)
{
    const struct df_vit_config *vit = check->vit;

    DF_TRY(check_heads(check));
    DF_TRY(check_number(check, check->tree, "layer_norm_eps", (double)vit->layernorm_eps));
    DF_TRY(check_activation(check));
    if (vit->family == DF_DINOV2)
        return check_bias(check, "qkv_bias", vit->qkv_bias);
    DF_TRY(check_number(check, check->tree, "rope_theta", (double)DF_ROPE_THETA));
    /* Where newer transformers put it, for other models at least. */
    DF_TRY(check_number(check, member(check->tree, "rope_parameters"), "rope_theta", (double)DF_ROPE_THETA));
    DF_TRY(check_qkv_bias(check, "query_bias", QUERY_PART));
    DF_TRY(check_qkv_bias(check, "key_bias", DF_QKV_K));
    DF_TRY(check_qkv_bias(check, "value_bias", VALUE_PART));
    DF_TRY(check_bias(check, "proj_bias", true));
    return check_bias(check, "mlp_bias", true);
}

/* --- the file --- */

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* As save_pretrained() and its exporters name files: model.safetensors, model-00001-of-00002.safetensors,
 * model.onnx, pytorch_model.bin. Such weights and the config.json beside them were written together. */
bool huggingface_named(const char *weights)
{
    static const char *const starts[] = {"model.", "model-", "model_", "pytorch_model"};
    const char *name = df_path_name(weights);

    for (int i = 0; i < COUNT(starts); i++) {
        if (df_text_starts_with(name, starts[i]))
            return true;
    }
    return is_folder(weights);
}

static bool is_dino(const char *type)
{
    static const char *const types[] = {"dinov2", "dinov2_with_registers", "dinov3_vit"};
    for (int i = 0; i < COUNT(types); i++) {
        if (type && strcmp(type, types[i]) == 0)
            return true;
    }
    return false;
}

static int check_tree(struct check *check)
{
    const char *type = cJSON_GetStringValue(member(check->tree, "model_type"));

    if (!is_dino(type)) {
        df_log("warning: %s is of no DINOv2 or DINOv3 (its model_type is %s): it is not used", check->path,
               type ? type : "missing");
        return 0;
    }
    const int status = compare_shapes(check);
    if (status == FITS)
        return check_computation(check);
    if (status != DIFFERS)
        return -1;
    if (huggingface_named(check->weights))
        return df_error_set("%s is not that of %s: it says %s (weights of another name may lie beside it)",
                            check->path, check->weights, check->difference);
    df_log("warning: %s is of another model than %s (it says %s): it is not used", check->path,
           check->weights, check->difference);
    return 0;
}

int huggingface_config_check(const char *weights, const struct df_state *official,
                             const struct df_vit_config *vit)
{
    char *folder = is_folder(weights) ? df_text_copy(weights) : df_path_folder(weights);
    char *path = folder ? df_text_format("%s/" FILE_NAME, folder) : NULL;
    int status = path ? 0 : -1;

    if (path && access(path, F_OK) == 0) {
        cJSON *tree = df_json_read(path, FILE_MAX);
        struct check check = {tree, path, weights, official, vit, ""};
        status = tree ? check_tree(&check) : -1;
        cJSON_Delete(tree);
    }
    free(path);
    free(folder);
    return status;
}
