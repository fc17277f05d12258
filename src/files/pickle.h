/* Python's pickle format, as much of it as checkpoints of tensors use, read without executing anything.
 *
 * Format: the comments of CPython's Lib/pickletools.py, which define every opcode; PEP 3154 (protocol 4) and
 * PEP 574 (protocol 5). Protocols 2 to 5 are read, 2 is written.
 *
 * Reading gives a tree of values. A name that the pickle wants to import is looked up in a list of the
 * caller's; a name that is not there, and every opcode that could build anything else, is refused. */
#ifndef DINOFT_FILES_PICKLE_H
#define DINOFT_FILES_PICKLE_H

#include "byte_buffer.h"

#include <stdint.h>

/* What becomes of a global that the pickle calls. */
enum df_pickle_call {
    DF_CALL_REFUSED, /* the name may be mentioned, but not called */
    DF_CALL_DICT,    /* called without arguments, it makes an empty dict */
    DF_CALL_TUPLE,   /* called with a sequence, it gives that sequence */
    DF_CALL_KEPT     /* the call stands in the tree as DF_PICKLE_CALL */
};

struct df_pickle_global {
    const char *module, *name; /* module NULL ends a list */
    enum df_pickle_call call;
    int id; /* for the caller */
};

enum df_pickle_kind {
    DF_PICKLE_NONE,
    DF_PICKLE_BOOL,
    DF_PICKLE_INT,
    DF_PICKLE_FLOAT,
    DF_PICKLE_TEXT,
    DF_PICKLE_BYTES,
    DF_PICKLE_LIST,
    DF_PICKLE_TUPLE,
    DF_PICKLE_DICT,
    DF_PICKLE_GLOBAL,
    DF_PICKLE_CALL,
    DF_PICKLE_PERSISTENT
};

struct df_pickle_items {
    struct df_pickle_value **items;
    size_t count, capacity;
};

struct df_pickle_value {
    enum df_pickle_kind kind;
    union {
        int64_t integer; /* INT, BOOL */
        double real;     /* FLOAT */
        struct {
            const char *bytes; /* in the pickle itself, not NUL-terminated; TEXT is valid UTF-8 */
            size_t length;
        } text;                                   /* TEXT, BYTES */
        struct df_pickle_items sequence;          /* LIST, TUPLE; DICT: key, value, key, value, … */
        const struct df_pickle_global *global;    /* GLOBAL */
        const struct df_pickle_value *persistent; /* PERSISTENT: its id */
        struct {
            const struct df_pickle_global *function;
            const struct df_pickle_value *arguments; /* a TUPLE */
        } call;                                      /* CALL */
    };
};

struct df_pickle;

/* Reads the pickle in bytes, which must outlive it. globals is a list that ends with a NULL module. NULL on
 * failure. */
struct df_pickle *df_pickle_read(const void *bytes, size_t size, const struct df_pickle_global *globals);

/* The pickled object. A value may occur in several places and, in a hostile file, inside itself: walk the
 * tree with a limit on the depth and on the number of steps. */
const struct df_pickle_value *df_pickle_root(const struct df_pickle *pickle);

void df_pickle_free(struct df_pickle *pickle);

/* "int", "dict", …: Python's name of the kind. */
const char *df_pickle_kind_name(enum df_pickle_kind kind);

/* A pickle being written, opcode by opcode, as a byte buffer grows: df_pickle_writer_check() says whether all
 * went well. Start from {0}. */
struct df_pickle_writer {
    struct df_byte_buffer out;
    unsigned memo_count; /* numbers given by df_pickle_memoize() */
};

/* One opcode that takes no argument. */
void df_pickle_op(struct df_pickle_writer *writer, unsigned char opcode);
void df_pickle_protocol(struct df_pickle_writer *writer, int protocol);
void df_pickle_int(struct df_pickle_writer *writer, int64_t value);

/* text is UTF-8, shorter than 4 GiB. */
void df_pickle_text(struct df_pickle_writer *writer, const char *text);
void df_pickle_name(struct df_pickle_writer *writer, const char *module, const char *name);

/* Remembers the value that was pushed last under the number that is returned; get pushes it again. */
unsigned df_pickle_memoize(struct df_pickle_writer *writer);
void df_pickle_get(struct df_pickle_writer *writer, unsigned number);

/* -1 with the error set if any call failed. */
int df_pickle_writer_check(const struct df_pickle_writer *writer);
void df_pickle_writer_clear(struct df_pickle_writer *writer);

#endif
