/* The opcodes that name, call and remember things, and the loop over all of them. */
#include "pickle_machine.h"

#include "dinoft/error.h"
#include "pickle_opcodes.h"
#include "quote.h"

#include <stdlib.h>
#include <string.h>

static int memo_put(struct df_machine *m, uint64_t number)
{
    struct df_pickle_value *value = df_machine_top(m);
    if (!value)
        return -1;
    if (number >= m->size) /* each entry takes an opcode, so real numbers stay below */
        return df_machine_fail(m, "a memo number out of range");
    DF_TRY(df_pickle_reserve(m->pickle, &m->memo, number + 1));
    m->memo.items[number] = value;
    if (m->memo.count <= number)
        m->memo.count = number + 1;
    return 0;
}

static int put_numbered(struct df_machine *m, int width)
{
    uint64_t number;
    DF_TRY(df_machine_take_number(m, (unsigned)width, &number));
    return memo_put(m, number);
}

static int put_next(struct df_machine *m, int unused)
{
    (void)unused;
    return memo_put(m, m->memo.count);
}

static int get_numbered(struct df_machine *m, int width)
{
    uint64_t number;
    DF_TRY(df_machine_take_number(m, (unsigned)width, &number));
    if (number >= m->memo.count || !m->memo.items[number])
        return df_machine_fail(m, "a memo number that was never given");
    return df_machine_push(m, m->memo.items[number]);
}

static bool same(const char *text, const char *bytes, size_t length)
{
    return strlen(text) == length && memcmp(text, bytes, length) == 0;
}

static int push_global(struct df_machine *m, const char *module, size_t module_length, const char *name,
                       size_t name_length)
{
    for (const struct df_pickle_global *global = m->globals; global->module; global++) {
        if (same(global->module, module, module_length) && same(global->name, name, name_length)) {
            struct df_pickle_value *pushed = df_machine_push_new(m, DF_PICKLE_GLOBAL);
            if (!pushed)
                return -1;
            pushed->global = global;
            return 0;
        }
    }
    char module_text[DF_QUOTE_SIZE], name_text[DF_QUOTE_SIZE];
    return df_error_set("pickle names %s.%s, which is neither a tensor nor plain data: refused",
                        df_quote(module_text, module, module_length), df_quote(name_text, name, name_length));
}

/* The text up to a newline, which is consumed. */
static int take_line(struct df_machine *m, const char **line, size_t *length)
{
    const unsigned char *start = m->bytes + m->at;
    const unsigned char *newline = memchr(start, '\n', m->size - m->at);
    if (!newline)
        return df_machine_fail(m, "it is cut short");
    *line = (const char *)start;
    *length = (size_t)(newline - start);
    m->at += *length + 1;
    return 0;
}

static int global_lines(struct df_machine *m, int unused)
{
    const char *module, *name;
    size_t module_length, name_length;
    (void)unused;
    DF_TRY(take_line(m, &module, &module_length));
    DF_TRY(take_line(m, &name, &name_length));
    return push_global(m, module, module_length, name, name_length);
}

static int global_stack(struct df_machine *m, int unused)
{
    (void)unused;
    struct df_pickle_value *name = df_machine_pop(m);
    struct df_pickle_value *module = name ? df_machine_pop(m) : NULL;
    if (!module)
        return -1;
    if (name->kind != DF_PICKLE_TEXT || module->kind != DF_PICKLE_TEXT)
        return df_machine_fail(m, "a global whose name is no text");
    return push_global(m, module->text.bytes, module->text.length, name->text.bytes, name->text.length);
}

static int call(struct df_machine *m, const struct df_pickle_global *function,
                struct df_pickle_value *arguments)
{
    const struct df_pickle_items *given = &arguments->sequence;
    struct df_pickle_value *made;

    switch (function->call) {
    case DF_CALL_DICT:
        if (given->count != 0)
            break;
        return df_machine_push_container(m, DF_PICKLE_DICT);
    case DF_CALL_TUPLE:
        if (given->count != 1 || given->items[0]->kind != DF_PICKLE_TUPLE)
            break;
        return df_machine_push(m, given->items[0]);
    case DF_CALL_KEPT:
        made = df_machine_push_new(m, DF_PICKLE_CALL);
        if (!made)
            return -1;
        made->call.function = function;
        made->call.arguments = arguments;
        return 0;
    case DF_CALL_REFUSED:
        break;
    }
    return df_error_set(
        "pickle calls %s.%s with %zu arguments, which makes neither a tensor nor plain data: refused",
        function->module, function->name, given->count);
}

static int reduce(struct df_machine *m, int unused)
{
    (void)unused;
    struct df_pickle_value *arguments = df_machine_pop(m);
    struct df_pickle_value *function = arguments ? df_machine_pop(m) : NULL;
    if (!function)
        return -1;
    if (arguments->kind != DF_PICKLE_TUPLE || function->kind != DF_PICKLE_GLOBAL)
        return df_machine_fail(m, "a call of what is no function");
    return call(m, function->global, arguments);
}

/* The state of a dict is its attributes, such as the _metadata of a state dict: no tensors, dropped. */
static int build(struct df_machine *m, int unused)
{
    (void)unused;
    struct df_pickle_value *state = df_machine_pop(m);
    struct df_pickle_value *target = state ? df_machine_top(m) : NULL;
    if (!target)
        return -1;
    if (target->kind != DF_PICKLE_DICT)
        return df_machine_fail(m, "a state set on what is no dict");
    return 0;
}

static int persistent(struct df_machine *m, int unused)
{
    (void)unused;
    struct df_pickle_value *id = df_machine_pop(m);
    struct df_pickle_value *pushed = id ? df_machine_push_new(m, DF_PICKLE_PERSISTENT) : NULL;
    if (!pushed)
        return -1;
    pushed->persistent = id;
    return 0;
}

/* Frames tell how to buffer the stream, which is in memory already. */
static int frame(struct df_machine *m, int width)
{
    uint64_t length;
    DF_TRY(df_machine_take_number(m, (unsigned)width, &length));
    return length > m->size - m->at ? df_machine_fail(m, "it is cut short") : 0;
}

static int stop(struct df_machine *m, int unused)
{
    (void)unused;
    m->pickle->root = df_machine_pop(m);
    m->stopped = true;
    return m->pickle->root ? 0 : -1;
}

static const struct {
    int (*run)(struct df_machine *m, int argument);
    int argument;
} opcodes[256] = {
    [PICKLE_MARK] = {df_machine_push_mark, 0},
    [PICKLE_STOP] = {stop, 0},
    [PICKLE_POP] = {df_machine_drop, 0},
    [PICKLE_POP_MARK] = {df_machine_drop_to_mark, 0},
    [PICKLE_DUP] = {df_machine_duplicate, 0},
    [PICKLE_FRAME] = {frame, 8},

    [PICKLE_NONE] = {df_machine_push_none, 0},
    [PICKLE_NEWTRUE] = {df_machine_push_bool, 1},
    [PICKLE_NEWFALSE] = {df_machine_push_bool, 0},
    [PICKLE_BININT] = {df_machine_push_int, 4},
    [PICKLE_BININT1] = {df_machine_push_int, 1},
    [PICKLE_BININT2] = {df_machine_push_int, 2},
    [PICKLE_LONG1] = {df_machine_push_long, 1},
    [PICKLE_BINFLOAT] = {df_machine_push_float, 0},
    [PICKLE_BINUNICODE] = {df_machine_push_text, 4},
    [PICKLE_SHORT_BINUNICODE] = {df_machine_push_text, 1},
    [PICKLE_BINUNICODE8] = {df_machine_push_text, 8},
    [PICKLE_BINSTRING] = {df_machine_push_text, 4},
    [PICKLE_SHORT_BINSTRING] = {df_machine_push_text, 1},
    [PICKLE_BINBYTES] = {df_machine_push_bytes, 4},
    [PICKLE_SHORT_BINBYTES] = {df_machine_push_bytes, 1},
    [PICKLE_BINBYTES8] = {df_machine_push_bytes, 8},

    [PICKLE_EMPTY_LIST] = {df_machine_push_container, DF_PICKLE_LIST},
    [PICKLE_EMPTY_TUPLE] = {df_machine_push_container, DF_PICKLE_TUPLE},
    [PICKLE_EMPTY_DICT] = {df_machine_push_container, DF_PICKLE_DICT},
    [PICKLE_LIST] = {df_machine_container_to_mark, DF_PICKLE_LIST},
    [PICKLE_TUPLE] = {df_machine_container_to_mark, DF_PICKLE_TUPLE},
    [PICKLE_DICT] = {df_machine_container_to_mark, DF_PICKLE_DICT},
    [PICKLE_TUPLE1] = {df_machine_tuple_of, 1},
    [PICKLE_TUPLE2] = {df_machine_tuple_of, 2},
    [PICKLE_TUPLE3] = {df_machine_tuple_of, 3},
    [PICKLE_APPEND] = {df_machine_extend_by_one, DF_PICKLE_LIST},
    [PICKLE_APPENDS] = {df_machine_extend_to_mark, DF_PICKLE_LIST},
    [PICKLE_SETITEM] = {df_machine_extend_by_one, DF_PICKLE_DICT},
    [PICKLE_SETITEMS] = {df_machine_extend_to_mark, DF_PICKLE_DICT},

    [PICKLE_BINPUT] = {put_numbered, 1},
    [PICKLE_LONG_BINPUT] = {put_numbered, 4},
    [PICKLE_MEMOIZE] = {put_next, 0},
    [PICKLE_BINGET] = {get_numbered, 1},
    [PICKLE_LONG_BINGET] = {get_numbered, 4},

    [PICKLE_GLOBAL] = {global_lines, 0},
    [PICKLE_STACK_GLOBAL] = {global_stack, 0},
    [PICKLE_REDUCE] = {reduce, 0},
    [PICKLE_BUILD] = {build, 0},
    [PICKLE_BINPERSID] = {persistent, 0},
};

static int run(struct df_machine *m)
{
    if (m->size < 2 || m->bytes[0] != PICKLE_PROTO || m->bytes[1] < 2 || m->bytes[1] > 5)
        return df_error_set("pickle: it does not begin as one of protocol 2 to 5 does");
    m->at = 2;
    while (!m->stopped) {
        m->opcode_at = m->at;
        const unsigned char *opcode = df_machine_take(m, 1);
        if (!opcode)
            return -1;
        if (!opcodes[*opcode].run)
            return df_error_set(
                "pickle: opcode 0x%02x at byte %zu makes neither a tensor nor plain data: refused", *opcode,
                m->opcode_at);
        DF_TRY(opcodes[*opcode].run(m, opcodes[*opcode].argument));
    }
    return 0;
}

struct df_pickle *df_pickle_read(const void *bytes, size_t size, const struct df_pickle_global *globals)
{
    struct df_pickle *pickle = calloc(1, sizeof *pickle);
    if (!pickle) {
        df_error_memory("a pickle", sizeof *pickle);
        return NULL;
    }
    struct df_machine machine = {.bytes = bytes, .size = size, .globals = globals, .pickle = pickle};
    if (run(&machine) != 0) {
        df_pickle_free(pickle);
        return NULL;
    }
    return pickle;
}
