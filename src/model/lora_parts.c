#include "dinoft/lora_parts.h"

#include "dinoft/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 4
#define LAST       "last:"

static const char *const names[2][DF_LORA_TARGETS] = {
    [DF_FFN_MLP] = {"q", "v", "k", "proj", "fc1", NULL, "fc2"},
    [DF_FFN_SWIGLU] = {"q", "v", "k", "proj", "w1", "w2", "w3"},
};

/* As layers follow one another. */
static const enum df_lora_target in_order[DF_LORA_TARGETS] = {
    DF_LORA_Q, DF_LORA_K, DF_LORA_V, DF_LORA_PROJ, DF_LORA_UP, DF_LORA_UP2, DF_LORA_DOWN};

const char *df_lora_target_name(enum df_lora_target target, enum df_ffn ffn)
{
    return names[ffn][target];
}

const char *df_lora_targets_text(unsigned targets, enum df_ffn ffn, char text[DF_LORA_TARGETS_TEXT])
{
    size_t used = 0;

    text[0] = '\0';
    for (int i = 0; i < DF_LORA_TARGETS; i++) {
        const char *name = names[ffn][in_order[i]];
        if (name && (targets & DF_LORA_BIT(in_order[i])))
            used += (size_t)snprintf(text + used, DF_LORA_TARGETS_TEXT - used, "%s%s", used ? "," : "", name);
    }
    return text;
}

/* The target that a word of so many bytes names, or -1. */
static int find_target(const char *word, size_t length, enum df_ffn ffn)
{
    for (int i = 0; i < DF_LORA_TARGETS; i++) {
        const char *name = names[ffn][i];
        if (name && strlen(name) == length && memcmp(name, word, length) == 0)
            return i;
    }
    return -1;
}

int df_lora_targets_read(const char *text, enum df_ffn ffn, unsigned *targets)
{
    char possible[DF_LORA_TARGETS_TEXT];

    *targets = 0;
    for (const char *rest = text;; rest++) {
        const size_t length = strcspn(rest, ",");
        const int target = find_target(rest, length, ffn);
        if (target < 0)
            return df_error_set("expected names with commas between them, of %s, found '%.100s'",
                                df_lora_targets_text(~0u, ffn, possible), text);
        if (*targets & DF_LORA_BIT(target))
            return df_error_set("%s is listed twice: '%.100s'", names[ffn][target], text);
        *targets |= DF_LORA_BIT(target);
        rest += length;
        if (*rest == '\0')
            return 0;
    }
}

const char *df_lora_blocks_text(const struct df_lora_parts *parts, int64_t depth,
                                char text[DF_LORA_BLOCKS_TEXT])
{
    size_t used = 0;
    bool all = true;

    text[0] = '\0';
    for (int64_t i = 0; i < depth; i++) {
        all = all && !parts->left_out[i];
        if (!parts->left_out[i])
            used +=
                (size_t)snprintf(text + used, DF_LORA_BLOCKS_TEXT - used, "%s%" PRId64, used ? "," : "", i);
    }
    if (all)
        snprintf(text, DF_LORA_BLOCKS_TEXT, "all");
    return text;
}

/* The number that *text begins with, up to a comma or the end, and *text moved there; -1: it is none. */
static int64_t next_number(const char **text)
{
    const size_t length = strcspn(*text, ",");

    if (length == 0 || length > DIGITS_MAX || strspn(*text, "0123456789") != length)
        return -1;
    const int64_t value = strtol(*text, NULL, 10);
    *text += length;
    return value;
}

static int bad_blocks(const char *text, int64_t depth)
{
    return df_error_set(
        "expected all, last:N or numbers with commas between them, of the blocks 0 to %" PRId64
        ", found '%.100s'",
        depth - 1, text);
}

int df_lora_blocks_read(const char *text, int64_t depth, struct df_lora_parts *parts)
{
    const bool all = strcmp(text, "all") == 0;
    const char *rest = text;

    for (int64_t i = 0; i < depth; i++)
        parts->left_out[i] = !all;
    if (all)
        return 0;
    if (strncmp(text, LAST, strlen(LAST)) == 0) {
        rest += strlen(LAST);
        const int64_t count = next_number(&rest);
        if (*rest != '\0' || count < 1 || count > depth)
            return bad_blocks(text, depth);
        for (int64_t i = depth - count; i < depth; i++)
            parts->left_out[i] = false;
        return 0;
    }
    for (;; rest++) {
        const int64_t block = next_number(&rest);
        if (block < 0 || block >= depth)
            return bad_blocks(text, depth);
        if (!parts->left_out[block])
            return df_error_set("block %" PRId64 " is listed twice: '%.100s'", block, text);
        parts->left_out[block] = false;
        if (*rest == '\0')
            return 0;
    }
}

const char *df_lora_text(int64_t rank, const struct df_lora_parts *parts, enum df_ffn ffn, int64_t depth,
                         char text[DF_LORA_TEXT])
{
    char targets[DF_LORA_TARGETS_TEXT], blocks[DF_LORA_BLOCKS_TEXT];
    const bool usual = df_lora_targets(parts) == DF_LORA_Q_AND_V;
    const bool all = strcmp(df_lora_blocks_text(parts, depth, blocks), "all") == 0;

    snprintf(text, DF_LORA_TEXT, "rank %" PRId64 "%s%s%s%s%s", rank, parts->dora ? " with DoRA" : "",
             usual ? "" : " of ", usual ? "" : df_lora_targets_text(parts->targets, ffn, targets),
             all ? "" : " in blocks ", all ? "" : blocks);
    return text;
}
