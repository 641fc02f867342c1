/* Threads that share the parts of a parallel loop with the thread that calls. */
#ifndef CNNDSL_POOL_H
#define CNNDSL_POOL_H

#include <stdint.h>

/* Does part `task` of `tasks` of a job. */
typedef void part(void *job, uint32_t task, uint32_t tasks);

/* Has all parts of a job done, by this thread and by workers, and returns 1; 0, and nothing is done, while the workers
 * are busy with another job. There are at most 65535 parts. */
int pool_run(part *run, void *job, uint32_t tasks);

/* Forgets the workers: they are not in the copy that a fork makes. */
void pool_forget(void);

#endif
