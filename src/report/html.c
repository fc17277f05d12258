#include "html.h"

#include "html_style.h"

#include "dinoft/atomic_write.h"
#include "dinoft/text.h"
#include "dinoft/version.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Characters that a browser should not get: controls and noncharacters, which HTML forbids, and those that
 * reverse the text after them, with which a file's name could pass for another. */
static bool is_unfit(uint32_t code)
{
    const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    const bool turns = code == 0x200e || code == 0x200f || code == 0x61c ||
                       (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    const bool separates_lines = code == 0x2028 || code == 0x2029;
    const bool nothing = (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe;
    return control || turns || separates_lines || nothing;
}

static const char *entity(uint32_t code)
{
    switch (code) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return is_unfit(code) ? REPLACEMENT : NULL;
    }
}

void df_html_text(FILE *page, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        uint32_t code;
        size_t length = df_text_code_point(text, left, &code);
        const char *instead = length > 0 ? entity(code) : REPLACEMENT;
        if (length == 0)
            length = 1;
        if (instead)
            fputs(instead, page);
        else
            fwrite(text, 1, length, page);
        text += length;
        left -= length;
    }
}

static void begin(FILE *page, const char *title)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          /* The browser, too, is told that nothing may be run or fetched. */
          "<meta http-equiv=\"Content-Security-Policy\" "
          "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          page);
    df_html_text(page, title);
    fputs("</title>\n<style>\n", page);
    fputs(html_style, page);
    fputs("</style>\n</head>\n<body>\n<h1>", page);
    df_html_text(page, title);
    fputs("</h1>\n", page);
}

int df_html_write(const char *path, const char *title, df_html_writer *write, const void *content)
{
    struct df_atomic_file *file = df_atomic_open(path);

    if (!file)
        return -1;
    FILE *page = df_atomic_stream(file);
    begin(page, title);
    if (write(page, content) != 0) {
        df_atomic_abort(file);
        return -1;
    }
    fputs("<footer>dinoft " DINOFT_VERSION "</footer>\n</body>\n</html>\n", page);
    return df_atomic_commit(file);
}

void df_html_heading(FILE *page, const char *text)
{
    fputs("<h2>", page);
    df_html_text(page, text);
    fputs("</h2>\n", page);
}

void df_html_fact(FILE *page, const char *name, const char *value)
{
    fputs("<dt>", page);
    df_html_text(page, name);
    fputs("</dt><dd>", page);
    df_html_text(page, value);
    fputs("</dd>\n", page);
}

void df_html_facts(FILE *page, const struct df_fact *facts, size_t count)
{
    if (count == 0)
        return;
    fputs("<dl>\n", page);
    for (size_t i = 0; i < count; i++)
        df_html_fact(page, facts[i].name, facts[i].value);
    fputs("</dl>\n", page);
}

void df_html_table_begin(FILE *page, const char *caption, const struct df_html_column *columns, size_t count)
{
    fputs("<table>\n", page);
    if (caption) {
        fputs("<caption>", page);
        df_html_text(page, caption);
        fputs("</caption>\n", page);
    }
    fputs("<thead><tr>", page);
    for (size_t i = 0; i < count; i++) {
        fputs(columns[i].numbers ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">", page);
        df_html_text(page, columns[i].name);
        fputs("</th>", page);
    }
    fputs("</tr></thead>\n<tbody>\n", page);
}

void df_html_table_end(FILE *page)
{
    fputs("</tbody>\n</table>\n", page);
}

void df_html_row_begin(FILE *page, const char *name)
{
    fputs("<tr><th scope=\"row\">", page);
    df_html_text(page, name);
    fputs("</th>", page);
}

void df_html_row_end(FILE *page)
{
    fputs("</tr>\n", page);
}

void df_html_cell(FILE *page, const char *text)
{
    fputs("<td>", page);
    df_html_text(page, text);
    fputs("</td>", page);
}

void df_html_group(FILE *page, const char *name, size_t columns)
{
    fprintf(page, "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"%zu\">", columns);
    df_html_text(page, name);
    fputs("</th></tr>\n", page);
}

void df_html_number(FILE *page, double value, int decimals)
{
    if (isnan(value))
        fputs("<td class=\"n\">\xe2\x80\x93</td>", page);
    else
        fprintf(page, "<td class=\"n\">%.*f</td>", decimals, value);
}

void df_html_count(FILE *page, int64_t count)
{
    char digits[32];
    const int length = snprintf(digits, sizeof digits, "%" PRId64, count);

    fputs("<td class=\"n\">", page);
    for (int i = 0; i < length; i++) {
        putc(digits[i], page);
        if (i + 1 < length && (length - 1 - i) % 3 == 0)
            fputs("\xe2\x80\xaf", page); /* a narrow space that does not break */
    }
    fputs("</td>", page);
}
