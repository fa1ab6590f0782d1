/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one file per subcommand.  Each returns the process's exit status: 0 good, 1 the answer is no or
 * something failed, 2 the command line could not be understood. */
#pragma once
#include "conf/config.h"

int cli_main(int argc, char **argv, const char *version);

int cli_run(int argc, char **argv, const char *version);
int cli_check(int argc, char **argv, const char *version);
int cli_plugins(int argc, char **argv, const char *version);
int cli_ledger(int argc, char **argv, const char *version);
int cli_queue(int argc, char **argv, const char *version);
int cli_quarantine(int argc, char **argv, const char *version);

enum { EXIT_USAGE = 2 };
