/* Golden tensors of tests/fixtures: reading them, and comparing with what the program computes. */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include "dinoft/state.h"

/* fixtures/NAME in the folder of the test program, to which CMake links tests/fixtures: a program that is
 * moved with its folder finds them. A static buffer of four, so that a few can be in use at once. */
const char *fixture_path(const char *name);

/* A fixture that must be readable: the test fails otherwise. */
struct df_state *fixture_read(const char *name);

/* A float32 tensor of the state, which must be there; its dimensions through the state. */
const float *golden_floats(const struct df_state *state, const char *name);
const struct df_tensor *golden_tensor(const struct df_state *state, const char *name);

/* Largest |a - b| divided by the largest |b|. */
double relative_error(const float *a, const float *b, size_t count);

/* a . b / (|a| |b|): how far the directions agree. */
double cosine_similarity(const float *a, const float *b, size_t count);

/* Fails the test, naming what, when the relative error exceeds the tolerance. */
void assert_close(const char *what, const float *a, const float *b, size_t count, double tolerance);

#endif
