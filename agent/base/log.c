/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/io.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { RECENT = 64 };

static struct {
    pthread_mutex_t lock;
    _Atomic int level;
    int fd;
    bool json;
    struct recent {
        uint64_t hash;
        int64_t at;
        unsigned held;
    } recent[RECENT];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO, .fd = 2};

static const char *const names[] = {"off", "error", "warn", "info", "debug", "trace"};

bool log_setup(enum log_level level, const char *path, bool json, struct err *e)
{
    int fd = 2;

    if (path && (fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640)) < 0)
        return err_errno(e, "cannot open the log file %s", path);
    pthread_mutex_lock(&state.lock);
    if (state.fd > 2)
        close(state.fd);
    state.fd = fd;
    state.json = json;
    state.level = (int)level;
    pthread_mutex_unlock(&state.lock);
    return true;
}

enum log_level log_level(void)
{
    return (enum log_level)state.level;
}

static void quoted(struct buf *out, const char *s)
{
    buf_char(out, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            buf_fmt(out, "\\%c", c);
        else if (c == '\n')
            buf_str(out, STR("\\n"));
        else if (c < 0x20 || c == 0x7f)
            buf_fmt(out, "\\u%04x", c);
        else
            buf_char(out, (char)c);
    }
    buf_char(out, '"');
}

static void pair(struct buf *out, const char *key, const char *value)
{
    bool plain = *value != 0;

    if (state.json) {
        buf_fmt(out, ",\"%s\":", key);
        quoted(out, value);
        return;
    }
    for (const char *s = value; *s; s++)
        plain &= *s > ' ' && *s != '"' && *s != '=' && *s != '\\' && *s != 0x7f;
    buf_fmt(out, " %s=", key);
    if (plain)
        buf_str(out, str_of(value));
    else
        quoted(out, value);
}

static void stamp(struct buf *out, enum log_level level, const char *message)
{
    int64_t now = io->wall();
    time_t seconds = (time_t)(now / SECOND);
    struct tm tm;
    char text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (state.json)
        buf_fmt(out, "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"msg\":", text, (int)(now / MILLISECOND % 1000),
                names[level]);
    else
        buf_fmt(out, "%s.%03dZ %s ", text, (int)(now / MILLISECOND % 1000), names[level]);
    if (state.json)
        quoted(out, message);
    else
        buf_str(out, str_of(message));
}

/* False: the same message went out less than a second ago.  *held: how many were kept back since. */
static bool admit(const char *message, struct str pairs, unsigned *held)
{
    uint64_t hash = hash_64(pairs, &(struct id){hash_bytes(str_of(message)), 1});
    struct recent *slot = &state.recent[hash % RECENT];
    int64_t now = io->monotonic();

    if (slot->hash == hash && now - slot->at < SECOND) {
        slot->held++;
        return false;
    }
    *held = slot->hash == hash ? slot->held : 0;
    *slot = (struct recent){hash, now, 0};
    return true;
}

void log_event(enum log_level level, const char *message, ...)
{
    CLEANUP(buf_free) struct buf body = {0}, line = {0};
    const char *key;
    unsigned held = 0;
    va_list args;

    if ((int)level > state.level)
        return;
    va_start(args, message);
    while ((key = va_arg(args, const char *))) {
        const char *value = va_arg(args, const char *);
        pair(&body, key, value ? value : "");
    }
    va_end(args);
    stamp(&line, level, message);
    pthread_mutex_lock(&state.lock);
    buf_str(&line, buf_view(&body));
    if (level == LOG_DEBUG || level == LOG_TRACE || admit(message, buf_view(&body), &held)) {
        if (held)
            pair(&line, "suppressed", log_num(held));
        buf_str(&line, state.json ? STR("}\n") : STR("\n"));
        if (write(state.fd, line.p, line.n) < 0) {
            /* nowhere left to say so */
        }
    }
    pthread_mutex_unlock(&state.lock);
}

const char *log_num(long long n)
{
    static _Thread_local char text[8][24];
    static _Thread_local unsigned next;
    char *slot = text[next++ % 8];

    snprintf(slot, sizeof text[0], "%lld", n);
    return slot;
}
