/* Images that threads read and resize ahead of who needs them, which gets them in their order. What is read
 * ahead takes a bounded amount of memory, but for what a single image takes. */
#ifndef DINOFT_DECODE_AHEAD_H
#define DINOFT_DECODE_AHEAD_H

#include "dinoft/image.h"
#include "dinoft/worker_pool.h"

struct decoded {
    const char *path; /* the caller's */
    void *tag;        /* likewise */
    struct df_image image;
    uint8_t *resized; /* [height, width, 3] of the options; NULL: not wanted */
    int status;       /* -1: it could not be read, and error says why; image has no pixels then */
    struct df_error error;
};

struct decode_options {
    const struct df_image_reading *reading;
    int64_t height, width; /* 0: not resized */
    bool only_resized;     /* the image's pixels are not needed behind that; its size stays */
};

struct decode_ahead;

/* Threads of a pool that read images and write results. workers: 0 for one a core, at most 8. NULL with the
 * error set. */
struct df_worker_pool *decode_pool_open(int64_t workers);

/* The pool must outlive it. NULL with the error set. */
struct decode_ahead *decode_ahead_open(struct df_worker_pool *pool, const struct decode_options *options);
/* Waits for what is under way; NULL is allowed. */
void decode_ahead_close(struct decode_ahead *ahead);

/* Whether one more may be added; always so where none is under way. */
bool decode_ahead_has_room(const struct decode_ahead *ahead);
/* Begins to read an image. The path must outlive it. */
void decode_ahead_add(struct decode_ahead *ahead, const char *path, void *tag);

/* The same for one that fails with the error that is set: it comes in its turn. */
void decode_ahead_add_failed(struct decode_ahead *ahead, const char *path, void *tag);

/* Images that were added and not taken. */
int64_t decode_ahead_count(const struct decode_ahead *ahead);
/* Whether the first of them can be taken without waiting. */
bool decode_ahead_is_ready(struct decode_ahead *ahead);
/* Waits for the first, which is then the caller's to free. */
void decode_ahead_take(struct decode_ahead *ahead, struct decoded *decoded);
void decoded_free(struct decoded *decoded);

#endif
