/* SPDX-License-Identifier: Apache-2.0 */
/* The admin port: Fluent Bit's monitoring paths, /ledger, and the control socket for the commands.  On the main loop.
 */
#pragma once
#include "conf/config.h"

struct admin;
struct pipeline;
struct loop;

struct admin *admin_start(struct loop *loop, struct pipeline *p, const char *version, struct err *e);
int admin_port(const struct admin *a); /* 0: http_server is off */
void admin_stop(struct admin *a);

/* The path of the control socket below a store; NULL where there is no store. */
char *admin_socket_path(const char *store_dir);
