/* SPDX-License-Identifier: Apache-2.0 */
/* getopt_long in a file of its own: its struct option is not ours. */
#pragma once

/* The next flag's letter, its argument in optarg; -1 at the end, '?' for what is unknown (already said on stderr). */
int flags_next(int argc, char **argv);
