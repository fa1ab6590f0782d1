/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/flags.h"

#include <getopt.h>

static const struct option longs[] = {
    {"config", required_argument, 0, 'c'}, {"input", required_argument, 0, 'i'},
    {"filter", required_argument, 0, 'F'}, {"output", required_argument, 0, 'o'},
    {"prop", required_argument, 0, 'p'},   {"tag", required_argument, 0, 't'},
    {"match", required_argument, 0, 'm'},  {"parser", required_argument, 0, 'R'},
    {"flush", required_argument, 0, 'f'},  {"log_file", required_argument, 0, 'l'},
    {"dry-run", no_argument, 0, 'D'},      {"verbose", no_argument, 0, 'v'},
    {"quiet", no_argument, 0, 'q'},        {"version", no_argument, 0, 'V'},
    {"help", no_argument, 0, 'h'},         {0},
};

int flags_next(int argc, char **argv)
{
    return getopt_long(argc, argv, "c:i:F:o:p:t:m:R:f:l:DvqVh", longs, 0);
}
