/* SPDX-License-Identifier: Apache-2.0 */
/* Opening files below a directory that nothing leads out of: no "..", no absolute name, no symbolic link.  `rel` is a
 * NUL-terminated relative path.  Calls return -1 with errno as system calls do. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

int beneath_open(int root, const char *rel, int flags, mode_t mode);
/* Makes the directories above the last component, each made durable in its parent. */
int beneath_mkdirs(int root, const char *rel);
/* The directory that holds the last component, opened for reading; *leaf points into rel. */
int beneath_parent(int root, const char *rel, const char **leaf);
/* Never over an existing file (EEXIST). */
int beneath_rename(int root, const char *from, const char *to);
/* For the test: the way without openat2. */
int beneath_walk(int root, const char *rel, int flags, mode_t mode);
