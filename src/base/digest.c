#include "dinoft/digest.h"

#include <string.h>

#define PRIME1 0x9e3779b185ebca87u
#define PRIME2 0xc2b2ae3d27d4eb4fu
#define PRIME3 0x165667b19e3779f9u
#define PRIME4 0x85ebca77c2b2ae63u
#define PRIME5 0x27d4eb2f165667c5u

#define STRIPE 32 /* bytes: eight for each lane */

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

/* Compilers make one load of it where the machine is little-endian. */
static uint64_t get(const unsigned char *bytes, int size)
{
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static uint64_t mixed(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * PRIME2, 31) * PRIME1;
}

static void add_stripe(uint64_t lanes[4], const unsigned char *stripe)
{
    for (int i = 0; i < 4; i++)
        lanes[i] = mixed(lanes[i], get(stripe + 8 * i, 8));
}

void df_digest_start(struct df_digest *digest)
{
    memset(digest, 0, sizeof *digest);
    digest->lanes[0] = PRIME1 + PRIME2;
    digest->lanes[1] = PRIME2;
    digest->lanes[3] = 0 - PRIME1;
}

void df_digest_add(struct df_digest *digest, const void *bytes, size_t size)
{
    const unsigned char *next = bytes;
    size_t kept = digest->total % STRIPE;

    digest->total += size;
    if (kept > 0) {
        const size_t missing = STRIPE - kept, taken = size < missing ? size : missing;
        memcpy(digest->rest + kept, next, taken);
        if (taken < missing)
            return;
        add_stripe(digest->lanes, digest->rest);
        next += taken;
        size -= taken;
    }
    for (; size >= STRIPE; size -= STRIPE, next += STRIPE)
        add_stripe(digest->lanes, next);
    if (size > 0)
        memcpy(digest->rest, next, size);
}

static uint64_t joined_lanes(const uint64_t lanes[4])
{
    uint64_t hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
    for (int i = 0; i < 4; i++)
        hash = (hash ^ mixed(0, lanes[i])) * PRIME1 + PRIME4;
    return hash;
}

uint64_t df_digest_value(const struct df_digest *digest)
{
    const unsigned char *rest = digest->rest;
    size_t left = digest->total % STRIPE;
    uint64_t hash = (digest->total >= STRIPE ? joined_lanes(digest->lanes) : PRIME5) + digest->total;

    for (; left >= 8; left -= 8, rest += 8)
        hash = rotate(hash ^ mixed(0, get(rest, 8)), 27) * PRIME1 + PRIME4;
    for (; left >= 4; left -= 4, rest += 4)
        hash = rotate(hash ^ get(rest, 4) * PRIME1, 23) * PRIME2 + PRIME3;
    for (; left > 0; left--, rest++)
        hash = rotate(hash ^ *rest * PRIME5, 11) * PRIME1;
    hash = (hash ^ hash >> 33) * PRIME2;
    hash = (hash ^ hash >> 29) * PRIME3;
    return hash ^ hash >> 32;
}

void df_digest_add_text(struct df_digest *digest, const char *text)
{
    df_digest_add(digest, text, strlen(text) + 1);
}

void df_digest_add_number(struct df_digest *digest, uint64_t number)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
    df_digest_add(digest, bytes, sizeof bytes);
}

uint64_t df_digest_of(const void *bytes, size_t size)
{
    struct df_digest digest;
    df_digest_start(&digest);
    df_digest_add(&digest, bytes, size);
    return df_digest_value(&digest);
}
