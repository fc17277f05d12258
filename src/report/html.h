/* Web pages that are one file: one style sheet in the head, pictures and plots inside, no script, nothing
 * fetched, fit for a screen and for paper.
 *
 * Parts of a page are written to its stream; what fails there is reported when the page is done. Tags without
 * content of their own are written with fputs; text that comes from elsewhere only through df_html_text() or
 * the functions that take it. */
#ifndef DINOFT_REPORT_HTML_H
#define DINOFT_REPORT_HTML_H

#include "dinoft/facts.h"
#include "dinoft/legend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes what a page has below its title. -1 with the error set. */
typedef int df_html_writer(FILE *page, const void *content);

/* Writes a page atomically: the start up to its largest heading, the title; what `write` makes of the
 * content; the program's name and version. -1 with the error set, and no page. */
int df_html_write(const char *path, const char *title, df_html_writer *write, const void *content);

/* Text between tags or within the quotes of an attribute. It may hold anything: markup is escaped; control
 * characters, characters that turn the direction of writing, and bytes that are no UTF-8 become U+FFFD. */
void df_html_text(FILE *page, const char *text);

/* The heading of a section. */
void df_html_heading(FILE *page, const char *text);

/* A list of facts in their order; nothing without any. */
void df_html_facts(FILE *page, const struct df_fact *facts, size_t count);
/* One of a list that the caller writes. */
void df_html_fact(FILE *page, const char *name, const char *value);

/* A column of a table: numbers are set to the right. */
struct df_html_column {
    const char *name;
    bool numbers;
};

/* A table's caption (NULL: none) and header; rows follow. The first cell of a row is its df_html_row_begin()
 * name. */
void df_html_table_begin(FILE *page, const char *caption, const struct df_html_column *columns, size_t count);
void df_html_table_end(FILE *page);
void df_html_row_begin(FILE *page, const char *name);
void df_html_row_end(FILE *page);
void df_html_cell(FILE *page, const char *text);
/* A row that is a heading within the table, over `columns` columns. */
void df_html_group(FILE *page, const char *name, size_t columns);
/* With so many decimals; an en dash for NaN. */
void df_html_number(FILE *page, double value, int decimals);
/* 0 or more, its digits in groups of three. */
void df_html_count(FILE *page, int64_t count);

/* A picture within the page. type: "image/png". alternative: what it shows, for those who do not see it. */
void df_html_picture(FILE *page, const char *type, const void *bytes, size_t size, int64_t width,
                     int64_t height, const char *alternative);

/* The same with its caption below it, which says what it shows. */
void df_html_figure(FILE *page, const char *type, const void *bytes, size_t size, int64_t width,
                    int64_t height, const char *caption);

/* The legend of pictures: a list of the classes that they show, in the order of their numbers. */
void df_html_legend(FILE *page, const struct df_legend *legend);

#endif
