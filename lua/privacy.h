/* SPDX-License-Identifier: Apache-2.0 */
/* The global table `weir`: what rules need of C.  filters/lua/README.md lists the functions. */
#pragma once
#include "lua/record.h"

/* key_dir: where the key of weir.hmac is kept; NULL: made anew at every start.  Read or made when first used. */
void privacy_open(struct bridge *b, const char *key_dir);
