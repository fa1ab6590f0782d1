/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include "base/io.h"
#include "event/json.h"
#include "event/time.h"
#include "plugin.h"

#include <unistd.h>

enum format { FORMAT_MSGPACK, FORMAT_JSON, FORMAT_JSON_LINES, FORMAT_JSON_STREAM };
enum { CHUNK = 256 << 10 }; /* written when this much has gathered */

struct output_stdout {
    struct instance instance;
    int format, json_date_format;
    struct str json_date_key;
    struct buf out;
};

static const char *const format_names[] = {"msgpack", "json", "json_lines", "json_stream", NULL};
static const struct option options[] = {
    OPT(struct output_stdout, OPT_ENUM, format, "msgpack", "How events are shown.", .names = format_names),
    OPT(struct output_stdout, OPT_STR, json_date_key, "date",
        "The key under which JSON carries the event's time; "
        "`false` leaves it out."),
    OPT(struct output_stdout, OPT_ENUM, json_date_format, "double", "How that time is written.",
        .names = json_date_names),
    OPT_END};

static bool stdout_start(void *self, struct err *e)
{
    struct output_stdout *s = self;

    (void)e;
    if (str_eq_fold(s->json_date_key, STR("false")) || str_eq_fold(s->json_date_key, STR("off")))
        s->json_date_key = STR("");
    return true;
}

static void stdout_stop(void *self)
{
    struct output_stdout *s = self;

    buf_free(&s->out);
}

static void put_event(struct output_stdout *s, uint32_t i, struct event *ev)
{
    if (s->format == FORMAT_MSGPACK) {
        text_write(&s->out, i, ev);
        return;
    }
    if (s->format == FORMAT_JSON)
        buf_char(&s->out, i ? ',' : '[');
    event_write_json(&s->out, ev, s->json_date_key, (enum json_date)s->json_date_format);
    if (s->format == FORMAT_JSON_LINES)
        buf_char(&s->out, '\n');
}

static bool put_out(struct output_stdout *s, struct err *e)
{
    if (s->out.n && io_write_all(STDOUT_FILENO, s->out.p, s->out.n) < 0)
        return err_errno(e, "cannot write to the standard output");
    buf_clear(&s->out);
    return true;
}

/* The standard output cannot be cut back: what failed half way is shown again from the start. */
static enum verdict stdout_write(void *self, struct delivery *d, struct err *e)
{
    struct output_stdout *s = self;
    struct event ev;
    uint32_t i = 0;

    buf_clear(&s->out);
    for (; delivery_next(d, &ev); i++) {
        put_event(s, i, &ev);
        if (s->out.n >= CHUNK && !put_out(s, e))
            return RETRY;
    }
    if (i && s->format == FORMAT_JSON)
        buf_char(&s->out, ']');
    if (i && (s->format == FORMAT_JSON || s->format == FORMAT_JSON_STREAM))
        buf_char(&s->out, '\n');
    return put_out(s, e) ? DONE : RETRY;
}

static const struct output output = {.start = stdout_start, .stop = stdout_stop, .write = stdout_write};
const struct plugin output_stdout = {.name = "stdout",
                                     .summary = "Shows events on the standard output.",
                                     .options = options,
                                     .size = sizeof(struct output_stdout),
                                     .output = &output};
