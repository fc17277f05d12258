/* Classes that are put together, and classes that are left out. */
#include "class_table.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

#define MERGED  "the classes that are merged"
#define IGNORED "the classes that are ignored"

/* Where each class goes. */
struct plan {
    struct df_class_table *table;
    bool named[DF_MAX_CLASSES];   /* it is in a list */
    bool ignored[DF_MAX_CLASSES]; /* its pixels do not count */
    int first[DF_MAX_CLASSES];    /* the lowest class of those that it is put together with: its own number */
    char *renamed[DF_MAX_CLASSES]; /* what it is called then; NULL: as before */
};

static int unknown(const struct plan *plan, const char *word)
{
    const char *names[DF_MAX_CLASSES];

    for (int i = 0; i < plan->table->count; i++)
        names[i] = plan->table->classes[i].name;
    const int near = df_text_nearest(word, names, plan->table->count);
    df_error_set("'%.100s' is none of the %d classes, neither by name nor by number", word,
                 plan->table->count);
    return near < 0 ? -1 : df_error_advise(" (there is '%s')", names[near]);
}

/* The class of a name or, where no name is so, of a number. */
static int find(const struct plan *plan, const char *word, int *class)
{
    const size_t digits = strspn(word, "0123456789");

    for (*class = 0; *class < plan->table->count; ++*class) {
        if (strcmp(plan->table->classes[*class].name, word) == 0)
            return 0;
    }
    if (digits == 0 || digits > 3 || word[digits] != '\0')
        return unknown(plan, word);
    *class = atoi(word);
    return *class < plan->table->count ? 0 : unknown(plan, word);
}

/* The class of a word, which must not be in a list yet. */
static int take(struct plan *plan, const char *word, int *class)
{
    DF_TRY(find(plan, word, class));
    if (plan->named[*class])
        return df_error_set("the class '%s' is listed twice", plan->table->classes[*class].name);
    plan->named[*class] = true;
    return 0;
}

/* The next word of *rest, a text that is cut at any of the separators; *found: the one behind it. */
static char *next_word(char **rest, const char *separators, char *found)
{
    char *word = *rest;
    const size_t length = strcspn(word, separators);

    *found = word[length];
    word[length] = '\0';
    *rest = word + length + (*found != '\0');
    return word;
}

/* "a+b+c=name", of which the name may be missing: that of the first class is it then. */
static int merge_group(struct plan *plan, char **rest, char *behind)
{
    int classes[DF_MAX_CLASSES], count = 0, lowest = DF_MAX_CLASSES;

    do {
        DF_TRY(take(plan, next_word(rest, "+=,", behind), &classes[count]));
        lowest = classes[count] < lowest ? classes[count] : lowest;
        count++;
    } while (*behind == '+');
    const char *name = plan->table->classes[classes[0]].name;
    if (*behind == '=')
        name = next_word(rest, ",", behind);
    else if (count == 1)
        return df_error_set("nothing is merged with '%s': expected NAME+NAME+...=NAME", name);
    if (!*name)
        return df_error_set("a name is missing behind '='");
    for (int i = 0; i < count; i++)
        plan->first[classes[i]] = lowest;
    plan->renamed[lowest] = df_text_copy(name);
    return plan->renamed[lowest] ? 0 : -1;
}

static int read_merged(struct plan *plan, char *text)
{
    char behind;

    do
        DF_TRY(merge_group(plan, &text, &behind));
    while (behind == ',');
    return 0;
}

static int read_ignored(struct plan *plan, char *text)
{
    char behind;
    int class;

    do {
        DF_TRY(take(plan, next_word(&text, ",", &behind), &class));
        plan->ignored[class] = true;
    } while (behind == ',');
    return 0;
}

/* Reads a list, which names classes as they are in the table. */
static int read_list(struct plan *plan, const char *text, int (*read)(struct plan *plan, char *text),
                     const char *what)
{
    char *copy = text ? df_text_copy(text) : NULL;
    int status = 0;

    if (text)
        status = copy ? read(plan, copy) : -1;
    free(copy);
    return status == 0 ? 0 : df_error_context("%s", what);
}

/* In the order of labels, those of one as they stood. */
static int sort_values(struct df_mask_values *values)
{
    struct df_mask_value *sorted = malloc((values->n_items + 1) * sizeof *sorted);
    size_t count = 0;

    if (!sorted)
        return df_error_memory("the values of masks", values->n_items * sizeof *sorted);
    for (int label = 0; label <= DF_IGNORE_LABEL; label++) {
        for (size_t i = 0; i < values->n_items; i++) {
            if (values->items[i].label == label)
                sorted[count++] = values->items[i];
        }
    }
    memcpy(values->items, sorted, count * sizeof *sorted);
    free(sorted);
    return 0;
}

static const char *new_name(const struct plan *plan, int class)
{
    return plan->renamed[class] ? plan->renamed[class] : plan->table->classes[class].name;
}

/* A merged class may be called as one that goes, but not as another one that stays. */
static int check_names(const struct plan *plan)
{
    for (int i = 0; i < plan->table->count; i++) {
        for (int j = 0; plan->renamed[i] && j < plan->table->count; j++) {
            if (j != i && plan->first[j] == j && !plan->ignored[j] &&
                strcmp(new_name(plan, i), new_name(plan, j)) == 0)
                return df_error_set(MERGED ": two of them would be called '%s': a class that joins another "
                                           "one is listed with it",
                                    plan->renamed[i]);
        }
    }
    return 0;
}

/* Once all lists are read, which call the classes as they were. */
static void rename_all(struct plan *plan)
{
    for (int i = 0; i < plan->table->count; i++) {
        if (!plan->renamed[i])
            continue;
        free(plan->table->classes[i].name);
        plan->table->classes[i].name = plan->renamed[i];
        plan->renamed[i] = NULL;
    }
}

static int renumber(struct plan *plan)
{
    struct df_class_table *table = plan->table;
    int labels[DF_IGNORE_LABEL + 1], count = 0;

    for (int i = 0; i < table->count; i++) {
        if (plan->ignored[i] || plan->first[i] != i) {
            labels[i] = plan->ignored[i] ? DF_IGNORE_LABEL : labels[plan->first[i]];
            free(table->classes[i].name);
            continue;
        }
        labels[i] = count;
        table->classes[count++] = table->classes[i];
    }
    table->count = count;
    table->values.count = count;
    labels[DF_IGNORE_LABEL] = DF_IGNORE_LABEL;
    for (size_t i = 0; i < table->values.n_items; i++)
        table->values.items[i].label = labels[table->values.items[i].label];
    if (count == 0)
        return df_error_set("no class is left");
    return sort_values(&table->values);
}

static int merge(struct plan *plan, const char *merged, const char *ignored)
{
    DF_TRY(read_list(plan, ignored, read_ignored, IGNORED));
    DF_TRY(read_list(plan, merged, read_merged, MERGED));
    DF_TRY(check_names(plan));
    rename_all(plan);
    return renumber(plan);
}

int df_class_table_merge(struct df_class_table *table, const char *merged, const char *ignored)
{
    struct plan plan = {.table = table};

    if (!merged && !ignored)
        return 0;
    for (int i = 0; i < table->count; i++)
        plan.first[i] = i;
    const int status = merge(&plan, merged, ignored);
    for (int i = 0; i < DF_MAX_CLASSES; i++)
        free(plan.renamed[i]);
    return status;
}
