/* SPDX-License-Identifier: Apache-2.0 */
/* [SERVICE]: Fluent Bit's keys, and those of the durable store. */
#include "conf/config_internal.h"

#include "base/io.h"
#include "base/log.h"

static const char *const levels[] = {[LOG_OFF] = "off",     [LOG_ERROR] = "error", [LOG_WARN] = "warn|warning",
                                     [LOG_INFO] = "info",   [LOG_DEBUG] = "debug", [LOG_TRACE] = "trace",
                                     [LOG_TRACE + 1] = NULL};
static const char *const log_formats[] = {"logfmt", "json", NULL};
static const char *const storage_types[] = {
    [STORAGE_FILESYSTEM] = "filesystem", [STORAGE_MEMORY] = "memory|memrb", NULL};
static const char *const durabilities[] = {
    [DURABILITY_DISK] = "disk", [DURABILITY_OS] = "os", [DURABILITY_MEMORY] = "memory", NULL};

static const struct range flush_range = {MILLISECOND, 3600 * SECOND}, grace_range = {0, 3600 * SECOND},
                          port_range = {0, 65535}, count_range = {0, INT64_MAX}, period_range = {1, 86400 * 30},
                          limit_range = {16 * 1000 * 1000, INT64_MAX}, segment_range = {1000 * 1000, INT64_C(1) << 30},
                          delay_range = {0, 5 * MILLISECOND}, window_range = {0, 7 * 86400 * SECOND},
                          ids_range = {0, 100 * 1000 * 1000}, keep_range = {0, 3650 * 86400 * SECOND},
                          size_range = {0, INT64_MAX}, retry_range = {10 * MILLISECOND, 86400 * SECOND};

#define FIELD(type, field, initial, help, ...) OPT(struct service, type, field, initial, help, ##__VA_ARGS__)
#define NAMED(type, name, field, initial, help, ...) \
    OPT_AS(struct service, type, name, field, initial, help, ##__VA_ARGS__)

/* The files are read before the table is: service_files(). */
static const struct option files_options[] = {OPT_NONE("parsers_file"), OPT_NONE("plugins_file"),
                                              OPT_NONE("streams_file"), OPT_END};

static const struct option ignored_options[] = {OPT_NONE("flush.adaptive"),
                                                OPT_NONE("flush.adaptive.min_interval"),
                                                OPT_NONE("flush.adaptive.max_interval"),
                                                OPT_NONE("flush.adaptive.low_pressure"),
                                                OPT_NONE("flush.adaptive.medium_pressure"),
                                                OPT_NONE("flush.adaptive.high_pressure"),
                                                OPT_NONE("flush.adaptive.up_steps"),
                                                OPT_NONE("flush.adaptive.down_steps"),
                                                OPT_NONE("json.convert_nan_to_null"),
                                                OPT_NONE("json.escape_unicode"),
                                                OPT_NONE("security.fips_mode"),
                                                OPT_NONE("sp.convert_from_str_to_num"),
                                                OPT_NONE("dns.mode"),
                                                OPT_NONE("dns.resolver"),
                                                OPT_NONE("dns.prefer_ipv4"),
                                                OPT_NONE("dns.prefer_ipv6"),
                                                OPT_NONE("storage.sync"),
                                                OPT_NONE("storage.metrics"),
                                                OPT_NONE("storage.checksum"),
                                                OPT_NONE("storage.backlog.mem_limit"),
                                                OPT_NONE("storage.backlog.flush_on_shutdown"),
                                                OPT_NONE("storage.max_chunks_up"),
                                                OPT_NONE("storage.delete_irrecoverable_chunks"),
                                                OPT_NONE("storage.trim_files"),
                                                OPT_NONE("storage.inherit"),
                                                OPT_NONE("storage.keep.rejected"),
                                                OPT_NONE("storage.rejected.path"),
                                                OPT_NONE("storage.rejected.limit"),
                                                OPT_NONE("coro_stack_size"),
                                                OPT_NONE("multiline_buffer_limit"),
                                                OPT_NONE("enable_chunk_trace"),
                                                OPT_NONE("hot_reload"),
                                                OPT_NONE("hot_reload.ensure_thread_safety"),
                                                OPT_NONE("hot_reload.timeout"),
                                                OPT_NONE("windows.maxstdio"),
                                                OPT_NONE("telemetry"),
                                                OPT_NONE("telemetry.metrics.logs.tag_records.enabled"),
                                                OPT_NONE("telemetry.metrics.logs.tag_records.max_series"),
                                                OPT_NONE("telemetry.metrics.logs.tag_records.max_tag_length"),
                                                OPT_END};

const struct option service_options[] = {
    FIELD(OPT_DURATION, flush, "1", "Accepted for Fluent Bit's sake: outputs are sent to when there is work.",
          .range = &flush_range),
    FIELD(OPT_DURATION, grace, "5", "How long the outputs may take when the agent ends.", .range = &grace_range),
    FIELD(OPT_BOOL, daemon, "off", "Go to the background."),
    FIELD(OPT_PATH, log_file, NULL, "The agent's own log; standard error where unset."),
    FIELD(OPT_ENUM, log_level, "info", "How much the agent says.", .names = levels),
    FIELD(OPT_ENUM, log_format, "logfmt", "How the agent's own log is written.", .names = log_formats),
    FIELD(OPT_BOOL, http_server, "on", "The admin port: health, metrics and the ledger."),
    FIELD(OPT_STR, http_listen, "127.0.0.1", "The address of the admin port."),
    FIELD(OPT_INT, http_port, "2020", "The admin port; 0 takes any that is free.", .range = &port_range),
    FIELD(OPT_BOOL, health_check, "off", "Whether /api/v1/health judges the error counts."),
    FIELD(OPT_INT, hc_errors_count, "5", "Output errors in a period that make it unhealthy.", .range = &count_range),
    FIELD(OPT_INT, hc_retry_failure_count, "5", "Failed retries in a period that make it unhealthy.",
          .range = &count_range),
    FIELD(OPT_INT, hc_period, "60", "The period in seconds.", .range = &period_range),
    NAMED(OPT_PATH, "storage.path", storage_path, NULL,
          "The directory of the durable store; $STATE_DIRECTORY or one below $XDG_STATE_HOME where unset."),
    NAMED(OPT_ENUM, "storage.type", storage_type, "filesystem",
          "memory keeps nothing on disk: what was acknowledged dies with the agent.", .names = storage_types),
    NAMED(OPT_ENUM, "storage.durability", durability, "disk",
          "What an acknowledgement means: on disk, in the kernel (survives a crash of the agent), or in memory.",
          .names = durabilities),
    NAMED(OPT_SIZE, "storage.total_limit_size", storage_limit, "10G", "The log's size at which inputs are refused.",
          .range = &limit_range),
    NAMED(OPT_SIZE, "storage.segment_size", segment_size, "64MiB", "The size of one file of the log.",
          .range = &segment_range),
    NAMED(OPT_DURATION, "storage.commit_delay", commit_delay, "0",
          "How long a commit may wait for others to share its sync.", .range = &delay_range),
    NAMED(OPT_DURATION, "dedup.window", dedup_window, "10m", "How long an event id is remembered.",
          .range = &window_range),
    NAMED(OPT_INT, "dedup.ids", dedup_ids, "1000000", "How many event ids are remembered.", .range = &ids_range),
    NAMED(OPT_BOOL, "quarantine.raw", quarantine_raw, "on", "Keep the bytes of quarantined events, encrypted."),
    NAMED(OPT_DURATION, "quarantine.keep", quarantine_keep, "7d", "How long quarantined events are kept.",
          .range = &keep_range),
    NAMED(OPT_SIZE, "quarantine.limit_size", quarantine_limit, "1G",
          "How much of them is kept; beyond, they wait in the log.", .range = &size_range),
    NAMED(OPT_PATH, "quarantine.key_file", quarantine_key_file, NULL,
          "The key; made at the first start, beside the store, where unset."),
    NAMED(OPT_DURATION, "scheduler.base", scheduler_base, "500ms", "The first wait before a retry.",
          .range = &retry_range),
    NAMED(OPT_DURATION, "scheduler.cap", scheduler_cap, "60", "The longest wait before a retry.",
          .range = &retry_range),
    {.name = "", .group = files_options},
    {.name = "", .group = ignored_options},
    OPT_END,
};

/* Several [SERVICE] sections count as one, the later keys winning. */
static const struct section *merged(struct config *c, struct err *e)
{
    struct tree *t = c->tree;
    struct section *all = NULL;

    for (size_t i = 0; i < t->n; i++) {
        const struct section *s = &t->sections[i];
        if (!str_eq(s->kind, STR("service")))
            continue;
        if (!all && !(all = section_loose(t, STR("service"), &s->place, e)))
            return NULL;
        for (size_t p = 0; p < s->n; p++) {
            struct prop *copy = section_add(t, all, s->props[p].name, s->props[p].value, &s->props[p].place, e);
            if (!copy)
                return NULL;
            copy->items = s->props[p].items;
            copy->map = s->props[p].map;
        }
    }
    return all ? all : section_loose(t, STR("service"), &(struct place){"command line", 0, 0}, e);
}

static void note_ignored(void *arg, const struct prop *p)
{
    struct config *c = arg;

    for (size_t i = 0; files_options[i].name; i++)
        if (str_eq_fold(p->name, str_of(files_options[i].name)))
            return;
    config_note(c, "%s:%u:%u: `" STR_FMT "` has no meaning here", p->place.file, p->place.line, p->place.column,
                STR_ARG(p->name));
}

static bool check_service(const struct service *s, const struct section *from, struct err *e)
{
    if (s->scheduler_cap < s->scheduler_base)
        return place_err(options_place(from, "scheduler.cap"), e, "`scheduler.cap` is less than `scheduler.base`");
    if (s->segment_size * 4 > s->storage_limit)
        return place_err(options_place(from, "storage.segment_size"), e,
                         "`storage.segment_size` is more than a quarter of `storage.total_limit_size`");
    if (s->durability == DURABILITY_MEMORY && section_prop(from, "storage.path"))
        return place_err(options_place(from, "storage.durability"), e,
                         "`storage.durability memory` keeps nothing; drop `storage.path`, or choose disk or os");
    return true;
}

bool service_load(struct config *c, struct err *e)
{
    const struct section *s = merged(c, e);
    const struct option *const tables[] = {service_options, NULL};

    if (!s || !options_load(tables, (void *const[]){&c->service}, s, e) || !check_service(&c->service, s, e))
        return false;
    options_ignored(tables, s, note_ignored, c);
    return true;
}

void service_free(struct config *c)
{
    options_free(service_options, &c->service);
}
