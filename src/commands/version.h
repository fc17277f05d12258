/* dinoft --version --verbose */
#ifndef DINOFT_COMMANDS_VERSION_H
#define DINOFT_COMMANDS_VERSION_H

#include <stdio.h>

/* What a report of a fault should say of the program, the libraries that it has loaded and the machine
 * (dinoft/facts.h). */
void print_facts(FILE *stream);

#endif
