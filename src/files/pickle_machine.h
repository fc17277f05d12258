/* The stack machine that a pickle is a program for: its parts that pickle_read.c and pickle_data.c share. */
#ifndef FILES_PICKLE_MACHINE_H
#define FILES_PICKLE_MACHINE_H

#include "dinoft/error.h"
#include "pickle_value.h"

struct df_machine {
    const unsigned char *bytes;
    size_t size, at, opcode_at;
    const struct df_pickle_global *globals;
    struct df_pickle *pickle;
    struct df_pickle_items stack, memo;
    struct df_pickle_value mark; /* on the stack it stands for MARK; it never leaves the stack */
    bool stopped;
};

/* "pickle: WHAT at byte N", N being the current opcode's. Returns -1. */
static inline int df_machine_fail(const struct df_machine *m, const char *what)
{
    df_error_set("pickle: %s at byte %zu", what, m->opcode_at);
    return -1;
}

/* The next `size` bytes of the pickle, or NULL; an unsigned argument of `width` bytes. */
const unsigned char *df_machine_take(struct df_machine *m, uint64_t size);
int df_machine_take_number(struct df_machine *m, unsigned width, uint64_t *number);

int df_machine_push(struct df_machine *m, struct df_pickle_value *value);
struct df_pickle_value *df_machine_push_new(struct df_machine *m, enum df_pickle_kind kind);

/* The value on top of the stack, NULL with the error set if there is none above the last mark. */
struct df_pickle_value *df_machine_top(struct df_machine *m);
struct df_pickle_value *df_machine_pop(struct df_machine *m);

/* The opcodes of plain data. What the argument is depends on the opcode: the width of a number or of a
 * length, a kind of container, a value, a count; those that need none ignore it. */
int df_machine_push_mark(struct df_machine *m, int argument);
int df_machine_drop(struct df_machine *m, int argument);
int df_machine_drop_to_mark(struct df_machine *m, int argument);
int df_machine_duplicate(struct df_machine *m, int argument);
int df_machine_push_none(struct df_machine *m, int argument);
int df_machine_push_bool(struct df_machine *m, int argument);
int df_machine_push_int(struct df_machine *m, int argument);
int df_machine_push_long(struct df_machine *m, int argument);
int df_machine_push_float(struct df_machine *m, int argument);
int df_machine_push_text(struct df_machine *m, int argument);
int df_machine_push_bytes(struct df_machine *m, int argument);
int df_machine_push_container(struct df_machine *m, int argument);
int df_machine_container_to_mark(struct df_machine *m, int argument);
int df_machine_tuple_of(struct df_machine *m, int argument);
int df_machine_extend_by_one(struct df_machine *m, int argument);
int df_machine_extend_to_mark(struct df_machine *m, int argument);

#endif
