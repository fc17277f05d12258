#include "names.h"

#include "dinoft/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const outside_blocks[] = {
    "cls_token",
    "pos_embed",
    "register_tokens",
    "storage_tokens",
    "mask_token",
    "rope_embed.periods",
    "norm.weight",
    "norm.bias",
    "cls_norm.weight",
    "cls_norm.bias",
    "local_cls_norm.weight",
    "local_cls_norm.bias",
    "patch_embed.proj.weight",
    "patch_embed.proj.bias",
};

static const char *const in_block[] = {
    "norm1.weight",     "norm1.bias",     "attn.qkv.weight", "attn.qkv.bias", "attn.qkv.bias_mask",
    "attn.proj.weight", "attn.proj.bias", "ls1.gamma",       "norm2.weight",  "norm2.bias",
    "mlp.fc1.weight",   "mlp.fc1.bias",   "mlp.fc2.weight",  "mlp.fc2.bias",  "mlp.w12.weight",
    "mlp.w12.bias",     "mlp.w1.weight",  "mlp.w1.bias",     "mlp.w2.weight", "mlp.w2.bias",
    "mlp.w3.weight",    "mlp.w3.bias",    "ls2.gamma",
};

static bool is_listed(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, list[i]) == 0)
            return true;
    }
    return false;
}

int df_block_number(const char **text)
{
    int number = 0;
    const char *at = *text;

    while (isdigit((unsigned char)*at) && number < DF_MAX_BLOCKS)
        number = 10 * number + (*at++ - '0');
    if (at == *text || *at != '.' || number >= DF_MAX_BLOCKS)
        return -1;
    *text = at + 1;
    return number;
}

enum df_name_kind df_name_from_official(const char *name, struct df_official_name *official)
{
    official->part = -1;
    if (is_listed(name, outside_blocks, sizeof outside_blocks / sizeof outside_blocks[0])) {
        snprintf(official->text, sizeof official->text, "%s", name);
        return DF_NAME_KNOWN;
    }
    if (!df_text_starts_with(name, "blocks."))
        return DF_NAME_FOREIGN;
    const char *rest = name + strlen("blocks.");
    int number = df_block_number(&rest);
    int within_group = df_block_number(&rest);
    if (within_group >= 0)
        number = within_group;
    if (number < 0 || !is_listed(rest, in_block, sizeof in_block / sizeof in_block[0]))
        return DF_NAME_UNSUPPORTED;
    snprintf(official->text, sizeof official->text, "blocks.%d.%s", number, rest);
    return DF_NAME_KNOWN;
}
