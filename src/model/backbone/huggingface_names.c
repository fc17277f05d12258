#include "names.h"

#include "dinoft/text.h"

#include <stdio.h>
#include <string.h>

#define V2    DF_SCHEME_HF_DINOV2
#define PLAIN DF_SCHEME_HF_DINOV3
#define GATED DF_SCHEME_HF_DINOV3_GATED
#define V3    (PLAIN | GATED)

/* One rule serves both directions. Where the names are of modules, ".weight" and ".bias" follow in both. */
struct rule {
    const char *huggingface, *official;
    int part; /* as in struct df_official_name */
    unsigned schemes;
    bool is_module;
};

static const struct rule outside_blocks[] = {
    {"embeddings.cls_token", "cls_token", -1, V2 | V3, false},
    {"embeddings.mask_token", "mask_token", -1, V2 | V3, false},
    {"embeddings.position_embeddings", "pos_embed", -1, V2, false},
    {"embeddings.register_tokens", "register_tokens", -1, V2, false},
    {"embeddings.register_tokens", "storage_tokens", -1, V3, false},
    {"embeddings.patch_embeddings.projection", "patch_embed.proj", -1, V2, true},
    {"embeddings.patch_embeddings", "patch_embed.proj", -1, V3, true},
    {"layernorm", "norm", -1, V2, true},
    {"norm", "norm", -1, V3, true},
};

static const struct rule in_block[] = {
    {"norm1", "norm1", -1, V2 | V3, true},
    {"norm2", "norm2", -1, V2 | V3, true},
    {"attention.attention.query", "attn.qkv", 0, V2, true},
    {"attention.attention.key", "attn.qkv", 1, V2, true},
    {"attention.attention.value", "attn.qkv", 2, V2, true},
    {"attention.output.dense", "attn.proj", -1, V2, true},
    {"attention.q_proj", "attn.qkv", 0, V3, true},
    {"attention.k_proj", "attn.qkv", 1, V3, true},
    {"attention.v_proj", "attn.qkv", 2, V3, true},
    {"attention.o_proj", "attn.proj", -1, V3, true},
    {"layer_scale1.lambda1", "ls1.gamma", -1, V2 | V3, false},
    {"layer_scale2.lambda1", "ls2.gamma", -1, V2 | V3, false},
    {"mlp.fc1", "mlp.fc1", -1, V2, true},
    {"mlp.fc2", "mlp.fc2", -1, V2, true},
    {"mlp.weights_in", "mlp.w12", -1, V2, true},
    {"mlp.weights_out", "mlp.w3", -1, V2, true},
    {"mlp.up_proj", "mlp.fc1", -1, PLAIN, true},
    {"mlp.down_proj", "mlp.fc2", -1, PLAIN, true},
    {"mlp.gate_proj", "mlp.w1", -1, GATED, true},
    {"mlp.up_proj", "mlp.w2", -1, GATED, true},
    {"mlp.down_proj", "mlp.w3", -1, GATED, true},
};

#define COUNT(rules) (sizeof(rules) / sizeof((rules)[0]))

/* What follows `start` in name if a rule with that start fits: "" or ".weight" or ".bias". NULL if it does
 * not. */
static const char *ending_after(const char *name, const char *start, bool is_module)
{
    if (!df_text_starts_with(name, start))
        return NULL;
    const char *rest = name + strlen(start);
    if (is_module)
        return strcmp(rest, ".weight") == 0 || strcmp(rest, ".bias") == 0 ? rest : NULL;
    return *rest ? NULL : rest;
}

static bool translate(const struct rule *rules, size_t count, const char *name, enum df_scheme scheme,
                      struct df_official_name *official)
{
    for (size_t i = 0; i < count; i++) {
        if (!(rules[i].schemes & scheme))
            continue;
        const char *ending = ending_after(name, rules[i].huggingface, rules[i].is_module);
        if (ending) {
            size_t used = strlen(official->text);
            snprintf(official->text + used, sizeof official->text - used, "%s%s", rules[i].official, ending);
            official->part = rules[i].part;
            return true;
        }
    }
    return false;
}

/* The block's number and the rest of the name; -1 if it is not a block's. */
static int split_block_name(const char *name, enum df_scheme scheme, const char **rest)
{
    static const struct {
        const char *text;
        unsigned schemes;
    } starts[] = {{"encoder.layer.", V2}, {"layer.", V3}, {"model.layer.", V3}};

    for (size_t i = 0; i < COUNT(starts); i++) {
        if ((starts[i].schemes & scheme) && df_text_starts_with(name, starts[i].text)) {
            *rest = name + strlen(starts[i].text);
            return df_block_number(rest);
        }
    }
    return -1;
}

enum df_name_kind df_name_from_huggingface(const char *name, enum df_scheme scheme,
                                           struct df_official_name *official)
{
    const char *rest;

    official->text[0] = '\0';
    if (translate(outside_blocks, COUNT(outside_blocks), name, scheme, official))
        return DF_NAME_KNOWN;
    int block = split_block_name(name, scheme, &rest);
    if (block < 0)
        return DF_NAME_FOREIGN;
    snprintf(official->text, sizeof official->text, "blocks.%d.", block);
    return translate(in_block, COUNT(in_block), rest, scheme, official) ? DF_NAME_KNOWN : DF_NAME_UNSUPPORTED;
}

static bool translate_back(const struct rule *rules, size_t count, const char *official, int part,
                           enum df_scheme scheme, const char *start, char name[2 * DF_OFFICIAL_NAME_MAX])
{
    for (size_t i = 0; i < count; i++) {
        if (!(rules[i].schemes & scheme) || rules[i].part != part)
            continue;
        const char *ending = ending_after(official, rules[i].official, rules[i].is_module);
        if (ending) {
            snprintf(name, 2 * DF_OFFICIAL_NAME_MAX, "%s%s%s", start, rules[i].huggingface, ending);
            return true;
        }
    }
    return false;
}

bool df_name_to_huggingface(const char *official, int part, enum df_scheme scheme,
                            char name[2 * DF_OFFICIAL_NAME_MAX])
{
    char start[32];

    if (!df_text_starts_with(official, "blocks."))
        return translate_back(outside_blocks, COUNT(outside_blocks), official, part, scheme, "", name);
    const char *rest = official + strlen("blocks.");
    int block = df_block_number(&rest);
    if (block < 0)
        return false;
    snprintf(start, sizeof start, scheme == V2 ? "encoder.layer.%d." : "layer.%d.", block);
    return translate_back(in_block, COUNT(in_block), rest, part, scheme, start, name);
}
