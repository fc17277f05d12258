/* The pieces that every manual page is made of. */
#include "manual.h"

#include "option_text.h"
#include "roff.h"

#define EXAMPLE_WIDTH 70 /* fits into 80 columns behind the page's margin */

void df_manual_section(FILE *stream, const char *title)
{
    fprintf(stream, ".SH %s\n", title);
}

void df_manual_entry(FILE *stream, const char *syntax, const char *text)
{
    fprintf(stream, ".TP\n");
    df_roff_syntax(stream, syntax);
    fputc('\n', stream);
    df_roff_sentences(stream, text);
}

static void print_example(FILE *stream, const char *line)
{
    size_t length = df_line_break(line, EXAMPLE_WIDTH);
    char part[DF_OPTION_TEXT_MAX];
    snprintf(part, sizeof part, "%.*s", (int)length, line);
    df_roff_text(stream, part);
    for (line += length; *line; line += length) {
        line++; /* the space */
        length = df_line_break(line, EXAMPLE_WIDTH - 4);
        snprintf(part, sizeof part, "%.*s", (int)length, line);
        fprintf(stream, " \\e\n    ");
        df_roff_text(stream, part);
    }
    fputc('\n', stream);
}

void df_manual_examples(FILE *stream, const char *const *examples)
{
    df_manual_section(stream, "EXAMPLES");
    for (int i = 0; examples[i]; i++) {
        fputs(i > 0 ? ".PP\n.nf\n" : ".nf\n", stream);
        print_example(stream, examples[i]);
        fprintf(stream, ".fi\n");
    }
}
