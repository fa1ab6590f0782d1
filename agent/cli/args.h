/* SPDX-License-Identifier: Apache-2.0 */
/* Fluent Bit's command line, as far as it has a meaning here, into a configuration. */
#pragma once
#include "conf/config.h"

struct args {
    struct tree *tree;    /* owned until args_config takes it */
    const char *file;     /* -c */
    const char *log_file; /* -l */
    int verbosity;        /* -v up, -q off: added to info */
    bool quiet, dry_run, help, version;
    bool any;    /* there was an -i, -F or -o */
    size_t last; /* its section: -R may have added others behind it */
    struct buf identity;
    char *real_path;
};

/* False: e says what; the text is for stderr. */
bool args_parse(struct args *a, int argc, char **argv, struct err *e);
/* The configuration of the file and the sections given by -i, -F, -o.  NULL: e. */
struct config *args_config(struct args *a, struct err *e);
void args_free(struct args *a);
void args_help(void);
