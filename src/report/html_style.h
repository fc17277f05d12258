/* The style sheet of every page. */
#ifndef DINOFT_REPORT_HTML_STYLE_H
#define DINOFT_REPORT_HTML_STYLE_H

extern const char html_style[];

#endif
