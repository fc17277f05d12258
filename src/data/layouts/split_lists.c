/* A split by lists of names. */
#include "layout.h"

#include "../lines.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_AT_MOST  3
#define PATH_MAX_BYTES 4096
#define SHOWN_AT_MOST  80 /* bytes of a line, in errors */

/* The names that a sample has in a list, the ones that are tried first first. */
enum way { BY_NAME, BY_FILE, BY_MASK, BY_PATH, BY_MASK_PATH, WAYS };

struct key {
    const char *text;
    int64_t sample;
};

struct reading {
    const struct df_dataset *dataset;
    struct key *keys[WAYS]; /* [dataset->count] each, sorted */
    const char *path;       /* of the list */
    int64_t *taken;         /* [dataset->count]: 0, or the line of the list that names the sample */
    const int64_t *before;  /* the same of the other list; NULL: there is none */
    struct df_name_list unknown, twice;
    struct df_chosen *chosen; /* NULL: the list is the other one */
    int64_t lines;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct key *)a)->text, ((const struct key *)b)->text);
}

/* What is behind the root. */
static const char *below(const char *path, const char *root)
{
    const size_t length = strlen(root);

    if (strncmp(path, root, length) != 0)
        return path;
    path += length;
    return path + strspn(path, "/");
}

static const char *key_text(const struct df_sample *sample, enum way way, const char *root)
{
    switch (way) {
    case BY_NAME:
        return sample->name;
    case BY_FILE:
        return df_path_name(sample->image_path);
    case BY_MASK:
        return df_path_name(sample->mask_path);
    case BY_PATH:
        return below(sample->image_path, root);
    default:
        return below(sample->mask_path, root);
    }
}

static int make_keys(struct reading *reading, const char *root)
{
    const size_t count = (size_t)reading->dataset->count;

    for (int way = 0; way < WAYS; way++) {
        struct key *keys = reading->keys[way] = calloc(count, sizeof *keys);
        if (!keys)
            return df_error_memory("names of samples", count * sizeof *keys);
        for (size_t i = 0; i < count; i++)
            keys[i] = (struct key){key_text(&reading->dataset->samples[i], (enum way)way, root), (int64_t)i};
        qsort(keys, count, sizeof *keys, compare);
    }
    return 0;
}

static bool is_same(const struct reading *reading, enum way way, const struct key *key, ptrdiff_t other)
{
    const ptrdiff_t at = key - reading->keys[way] + other;

    return at >= 0 && at < reading->dataset->count && compare(key, &reading->keys[way][at]) == 0;
}

/* The sample of a line, or -1: none, or more than one of that name. */
static int64_t find(const struct reading *reading, const char *text, bool *several)
{
    const struct key wanted = {text, 0};

    *several = false;
    for (int way = 0; way < WAYS; way++) {
        const struct key *key =
            bsearch(&wanted, reading->keys[way], (size_t)reading->dataset->count, sizeof wanted, compare);
        if (!key)
            continue;
        *several = is_same(reading, (enum way)way, key, -1) || is_same(reading, (enum way)way, key, 1);
        return *several ? -1 : key->sample;
    }
    return -1;
}

static int take(struct reading *reading, int64_t sample, int64_t line)
{
    if (reading->taken[sample])
        return df_error_set("lines %" PRId64 " and %" PRId64 " of %s name the same image, %s",
                            reading->taken[sample], line, reading->path,
                            reading->dataset->samples[sample].image_path);
    reading->taken[sample] = line;
    if (reading->before && reading->before[sample])
        df_name_list_add(&reading->twice, "%s", reading->dataset->samples[sample].name);
    if (reading->chosen)
        reading->chosen->samples[reading->chosen->count++] = sample;
    return 0;
}

static int read_line(void *context, int64_t line, const char *text, size_t length)
{
    struct reading *reading = context;
    char name[PATH_MAX_BYTES];
    bool several;

    if (length >= sizeof name || memchr(text, '\0', length))
        return df_error_set("line %" PRId64 " of %s is no name of a file: \"%.*s\"", line, reading->path,
                            length < SHOWN_AT_MOST ? (int)length : SHOWN_AT_MOST, text);
    memcpy(name, text, length);
    name[length] = '\0';
    reading->lines++;
    const int64_t sample = find(reading, strncmp(name, "./", 2) == 0 ? name + 2 : name, &several);
    if (several)
        return df_error_set("line %" PRId64 " of %s: there is more than one image of the name '%s': the name "
                            "needs its folders too",
                            line, reading->path, name);
    if (sample < 0) {
        df_name_list_add(&reading->unknown, "%s (line %" PRId64 ")", name, line);
        return 0;
    }
    return take(reading, sample, line);
}

static int read_list(struct reading *reading, const char *path, const struct df_listing *listing)
{
    reading->path = path;
    reading->lines = 0;
    reading->taken = calloc((size_t)reading->dataset->count, sizeof *reading->taken);
    if (!reading->taken)
        return df_error_memory("a split",
                               (unsigned long long)reading->dataset->count * sizeof *reading->taken);
    DF_TRY(df_each_line(path, read_line, reading));
    if (reading->unknown.count > 0)
        return df_error_set("%zu of the %" PRId64 " names in %s %s no image with a mask in %s: %s",
                            reading->unknown.count, reading->lines, path,
                            reading->unknown.count == 1 ? "has" : "have", listing->what,
                            reading->unknown.text);
    return reading->lines > 0 ? 0 : df_error_set("%s lists no images", path);
}

static void tell(const struct df_dataset *dataset, const char *const lists[2],
                 const struct df_listing *listing, int64_t *const taken[2])
{
    static const char *const parts[] = {"training", "validation"};
    struct df_name_list unlisted = {.most = NAMED_AT_MOST}, told = {.most = 2};

    for (int list = 0; list < 2; list++) {
        int64_t listed = 0;
        for (int64_t i = 0; taken[list] && i < dataset->count; i++)
            listed += taken[list][i] != 0;
        if (taken[list])
            df_name_list_add(&told, "%" PRId64 " for %s by %s", listed, parts[list], lists[list]);
    }
    df_log("layout: %s, %" PRId64 " images: %s", listing->what, dataset->count, told.text);
    for (int64_t i = 0; taken[0] && i < dataset->count; i++) {
        if (!taken[0][i] && !(taken[1] && taken[1][i]))
            df_name_list_add(&unlisted, "%s", dataset->samples[i].name);
    }
    if (unlisted.count > 0)
        df_log("warning: %zu of the %" PRId64 " images %s in %s list and not used: %s", unlisted.count,
               dataset->count, unlisted.count == 1 ? "is" : "are", taken[1] ? "neither" : "no",
               unlisted.text);
}

int df_split_by_lists(const struct df_dataset *dataset, const struct df_dataset_options *options,
                      const struct df_listing *listing, struct df_chosen *chosen)
{
    const struct df_layout_options *layout = &options->layout;
    const char *const lists[] = {layout->train_list, layout->val_list};
    struct reading reading = {.dataset = dataset, .unknown.most = NAMED_AT_MOST, .twice.most = NAMED_AT_MOST};
    int64_t *taken[2] = {NULL, NULL};
    int status = make_keys(&reading, options->root);

    if (status == 0 && !lists[options->split])
        status = df_error_set("%s needs %s too", lists[0] ? "--train_list" : "--val_list",
                              lists[0] ? "--val_list" : "--train_list");
    for (int i = 0; i < 2 && status == 0; i++) {
        if (!lists[i])
            continue;
        reading.chosen = i == (int)options->split ? chosen : NULL;
        reading.before = taken[0];
        status = read_list(&reading, lists[i], listing);
        taken[i] = reading.taken;
    }
    if (status == 0 && reading.twice.count > 0)
        status =
            df_error_set("%zu image%s in both lists, %s and %s: %s", reading.twice.count,
                         reading.twice.count == 1 ? " is" : "s are", lists[0], lists[1], reading.twice.text);
    if (status == 0 && layout->tells)
        tell(dataset, lists, listing, taken);
    for (int way = 0; way < WAYS; way++)
        free(reading.keys[way]);
    free(taken[0]);
    free(taken[1]);
    return status;
}
