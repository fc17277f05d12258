/* A 64-bit digest of bytes, to notice files that changed or were damaged by accident: XXH64 (Yann Collet)
 * with seed 0, which reads memory about as fast as it comes. Not for guarding against people. */
#ifndef DINOFT_DIGEST_H
#define DINOFT_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct df_digest {
    uint64_t lanes[4];
    uint64_t total;         /* bytes so far */
    unsigned char rest[32]; /* those that do not fill a stripe yet */
};

void df_digest_start(struct df_digest *digest);
void df_digest_add(struct df_digest *digest, const void *bytes, size_t size);

/* Of all that was added; more may be added afterwards. The same on machines of either byte order. */
uint64_t df_digest_value(const struct df_digest *digest);

/* Parts that cannot run into each other: a text with its end, and a number of fixed size. */
void df_digest_add_text(struct df_digest *digest, const char *text);
void df_digest_add_number(struct df_digest *digest, uint64_t number);

/* All in one. */
uint64_t df_digest_of(const void *bytes, size_t size);

#endif
