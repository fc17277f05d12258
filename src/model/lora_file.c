/* LoRA in a checkpoint: what is there, whether it fits, its digest, and folding it into weights. */
#include "lora.h"

#include "dinoft/checkpoint.h"
#include "dinoft/digest.h"
#include "dinoft/error.h"
#include "dinoft/size.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_DIGITS 4

static const struct df_tensor *find(const struct df_state *checkpoint, char which, int64_t block,
                                    enum df_lora_target target, enum df_ffn ffn)
{
    char name[DF_LORA_KEY_MAX];
    const struct df_entry *entry = df_state_find(checkpoint, df_lora_key(name, which, block, target, ffn));

    return entry && !entry->text ? &entry->tensor : NULL;
}

/* --- what is there --- */

/* columns 0: it has one dimension. */
static int check_tensor(const struct df_state *checkpoint, const char *name, int64_t rows, int64_t columns)
{
    char found[DF_SHAPE_TEXT_MAX], expected[DF_SHAPE_TEXT_MAX];
    const int64_t shape[2] = {rows, columns};
    const int ndim = columns > 0 ? 2 : 1;
    const struct df_entry *entry = df_state_find(checkpoint, name);

    if (!entry || entry->text)
        return df_error_set("%s is missing", name);
    const struct df_tensor *tensor = &entry->tensor;
    if (tensor->ndim == ndim && tensor->shape[0] == rows && (ndim == 1 || tensor->shape[1] == columns))
        return 0;
    return df_error_set("%s is %s, expected %s", name, df_shape_text(tensor->shape, tensor->ndim, found),
                        df_shape_text(shape, ndim, expected));
}

/* Pairs of q and v, of which every block has one each. */
static int find_q_and_v(struct df_checkpoint *checkpoint)
{
    char name[DF_LORA_KEY_MAX], shape[DF_SHAPE_TEXT_MAX];
    const struct df_state *state = checkpoint->state;
    const struct df_entry *first = df_state_find(state, "w_a_000");
    int64_t pairs = 0;

    if (!first)
        return 0;
    if (first->text || first->tensor.ndim != 2 || first->tensor.count == 0)
        return df_error_set("w_a_000 is %s, expected [rank, channels]",
                            df_shape_text(first->tensor.shape, first->tensor.ndim, shape));
    const int64_t rank = first->tensor.shape[0], dim = first->tensor.shape[1];
    if (rank > DF_MAX_RANK)
        return df_error_set("w_a_000 has rank %lld, at most %d is possible", (long long)rank, DF_MAX_RANK);
    for (;; pairs++) {
        const enum df_lora_target target = pairs % 2 ? DF_LORA_V : DF_LORA_Q;
        if (!df_state_find(state, df_lora_key(name, 'a', pairs / 2, target, DF_FFN_MLP)))
            break;
        DF_TRY(check_tensor(state, name, rank, dim));
        DF_TRY(check_tensor(state, df_lora_key(name, 'b', pairs / 2, target, DF_FFN_MLP), dim, rank));
    }
    if (pairs % 2 != 0)
        return df_error_set("%s is missing: every block has a pair for q and one for v", name);
    if (dim != checkpoint->dim)
        return df_error_set("LoRA is for %lld channels, the decoder for %lld", (long long)dim,
                            (long long)checkpoint->dim);
    checkpoint->rank = rank;
    checkpoint->depth = pairs / 2;
    checkpoint->tells_depth = true;
    return checkpoint->depth <= DF_VIT_MAX_DEPTH
               ? 0
               : df_error_set("it has LoRA for %lld blocks, at most %d are possible",
                              (long long)checkpoint->depth, DF_VIT_MAX_DEPTH);
}

#define KEY_START  "lora_a_"
#define DORA_START "lora_m_" /* as long */

/* The block and the target of "lora_a_003_fc1", or "lora_m_003_fc1". False for another name. */
static bool read_key(const char *name, char which, int64_t *block, enum df_lora_target *target,
                     enum df_ffn *ffn)
{
    char again[DF_LORA_KEY_MAX];
    const int digits = (int)strspn(name + strlen(KEY_START), "0123456789");

    *block = strtol(name + strlen(KEY_START), NULL, 10);
    for (int i = 0; i < 2 * DF_LORA_TARGETS; i++) {
        *ffn = i < DF_LORA_TARGETS ? DF_FFN_MLP : DF_FFN_SWIGLU;
        *target = (enum df_lora_target)(i % DF_LORA_TARGETS);
        if (digits <= BLOCK_DIGITS && df_lora_target_name(*target, *ffn) &&
            strcmp(df_lora_key(again, which, *block, *target, *ffn), name) == 0)
            return *block < DF_VIT_MAX_DEPTH;
    }
    return false;
}

/* What the other targets' tensors tell. */
struct others {
    unsigned targets[DF_VIT_MAX_DEPTH]; /* of each block */
    int64_t depth;                      /* behind the last that has some */
    bool of_ffn[2];                     /* names of the one FFN, or of the other */
};

static int add_other(struct df_checkpoint *checkpoint, const struct df_entry *a, struct others *others)
{
    char b[DF_LORA_KEY_MAX], shape[DF_SHAPE_TEXT_MAX];
    const struct df_tensor *tensor = &a->tensor;
    enum df_lora_target target;
    enum df_ffn ffn;
    int64_t block;

    if (!read_key(a->name, 'a', &block, &target, &ffn))
        return df_error_set("%s names no layer that LoRA could be in", a->name);
    if (a->text || tensor->ndim != 2 || tensor->count == 0 || tensor->shape[0] > DF_MAX_RANK ||
        (checkpoint->rank > 0 && tensor->shape[0] != checkpoint->rank))
        return df_error_set("%s is %s, expected [rank, channels] of the rank of all, at most %d", a->name,
                            df_shape_text(tensor->shape, tensor->ndim, shape), DF_MAX_RANK);
    checkpoint->rank = tensor->shape[0];
    const struct df_tensor *up = find(checkpoint->state, 'b', block, target, ffn);
    if (!up || up->ndim != 2 || up->count == 0 || up->shape[1] != checkpoint->rank)
        return df_error_set("%s is %s, expected [channels, %lld]", df_lora_key(b, 'b', block, target, ffn),
                            up ? df_shape_text(up->shape, up->ndim, shape) : "missing",
                            (long long)checkpoint->rank);
    others->targets[block] |= DF_LORA_BIT(target);
    others->depth = df_max_i64(others->depth, block + 1);
    if (target >= DF_LORA_UP)
        others->of_ffn[ffn] = true;
    return 0;
}

/* All of these blocks have the same. */
static int check_others(const struct others *others, unsigned *targets)
{
    int64_t last = others->depth - 1;

    *targets = others->depth > 0 ? others->targets[last] : 0;
    for (int64_t i = 0; i < others->depth; i++) {
        if (others->targets[i] && others->targets[i] != *targets)
            return df_error_set("LoRA is in other layers of block %lld than of block %lld", (long long)i,
                                (long long)last);
    }
    if (others->of_ffn[DF_FFN_MLP] && others->of_ffn[DF_FFN_SWIGLU])
        return df_error_set("LoRA is in layers of two kinds of FFN");
    return 0;
}

static int find_others(struct df_checkpoint *checkpoint, struct others *others)
{
    const struct df_state *state = checkpoint->state;
    unsigned targets;

    for (size_t i = 0; i < state->count; i++) {
        if (strncmp(state->entries[i].name, KEY_START, strlen(KEY_START)) == 0)
            DF_TRY(add_other(checkpoint, &state->entries[i], others));
    }
    DF_TRY(check_others(others, &targets));
    if (targets && checkpoint->depth > 0 && others->depth > checkpoint->depth)
        return df_error_set("LoRA of q and v is for %lld blocks, another one for %lld",
                            (long long)checkpoint->depth, (long long)others->depth);
    checkpoint->lora.targets = targets | (checkpoint->tells_depth > 0 ? DF_LORA_Q_AND_V : 0);
    checkpoint->lora_ffn = others->of_ffn[DF_FFN_SWIGLU] ? DF_FFN_SWIGLU : DF_FFN_MLP;
    checkpoint->depth = df_max_i64(checkpoint->depth, others->depth);
    for (int64_t i = 0; targets && i < DF_VIT_MAX_DEPTH; i++)
        checkpoint->lora.left_out[i] = !others->targets[i];
    return 0;
}

/* Tensors tell neither which blocks' q and v are trained nor, where one of the two is, which: the record
 * does. Without one both are, in the blocks of the other targets, or else in all. */
static int take_recorded(struct df_checkpoint *checkpoint, bool has_others)
{
    const struct df_record *record = &checkpoint->record;
    const char *blocks = *record->lora_blocks ? record->lora_blocks : "all";
    struct df_lora_parts recorded = {.targets = DF_LORA_Q_AND_V};
    char tensors[DF_LORA_TARGETS_TEXT];

    if ((*record->lora_targets &&
         df_lora_targets_read(record->lora_targets, checkpoint->lora_ffn, &recorded.targets) != 0) ||
        df_lora_blocks_read(blocks, checkpoint->depth, &recorded) != 0)
        return df_error_context("the entry '%s', LoRA", DF_RECORD_KEY);
    const unsigned missing = recorded.targets & ~checkpoint->lora.targets,
                   left = checkpoint->lora.targets & ~recorded.targets & ~DF_LORA_Q_AND_V;
    if (missing || left ||
        (has_others &&
         memcmp(recorded.left_out, checkpoint->lora.left_out, (size_t)checkpoint->depth * sizeof(bool)) != 0))
        return df_error_set("the entry '%s' and the tensors tell of LoRA in other layers: %s of %s, %s",
                            DF_RECORD_KEY, *record->lora_targets ? record->lora_targets : "q,v", blocks,
                            df_lora_targets_text(checkpoint->lora.targets, checkpoint->lora_ffn, tensors));
    checkpoint->lora.targets = recorded.targets;
    memcpy(checkpoint->lora.left_out, recorded.left_out, (size_t)checkpoint->depth * sizeof(bool));
    return 0;
}

/* Whether the checkpoint has LoRA in what a key of DoRA names. */
static bool has_lora(const struct df_checkpoint *checkpoint, const char *name)
{
    char key[DF_LORA_KEY_MAX];
    enum df_lora_target target;
    enum df_ffn ffn;
    int64_t block;

    return read_key(name, 'm', &block, &target, &ffn) && block < checkpoint->depth &&
           !checkpoint->lora.left_out[block] && (checkpoint->lora.targets & DF_LORA_BIT(target)) &&
           strcmp(df_lora_key(key, 'm', block, target, checkpoint->lora_ffn), name) == 0;
}

static int check_magnitudes(const struct df_checkpoint *checkpoint)
{
    const enum df_ffn ffn = checkpoint->lora_ffn;
    char key[DF_LORA_KEY_MAX];

    for (int64_t block = 0; block < checkpoint->depth; block++) {
        for (int i = 0; i < DF_LORA_TARGETS && !checkpoint->lora.left_out[block]; i++) {
            const enum df_lora_target target = (enum df_lora_target)i;
            if (!(checkpoint->lora.targets & DF_LORA_BIT(target)))
                continue;
            const struct df_tensor *b = find(checkpoint->state, 'b', block, target, ffn);
            df_lora_key(key, 'm', block, target, ffn);
            DF_TRY(check_tensor(checkpoint->state, key, b->shape[0], 0));
        }
    }
    return 0;
}

/* DoRA is in all layers that have LoRA, or in none. */
static int find_magnitudes(struct df_checkpoint *checkpoint)
{
    const struct df_state *state = checkpoint->state;

    for (size_t i = 0; i < state->count; i++) {
        if (strncmp(state->entries[i].name, DORA_START, strlen(DORA_START)) != 0)
            continue;
        if (!has_lora(checkpoint, state->entries[i].name))
            return df_error_set("%s names no layer that has LoRA", state->entries[i].name);
        checkpoint->lora.dora = true;
    }
    if (checkpoint->has_record && checkpoint->lora.dora != checkpoint->record.dora)
        return df_error_set("the entry '%s' tells of LoRA %s DoRA, the tensors of LoRA %s it", DF_RECORD_KEY,
                            checkpoint->record.dora ? "with" : "without",
                            checkpoint->lora.dora ? "with" : "without");
    return checkpoint->lora.dora ? check_magnitudes(checkpoint) : 0;
}

/* Into the record, where a run finds what it goes on with. */
static void spell_parts(struct df_checkpoint *checkpoint)
{
    struct df_record *record = &checkpoint->record;
    /* One more, which has none, where all that are known have LoRA. */
    const int64_t depth = checkpoint->depth + !checkpoint->tells_depth;

    if (checkpoint->lora.targets != DF_LORA_Q_AND_V)
        df_lora_targets_text(checkpoint->lora.targets, checkpoint->lora_ffn, record->lora_targets);
    df_lora_blocks_text(&checkpoint->lora, df_min_i64(depth, DF_VIT_MAX_DEPTH), record->lora_blocks);
    if (strcmp(record->lora_blocks, "all") == 0)
        record->lora_blocks[0] = '\0';
}

int df_lora_find(struct df_checkpoint *checkpoint)
{
    struct others others = {.depth = 0};

    DF_TRY(find_q_and_v(checkpoint));
    DF_TRY(find_others(checkpoint, &others));
    if (checkpoint->rank > 0 && checkpoint->has_record)
        DF_TRY(take_recorded(checkpoint, others.depth > 0));
    DF_TRY(find_magnitudes(checkpoint));
    if (checkpoint->rank > 0)
        spell_parts(checkpoint);
    return 0;
}

/* --- whether it fits --- */

static int check_target(const struct df_checkpoint *checkpoint, const struct df_vit_config *config,
                        int64_t block, enum df_lora_target target)
{
    char key[DF_LORA_KEY_MAX];
    const struct df_lora_place place = df_lora_place(target, config);

    df_lora_key(key, 'a', block, target, config->ffn);
    DF_TRY(check_tensor(checkpoint->state, key, checkpoint->rank, place.in));
    df_lora_key(key, 'b', block, target, config->ffn);
    DF_TRY(check_tensor(checkpoint->state, key, place.out, checkpoint->rank));
    df_lora_key(key, 'm', block, target, config->ffn);
    return checkpoint->lora.dora ? check_tensor(checkpoint->state, key, place.out, 0) : 0;
}

int df_lora_check(const struct df_checkpoint *checkpoint, const struct df_vit_config *config)
{
    const unsigned of_ffn = DF_LORA_BIT(DF_LORA_UP) | DF_LORA_BIT(DF_LORA_UP2) | DF_LORA_BIT(DF_LORA_DOWN);
    const unsigned targets = df_lora_targets(&checkpoint->lora);
    char held[DF_LORA_TARGETS_TEXT], possible[DF_LORA_TARGETS_TEXT];

    if (targets & of_ffn && checkpoint->lora_ffn != config->ffn)
        return df_error_set("it has LoRA in %s, the backbone has %s",
                            df_lora_targets_text(targets & of_ffn, checkpoint->lora_ffn, held),
                            df_lora_targets_text(of_ffn, config->ffn, possible));
    for (int64_t block = 0; block < config->depth; block++)
        for (int i = 0; i < DF_LORA_TARGETS; i++)
            if (!checkpoint->lora.left_out[block] && (targets & DF_LORA_BIT(i)))
                DF_TRY(check_target(checkpoint, config, block, (enum df_lora_target)i));
    return 0;
}

/* --- its digest --- */

static int add_to_digest(struct df_digest *digest, const struct df_tensor *tensor)
{
    const size_t bytes = tensor->count * sizeof(float);
    float *values = malloc(bytes);

    if (!values)
        return df_error_memory("a LoRA tensor", bytes);
    df_convert_to_f32(values, tensor->data, tensor->dtype, tensor->count);
    df_digest_add(digest, values, bytes);
    free(values);
    return 0;
}

static int add_target(struct df_digest *digest, const struct df_state *checkpoint, int64_t block,
                      enum df_lora_target target, enum df_ffn ffn)
{
    char name[DF_LORA_KEY_MAX];

    for (const char *which = "abm"; *which; which++) {
        const struct df_tensor *tensor = find(checkpoint, *which, block, target, ffn);
        if (!tensor)
            continue;
        df_digest_add_text(digest, df_lora_key(name, *which, block, target, ffn));
        df_digest_add_number(digest, (uint64_t)tensor->shape[0]);
        DF_TRY(add_to_digest(digest, tensor));
    }
    return 0;
}

int df_checkpoint_lora_digest(const struct df_checkpoint *checkpoint, uint64_t *value)
{
    const enum df_ffn ffn = checkpoint->lora_ffn;
    struct df_digest digest;

    df_digest_start(&digest);
    for (int64_t block = 0; block < checkpoint->depth; block++)
        for (int target = 0; target < DF_LORA_TARGETS; target++)
            if (df_lora_target_name((enum df_lora_target)target, ffn))
                DF_TRY(add_target(&digest, checkpoint->state, block, (enum df_lora_target)target, ffn));
    *value = df_digest_value(&digest);
    return 0;
}

/* --- folding --- */

/* weight [out, in] += B A. */
static void add_product(float *weight, const struct df_lora_place *place, const float *a, const float *b,
                        int64_t rank)
{
    for (int64_t row = 0; row < place->out; row++)
        for (int64_t k = 0; k < rank; k++)
            for (int64_t column = 0; column < place->in; column++)
                weight[row * place->in + column] += b[row * rank + k] * a[k * place->in + column];
}

static double square_of(const float *row, int64_t count)
{
    double sum = 0.0;

    for (int64_t i = 0; i < count; i++)
        sum += (double)row[i] * (double)row[i];
    return sum;
}

/* Gives the rows of weight [out, in] the lengths m, with the least that training knows (struct df_dora_rows).
 * squares: those before B A was added. */
static void set_lengths(float *weight, const struct df_lora_place *place, const float *m,
                        const float *squares)
{
    for (int64_t i = 0; i < place->out; i++) {
        float *row = weight + i * place->in;
        const double least = (double)DF_DORA_LEAST * (double)squares[i], square = square_of(row, place->in);
        const double length = sqrt(square < least ? least : square);
        for (int64_t k = 0; k < place->in; k++)
            row[k] = length == 0.0 ? 0.0f : (float)((double)row[k] * ((double)m[i] / length));
    }
}

/* To float32, at *values, which goes behind it. What is no number would make nonsense that looks like a
 * result. */
static int read_values(const char *name, const struct df_tensor *tensor, float **values)
{
    float *to = *values;

    df_convert_to_f32(to, tensor->data, tensor->dtype, tensor->count);
    *values += tensor->count;
    return df_check_weights(name, to, tensor->count);
}

/* weight: the target's own rows. */
static int fold_target(const struct df_state *checkpoint, const struct df_vit_config *config, int64_t block,
                       enum df_lora_target target, const struct df_lora_place *place, float *weight)
{
    const struct df_tensor *a = find(checkpoint, 'a', block, target, config->ffn),
                           *b = find(checkpoint, 'b', block, target, config->ffn),
                           *m = find(checkpoint, 'm', block, target, config->ffn);
    char name[DF_LORA_KEY_MAX];

    if (!a || !b)
        return 0;
    const size_t count = a->count + b->count + (m ? 2 * m->count : 0);
    float *values = malloc(count * sizeof *values), *rest = values;
    if (!values)
        return df_error_memory("a LoRA pair", count * sizeof *values);
    int status = read_values(df_lora_key(name, 'a', block, target, config->ffn), a, &rest);
    if (status == 0)
        status = read_values(df_lora_key(name, 'b', block, target, config->ffn), b, &rest);
    float *lengths = rest;
    if (status == 0 && m)
        status = read_values(df_lora_key(name, 'm', block, target, config->ffn), m, &rest);
    for (int64_t i = 0; m && i < place->out; i++)
        rest[i] = (float)square_of(weight + i * place->in, place->in);
    if (status == 0) {
        add_product(weight, place, values, values + a->count, a->shape[0]);
        if (m)
            set_lengths(weight, place, lengths, rest);
    }
    free(values);
    return status;
}

int df_lora_fold(const struct df_state *checkpoint, const struct df_vit_config *config, int64_t block,
                 enum df_lora_layer layer, float *weight)
{
    for (int i = 0; i < DF_LORA_TARGETS; i++) {
        const enum df_lora_target target = (enum df_lora_target)i;
        const struct df_lora_place place = df_lora_place(target, config);
        if (place.layer == layer && df_lora_target_name(target, config->ffn))
            DF_TRY(
                fold_target(checkpoint, config, block, target, &place, weight + place.first_row * place.in));
    }
    return 0;
}
