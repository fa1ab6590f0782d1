/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's own log: a fixed message, then key and value pairs, as logfmt or JSON on stderr or in a file.  The same
 * message is written at most once a second; what was held back is counted in the next one.  Any thread. */
#pragma once
#include "base/err.h"

enum log_level { LOG_OFF, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* path NULL: stderr.  Called again it re-opens (after a rotation). */
bool log_setup(enum log_level level, const char *path, bool json, struct err *e);
enum log_level log_level(void);

/* log_event(LOG_WARN, "output retry", "output", name, "why", e.text, NULL): values are C strings; control characters
 * are escaped. */
void log_event(enum log_level level, const char *message, ...) __attribute__((sentinel));

#define log_error(...) log_event(LOG_ERROR, __VA_ARGS__, NULL)
#define log_warn(...) log_event(LOG_WARN, __VA_ARGS__, NULL)
#define log_info(...) log_event(LOG_INFO, __VA_ARGS__, NULL)
#define log_debug(...)                               \
    do {                                             \
        if (log_level() >= LOG_DEBUG)                \
            log_event(LOG_DEBUG, __VA_ARGS__, NULL); \
    } while (0)

/* A number as a value: log_info("listening", "port", log_num(port)); valid until the same thread's 8th next call. */
const char *log_num(long long n);
