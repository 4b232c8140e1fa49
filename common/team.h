/*
 * common/team.h - several threads that do one thing together, once.
 *
 *     team_run(threads, member, context);
 *
 * calls member(context, 0) to member(context, threads - 1), the first one in
 * the caller's thread, and returns when all have.  The members share the work
 * among themselves (common/turn.h), so that fewer of them take longer but do
 * all of it: a thread that the system does not give is done without.
 */
#ifndef COMMON_TEAM_H
#define COMMON_TEAM_H

void team_run(unsigned threads, void (*member)(void *context, unsigned index),
              void *context);

#endif
