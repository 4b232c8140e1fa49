/*
 * ledger/audit_command.h - `anchorite-ledger --audit`: the audit of one node's
 * files (ledger/audit.h), as a command.
 *
 *     anchorite-ledger --audit --genesis F --database F [--json]
 *
 * The scratch ledger lies in a folder of its own below TMPDIR, else /tmp, and
 * is removed at the end, also after SIGINT and SIGTERM.
 */
#ifndef LEDGER_AUDIT_COMMAND_H
#define LEDGER_AUDIT_COMMAND_H

/* argv with or without --audit in front.  Returns the exit code: 0 everything
 * is as recomputed, 1 something is wrong, 2 wrong call or no such files, 3 the
 * audit could not be made. */
int audit_command(int argc, char **argv);

#endif
