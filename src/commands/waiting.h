/* How threads wait for each other. */
#ifndef DINOFT_WAITING_H
#define DINOFT_WAITING_H

/* Has the OpenMP runtime put waiting threads to sleep after a fraction of a millisecond. GNU's spins for up
 * to 16 ms at every barrier, so that beside one other busy process, whose turn it takes, a training step on
 * two cores was eight times as long. The runtime reads its settings before main() begins: the program starts
 * itself again, with the words that were typed and the variable set, unless it is set already (by the user:
 * GOMP_SPINCOUNT or OMP_WAIT_POLICY); where it cannot, nothing changes. A second start takes milliseconds and
 * loses what was done before it: to be called first by what computes, and by nothing else. */
void df_wait_shortly(char **typed);

#endif
