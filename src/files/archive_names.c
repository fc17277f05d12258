#include "archive_names.h"
#include "quote.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

static int refuse(const char *name, size_t length, const char *why)
{
    char quoted[DF_QUOTE_SIZE];
    return df_error_set("the entry %s %s: refused", df_quote(quoted, name, length), why);
}

/* Writes the parts between slashes, and how many bytes they are with the end. */
static int tidy(const char *name, size_t length, char tidied[DF_ARCHIVE_NAME_MAX], size_t *size)
{
    size_t used = 0;

    if (memchr(name, '\0', length))
        return refuse(name, length, "has a byte 0 in its name");
    for (size_t at = 0; at < length;) {
        const char *slash = memchr(name + at, '/', length - at);
        const size_t part = slash ? (size_t)(slash - name) - at : length - at;
        if (part == 2 && memcmp(name + at, "..", 2) == 0)
            return refuse(name, length, "leads out of the archive, by '..'");
        if (part > 0 && !(part == 1 && name[at] == '.')) {
            if (part + 2 > DF_ARCHIVE_NAME_MAX - used)
                return refuse(name, length, "has too long a name");
            memcpy(tidied + used, name + at, part);
            used += part;
            if (slash)
                tidied[used++] = '/';
        }
        at += part + (slash != NULL);
    }
    tidied[used] = '\0';
    *size = used + 1;
    return 0;
}

/* Space for one more entry and so many bytes of text. */
static int make_room(struct df_archive_names *names, size_t bytes)
{
    if (names->text_room - names->text_size < bytes) {
        const size_t room = 2 * names->text_room + DF_ARCHIVE_NAME_MAX;
        char *text = realloc(names->text, room);
        if (!text)
            return df_error_memory("the names of an archive", room);
        names->text = text;
        names->text_room = room;
    }
    if ((names->count & (names->count - 1)) == 0) {
        const size_t room = names->count ? 2 * names->count : 1;
        struct df_archive_entry *entries = realloc(names->entries, room * sizeof *entries);
        if (!entries)
            return df_error_memory("an archive's directory", room * sizeof *entries);
        names->entries = entries;
    }
    return 0;
}

int df_archive_names_add(struct df_archive_names *names, const char *name, size_t length, uint64_t size,
                         uint64_t at)
{
    char tidied[DF_ARCHIVE_NAME_MAX];
    size_t bytes = 0;

    DF_TRY(tidy(name, length, tidied, &bytes));
    if (bytes == 1)
        return 0;
    DF_TRY(make_room(names, bytes));
    memcpy(names->text + names->text_size, tidied, bytes);
    names->entries[names->count++] =
        (struct df_archive_entry){.size = size, .at = at, .text = names->text_size};
    names->text_size += bytes;
    return 0;
}

/* Texts lie in the order in which names were added. */
static int compare(const void *a, const void *b)
{
    const struct df_archive_entry *x = a, *y = b;
    const int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->text > y->text) - (x->text < y->text);
}

void df_archive_names_settle(struct df_archive_names *names)
{
    size_t count = 0;

    for (size_t i = 0; i < names->count; i++)
        names->entries[i].name = names->text + names->entries[i].text;
    if (names->count > 0)
        qsort(names->entries, names->count, sizeof *names->entries, compare);
    for (size_t i = 0; i < names->count; i++) {
        const struct df_archive_entry *entry = &names->entries[i];
        const bool again = count > 0 && strcmp(names->entries[count - 1].name, entry->name) == 0;
        const bool folder = entry->name[strlen(entry->name) - 1] == '/';
        names->replaced += again && !folder;
        count -= again;
        names->entries[count++] = *entry;
    }
    names->count = count;
}

void df_archive_names_free(struct df_archive_names *names)
{
    free(names->entries);
    free(names->text);
    *names = (struct df_archive_names){0};
}

size_t df_archive_names_find(const struct df_archive_names *names, const char *name)
{
    size_t first = 0, last = names->count;

    while (first < last) {
        const size_t middle = first + (last - first) / 2;
        if (strcmp(names->entries[middle].name, name) < 0)
            first = middle + 1;
        else
            last = middle;
    }
    return first;
}
