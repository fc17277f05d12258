/* WebDataset's naming: what is in front of the first dot of a file's name, with its folders, is the key of a
 * sample, and what is behind it says which part of the sample the file is: 000123.jpg and 000123.seg.png. */
#include "layout.h"
#include "shards.h"

#include "../folder_files.h"
#include "../sample_list.h"
#include "../split_folders.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAMED_AT_MOST 3

enum part { PART_OTHER, PART_PICTURE, PART_IMAGE, PART_MASK };

struct member {
    char *name;        /* its path in the shard */
    size_t key_length; /* of it */
    enum part part;
    uint64_t at; /* files are in this order in the shard */
};

struct members {
    struct member *items;
    size_t count;
};

/* A sample of a shard. */
struct pair {
    const struct member *image, *mask;
};

/* What is found in all shards. */
struct finding {
    struct df_dataset *dataset;
    const char *shard;
    struct df_name_list bare, lonely; /* samples without a mask, or without an image */
    struct df_name_list unused;       /* endings of parts that are neither, each once */
    size_t n_unused;
};

/* --- members --- */

static bool is_word(const char *word, size_t length, const char *const *words)
{
    for (; *words; words++) {
        if (strlen(*words) == length && strncasecmp(word, *words, length) == 0)
            return true;
    }
    return false;
}

/* By the words in the ending: "seg.png" is a mask, "image.png" an image, "png" either. */
static enum part part_of(const char *ending)
{
    static const char *const of_masks[] = {"seg",          "mask",     "masks",  "label",
                                           "labels",       "gt",       "target", "annotation",
                                           "segmentation", "semantic", "segmap", NULL};
    static const char *const of_images[] = {"image", "img", "input", "rgb", "photo", NULL};

    if (!df_endings_have(df_image_endings(), ending))
        return PART_OTHER;
    for (const char *word = ending + strspn(ending, "."); *word;) {
        const size_t length = strcspn(word, ".");
        if (is_word(word, length, of_masks))
            return PART_MASK;
        if (is_word(word, length, of_images))
            return PART_IMAGE;
        word += length + strspn(word + length, ".");
    }
    return df_endings_have(df_mask_endings(), ending) ? PART_PICTURE : PART_IMAGE;
}

/* Any folder on the way may be a system's. */
static bool is_hidden(const char *name)
{
    char part[256];

    for (const char *at = name; *at; at += strcspn(at, "/"), at += strspn(at, "/")) {
        snprintf(part, sizeof part, "%.*s", (int)strcspn(at, "/"), at);
        if (df_name_is_of_a_system(part))
            return true;
    }
    return false;
}

static int add_member(void *context, const char *name, uint64_t at)
{
    struct members *members = context;
    const char *file = df_path_name(name);
    const char *dot = strchr(file, '.');
    char ending[256];

    if (is_hidden(name))
        return 0;
    struct member *items = df_grown(members->items, members->count, sizeof *items);
    if (!items)
        return -1;
    members->items = items;
    /* Endings are looked for behind a name. */
    snprintf(ending, sizeof ending, "x%s", dot ? dot : "");
    struct member *member = &items[members->count];
    *member = (struct member){.name = df_text_copy(name),
                              .key_length = dot ? (size_t)(dot - name) : strlen(name),
                              .part = part_of(ending),
                              .at = at};
    if (!member->name)
        return -1;
    members->count++;
    return 0;
}

static void free_members(struct members *members)
{
    for (size_t i = 0; i < members->count; i++)
        free(members->items[i].name);
    free(members->items);
}

static int compare_keys(const struct member *a, const struct member *b)
{
    const size_t shorter = a->key_length < b->key_length ? a->key_length : b->key_length;
    const int order = memcmp(a->name, b->name, shorter);

    return order != 0 ? order : (a->key_length > b->key_length) - (a->key_length < b->key_length);
}

static int compare_members(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    const int order = compare_keys(x, y);

    return order != 0 ? order : strcmp(x->name, y->name);
}

/* --- samples --- */

static int ambiguous(const struct finding *finding, const char *what, const struct member *a,
                     const struct member *b)
{
    return df_error_set(
        "%s: %s and %s may both be the %s of one sample: a mask is called KEY.seg.png or "
        "KEY.mask.png, an image KEY.jpg or KEY.image.png (--images and --masks take patterns: "
        "'shards/*.tar/*.jpg' 'shards/*.tar/{name}.png')",
        finding->shard, a->name, b->name, what);
}

/* Takes one member of the part, where it is the only one. */
static int take(const struct finding *finding, const struct member *member, const char *what,
                const struct member **taken)
{
    if (*taken)
        return ambiguous(finding, what, *taken, member);
    *taken = member;
    return 0;
}

static void note_unused(struct finding *finding, const struct member *member)
{
    const char *ending = member->name + member->key_length;
    char shown[48];

    finding->n_unused++;
    snprintf(shown, sizeof shown, "%.40s", *ending ? ending : "no ending");
    if (!strstr(finding->unused.text, shown))
        df_name_list_add(&finding->unused, "%s", shown);
}

/* Such as "depth.png", where image and mask are there. */
static bool is_of_neither(const struct member *picture, const struct pair *pair)
{
    const char *ending = picture->name + picture->key_length;
    return pair->image && pair->mask && strchr(ending + 1, '.');
}

/* A picture that may be either is what the other one is not; two of them may be anything. */
static int settle_pictures(const struct finding *finding, const struct member *const pictures[2],
                           struct pair *pair)
{
    if (pictures[1])
        return ambiguous(finding, pair->mask ? "image" : "mask", pictures[0], pictures[1]);
    if (!pictures[0])
        return 0;
    if (pair->mask && pair->image)
        return ambiguous(finding, "image", pair->image, pictures[0]);
    *(pair->image ? &pair->mask : &pair->image) = pictures[0];
    return 0;
}

/* The members of one key. */
static int pair_members(struct finding *finding, const struct member *members, size_t count,
                        struct pair *pair)
{
    const struct member *pictures[2] = {NULL, NULL};

    *pair = (struct pair){NULL, NULL};
    for (size_t i = 0; i < count; i++) {
        const struct member *member = &members[i];
        if (member->part == PART_OTHER)
            note_unused(finding, member);
        else if (member->part == PART_IMAGE)
            DF_TRY(take(finding, member, "image", &pair->image));
        else if (member->part == PART_MASK)
            DF_TRY(take(finding, member, "mask", &pair->mask));
    }
    for (size_t i = 0; i < count; i++) {
        if (members[i].part != PART_PICTURE)
            continue;
        if (is_of_neither(&members[i], pair))
            note_unused(finding, &members[i]);
        else
            pictures[pictures[0] != NULL] = &members[i];
    }
    DF_TRY(settle_pictures(finding, pictures, pair));
    if (pair->image && !pair->mask)
        df_name_list_add(&finding->bare, "%s/%s", finding->shard, pair->image->name);
    if (pair->mask && !pair->image)
        df_name_list_add(&finding->lonely, "%s/%s", finding->shard, pair->mask->name);
    return 0;
}

static int compare_places(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return (x->image->at > y->image->at) - (x->image->at < y->image->at);
}

static int add_sample(struct finding *finding, const struct pair *pair)
{
    const char *name = pair->image->name;
    const int length = (int)pair->image->key_length;
    const char *file = df_path_name(name);

    DF_TRY(df_sample_add(finding->dataset, df_text_format("%.*s", length - (int)(file - name), file),
                         df_text_format("%s/%s", finding->shard, name),
                         df_text_format("%s/%s", finding->shard, pair->mask->name)));
    finding->dataset->samples[finding->dataset->count - 1].shard = finding->dataset->n_shards;
    return 0;
}

/* Samples in the order in which they lie. */
static int pair_all(struct finding *finding, const struct members *members)
{
    struct pair *pairs = calloc(members->count + 1, sizeof *pairs);
    size_t n_pairs = 0, end;
    int status = pairs ? 0 : df_error_memory("a shard's samples", members->count * sizeof *pairs);

    for (size_t i = 0; i < members->count && status == 0; i = end) {
        for (end = i + 1; end < members->count; end++) {
            if (compare_keys(&members->items[i], &members->items[end]) != 0)
                break;
        }
        status = pair_members(finding, &members->items[i], end - i, &pairs[n_pairs]);
        n_pairs += pairs[n_pairs].image && pairs[n_pairs].mask;
    }
    if (n_pairs > 0)
        qsort(pairs, n_pairs, sizeof *pairs, compare_places);
    for (size_t i = 0; i < n_pairs && status == 0; i++)
        status = add_sample(finding, &pairs[i]);
    free(pairs);
    return status;
}

static int read_shard(struct finding *finding)
{
    struct members members = {0};
    int status = df_archive_each(finding->shard, add_member, &members);

    if (members.count > 0)
        qsort(members.items, members.count, sizeof *members.items, compare_members);
    if (status == 0)
        status = pair_all(finding, &members);
    free_members(&members);
    finding->dataset->n_shards++;
    return status;
}

/* --- the whole --- */

static int check(const struct finding *finding, const char *root, bool tells)
{
    if (finding->bare.count + finding->lonely.count > 0)
        return df_error_set(
            "%zu of the samples have no mask%s%s, and %zu no image%s%s (parts of a sample have equal "
            "names up to the first dot: a.jpg and a.png)",
            finding->bare.count, finding->bare.count > 0 ? ": " : "", finding->bare.text,
            finding->lonely.count, finding->lonely.count > 0 ? ": " : "", finding->lonely.text);
    if (finding->n_unused > 0 && tells)
        df_log("%zu files of the samples in %s are neither image nor mask, and not used: %s",
               finding->n_unused, root, finding->unused.text);
    return finding->dataset->count > 0 ? 0 : df_error_set("the shards %s have no images", root);
}

static int read_shards(struct df_dataset *dataset, const struct df_shards *shards, const char *root,
                       bool tells)
{
    struct finding finding = {.dataset = dataset,
                              .bare.most = NAMED_AT_MOST,
                              .lonely.most = NAMED_AT_MOST,
                              .unused.most = NAMED_AT_MOST};

    for (size_t i = 0; i < shards->count; i++) {
        finding.shard = shards->paths[i];
        DF_TRY(read_shard(&finding));
    }
    return check(&finding, root, tells);
}

bool df_webdataset_found(const char *root)
{
    return df_shards_found(root);
}

int df_webdataset_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                       struct df_listing *listing)
{
    const char *name = df_part_words(options)[0];
    const bool tells = options->layout.tells;
    struct df_shards shards;
    int status = df_shards_find(options->root, df_part_words(options), tells, &shards);

    listing->divided = shards.divided;
    snprintf(listing->what, sizeof listing->what, "WebDataset's samples in %zu %s%sshard%s, %s", shards.count,
             shards.divided ? name : "", shards.divided ? " " : "", shards.count == 1 ? "" : "s",
             options->root);
    if (status == 0 && shards.count == 0)
        status = df_error_set("there are no shards of the split %s: %s", name, options->root);
    if (status == 0)
        status = read_shards(dataset, &shards, options->root, tells);
    df_shards_free(&shards);
    return status;
}

int df_webdataset_have(const struct df_dataset_options *options, enum df_split split, bool *has)
{
    struct df_shards shards;
    const int status = df_shards_find(options->root, df_words_of(options, split), false, &shards);

    *has = status == 0 && shards.count > 0;
    df_shards_free(&shards);
    return status;
}
