/* The stack of a pickle's machine, and the opcodes that put plain data on it. */
#include "pickle_machine.h"

#include "dinoft/error.h"
#include "dinoft/text.h"
#include "little_endian.h"

#include <string.h>

const unsigned char *df_machine_take(struct df_machine *m, uint64_t size)
{
    if (size > m->size - m->at) {
        df_machine_fail(m, "it is cut short");
        return NULL;
    }
    const unsigned char *bytes = m->bytes + m->at;
    m->at += size;
    return bytes;
}

int df_machine_take_number(struct df_machine *m, unsigned width, uint64_t *number)
{
    const unsigned char *bytes = df_machine_take(m, width);
    if (!bytes)
        return -1;
    *number = df_le_get(bytes, width);
    return 0;
}

int df_machine_push(struct df_machine *m, struct df_pickle_value *value)
{
    return df_pickle_push(m->pickle, &m->stack, value);
}

struct df_pickle_value *df_machine_push_new(struct df_machine *m, enum df_pickle_kind kind)
{
    struct df_pickle_value *value = df_pickle_new_value(m->pickle, kind);
    return value && df_machine_push(m, value) == 0 ? value : NULL;
}

struct df_pickle_value *df_machine_top(struct df_machine *m)
{
    struct df_pickle_value *value = m->stack.count ? m->stack.items[m->stack.count - 1] : &m->mark;
    if (value == &m->mark) {
        df_machine_fail(m, "a value is missing on the stack");
        return NULL;
    }
    return value;
}

struct df_pickle_value *df_machine_pop(struct df_machine *m)
{
    struct df_pickle_value *value = df_machine_top(m);
    if (value)
        m->stack.count--;
    return value;
}

/* Removes the last mark and all above it. The items stay readable until the next push. */
static int pop_to_mark(struct df_machine *m, struct df_pickle_items *above)
{
    size_t start = m->stack.count;
    while (start > 0 && m->stack.items[start - 1] != &m->mark)
        start--;
    if (start == 0)
        return df_machine_fail(m, "a mark is missing on the stack");
    *above = (struct df_pickle_items){.items = m->stack.items + start, .count = m->stack.count - start};
    m->stack.count = start - 1;
    return 0;
}

int df_machine_push_mark(struct df_machine *m, int unused)
{
    (void)unused;
    return df_machine_push(m, &m->mark);
}

int df_machine_drop(struct df_machine *m, int unused)
{
    (void)unused;
    if (m->stack.count == 0)
        return df_machine_fail(m, "a value is missing on the stack");
    m->stack.count--; /* a mark counts as a value here */
    return 0;
}

int df_machine_drop_to_mark(struct df_machine *m, int unused)
{
    struct df_pickle_items above;
    (void)unused;
    return pop_to_mark(m, &above);
}

int df_machine_duplicate(struct df_machine *m, int unused)
{
    struct df_pickle_value *value = df_machine_top(m);
    (void)unused;
    return value ? df_machine_push(m, value) : -1;
}

int df_machine_push_none(struct df_machine *m, int unused)
{
    (void)unused;
    return df_machine_push_new(m, DF_PICKLE_NONE) ? 0 : -1;
}

int df_machine_push_bool(struct df_machine *m, int value)
{
    struct df_pickle_value *pushed = df_machine_push_new(m, DF_PICKLE_BOOL);
    if (!pushed)
        return -1;
    pushed->integer = value;
    return 0;
}

/* width 4 is signed, as BININT is; the shorter forms are not. */
int df_machine_push_int(struct df_machine *m, int width)
{
    uint64_t number;
    DF_TRY(df_machine_take_number(m, (unsigned)width, &number));
    struct df_pickle_value *pushed = df_machine_push_new(m, DF_PICKLE_INT);
    if (!pushed)
        return -1;
    pushed->integer = width == 4 ? (int32_t)(uint32_t)number : (int64_t)number;
    return 0;
}

int df_machine_push_long(struct df_machine *m, int width)
{
    uint64_t size;
    DF_TRY(df_machine_take_number(m, (unsigned)width, &size));
    if (size > 8)
        return df_machine_fail(m, "an integer of more than 64 bits");
    const unsigned char *bytes = df_machine_take(m, size);
    struct df_pickle_value *pushed = bytes ? df_machine_push_new(m, DF_PICKLE_INT) : NULL;
    if (!pushed)
        return -1;
    uint64_t number = df_le_get(bytes, (unsigned)size);
    if (size > 0 && size < 8 && bytes[size - 1] & 0x80)
        number |= UINT64_MAX << (8 * size);
    pushed->integer = (int64_t)number;
    return 0;
}

int df_machine_push_float(struct df_machine *m, int unused)
{
    (void)unused;
    const unsigned char *bytes = df_machine_take(m, 8);
    struct df_pickle_value *pushed = bytes ? df_machine_push_new(m, DF_PICKLE_FLOAT) : NULL;
    if (!pushed)
        return -1;
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++) /* the one big-endian argument of the format */
        bits = bits << 8 | bytes[i];
    memcpy(&pushed->real, &bits, sizeof bits);
    return 0;
}

static struct df_pickle_value *push_string(struct df_machine *m, int width, enum df_pickle_kind kind)
{
    uint64_t length;
    if (df_machine_take_number(m, (unsigned)width, &length) != 0)
        return NULL;
    const unsigned char *bytes = df_machine_take(m, length);
    struct df_pickle_value *pushed = bytes ? df_machine_push_new(m, kind) : NULL;
    if (!pushed)
        return NULL;
    pushed->text.bytes = (const char *)bytes;
    pushed->text.length = length;
    return pushed;
}

int df_machine_push_bytes(struct df_machine *m, int width)
{
    return push_string(m, width, DF_PICKLE_BYTES) ? 0 : -1;
}

int df_machine_push_text(struct df_machine *m, int width)
{
    struct df_pickle_value *pushed = push_string(m, width, DF_PICKLE_TEXT);
    if (!pushed)
        return -1;
    if (!df_text_is_utf8(pushed->text.bytes, pushed->text.length))
        return df_machine_fail(m, "a text that is not UTF-8");
    return 0;
}

int df_machine_push_container(struct df_machine *m, int kind)
{
    return df_machine_push_new(m, (enum df_pickle_kind)kind) ? 0 : -1;
}

static int append_all(struct df_machine *m, struct df_pickle_value *target,
                      const struct df_pickle_items *items)
{
    if (target->kind == DF_PICKLE_DICT && items->count % 2 != 0)
        return df_machine_fail(m, "a dict's key without a value");
    DF_TRY(df_pickle_reserve(m->pickle, &target->sequence, target->sequence.count + items->count));
    for (size_t i = 0; i < items->count; i++)
        target->sequence.items[target->sequence.count++] = items->items[i];
    return 0;
}

int df_machine_container_to_mark(struct df_machine *m, int kind)
{
    struct df_pickle_items above;
    DF_TRY(pop_to_mark(m, &above));
    struct df_pickle_value *made = df_pickle_new_value(m->pickle, (enum df_pickle_kind)kind);
    if (!made || append_all(m, made, &above) != 0)
        return -1;
    return df_machine_push(m, made);
}

/* A tuple of the last one to three values. */
int df_machine_tuple_of(struct df_machine *m, int count)
{
    struct df_pickle_value *values[3];
    for (int i = count; i > 0; i--) {
        values[i - 1] = df_machine_pop(m);
        if (!values[i - 1])
            return -1;
    }
    struct df_pickle_items items = {.items = values, .count = (size_t)count};
    struct df_pickle_value *made = df_pickle_new_value(m->pickle, DF_PICKLE_TUPLE);
    if (!made || append_all(m, made, &items) != 0)
        return -1;
    return df_machine_push(m, made);
}

static int extend(struct df_machine *m, int kind, const struct df_pickle_items *items)
{
    struct df_pickle_value *target = df_machine_top(m);
    if (!target)
        return -1;
    if (target->kind != (enum df_pickle_kind)kind)
        return df_machine_fail(m, kind == DF_PICKLE_DICT ? "items set in what is no dict"
                                                         : "items appended to what is no list");
    return append_all(m, target, items);
}

int df_machine_extend_to_mark(struct df_machine *m, int kind)
{
    struct df_pickle_items above;
    DF_TRY(pop_to_mark(m, &above));
    return extend(m, kind, &above);
}

int df_machine_extend_by_one(struct df_machine *m, int kind)
{
    struct df_pickle_value *values[2];
    size_t count = kind == DF_PICKLE_DICT ? 2 : 1;
    for (size_t i = count; i > 0; i--) {
        values[i - 1] = df_machine_pop(m);
        if (!values[i - 1])
            return -1;
    }
    struct df_pickle_items items = {.items = values, .count = count};
    return extend(m, kind, &items);
}
