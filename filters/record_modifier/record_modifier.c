/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"

struct addition {
    struct str key, value;
};

struct record_modifier {
    struct instance instance;
    struct rules record; /* rules, not a list: each has a place of its own for errors */
    struct strs remove_key, allowlist_key, whitelist_key;
    struct str uuid_key;
    struct addition *additions;
    struct id random; /* drawn at start; uuids are a keyed hash of a counter */
    uint64_t counter;
};

static const struct option options[] = {
    OPT(struct record_modifier, OPT_RULE, record, NULL, "KEY VALUE: add the field, replacing one of that key."),
    OPT(struct record_modifier, OPT_MULTI, remove_key, NULL,
        "Remove the fields of that key, whatever its case; a * at the end matches any rest."),
    OPT(struct record_modifier, OPT_MULTI, allowlist_key, NULL, "Keep only the fields named so, in the same way."),
    OPT(struct record_modifier, OPT_MULTI, whitelist_key, NULL, "Another spelling of allowlist_key."),
    OPT(struct record_modifier, OPT_STR, uuid_key, NULL, "Add a random version 4 UUID under this key."),
    OPT_END};

static bool read_addition(const struct rule *rule, struct addition *into, struct err *e)
{
    struct str value = rule->value, key = str_word(&value);

    value = str_trim(value);
    if (value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\'') && value.p[value.n - 1] == value.p[0])
        value = (struct str){value.p + 1, value.n - 2};
    else if (!value.n)
        return place_err(rule->place, e, "record: a key and a value are needed, as in `record hostname web-1`");
    *into = (struct addition){key, value};
    return true;
}

static bool record_modifier_start(void *self, struct err *e)
{
    struct record_modifier *m = self;

    if (m->remove_key.n && (m->allowlist_key.n || m->whitelist_key.n))
        return instance_err(&m->instance, "remove_key", e, "remove_key and allowlist_key exclude each other");
    io->random(&m->random, sizeof(m->random));
    m->additions = alloc_array(m->record.n + 1, sizeof(*m->additions));
    for (size_t i = 0; i < m->record.n; i++) {
        if (!read_addition(&m->record.items[i], &m->additions[i], e)) {
            free(m->additions);
            return false;
        }
    }
    return true;
}

static void record_modifier_stop(void *self)
{
    struct record_modifier *m = self;

    free(m->additions);
}

static bool named(const struct strs *names, struct str key)
{
    for (size_t i = 0; i < names->n; i++) {
        struct str name = names->items[i];
        if (name.n && name.p[name.n - 1] == '*' ? str_eq_fold(str_head(key, name.n - 1), str_head(name, name.n - 1))
                                                : str_eq_fold(key, name))
            return true;
    }
    return false;
}

/* Keys that are no strings are named by nobody: an allow-list removes them. */
static void filter_keys(const struct record_modifier *m, struct value *map)
{
    bool allow = !m->remove_key.n;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < map->n; i++) {
        struct str key;
        bool text = value_as_str(&map->fields[i].key, &key), stays;
        if (allow)
            stays = text && (named(&m->allowlist_key, key) || named(&m->whitelist_key, key));
        else
            stays = !text || !named(&m->remove_key, key);
        if (stays)
            map->fields[kept++] = map->fields[i];
    }
    map->n = kept;
}

static struct str uuid4(struct record_modifier *m, struct arena *a)
{
    struct id id = hash_128((struct str){(const char *)&m->counter, sizeof(m->counter)}, &m->random);

    m->counter++;
    id.hi = (id.hi & ~UINT64_C(0xf000)) | 0x4000;
    id.lo = (id.lo & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63;
    return arena_fmt(a, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(id.hi >> 32), (unsigned)(id.hi >> 16) & 0xffff,
                     (unsigned)id.hi & 0xffff, (unsigned)(id.lo >> 48), (unsigned long long)id.lo & 0xffffffffffff);
}

static enum pass record_modifier_apply(void *self, struct event *ev, struct emit *out)
{
    struct record_modifier *m = self;

    (void)out;
    value_open(&ev->body, ev->arena);
    if (m->remove_key.n || m->allowlist_key.n || m->whitelist_key.n)
        filter_keys(m, &ev->body);
    for (size_t i = 0; i < m->record.n; i++)
        event_set(ev, m->additions[i].key, value_str(m->additions[i].value));
    if (m->uuid_key.n)
        event_set(ev, m->uuid_key, value_str(uuid4(m, ev->arena)));
    return KEEP;
}

static const struct filter filter = {
    .start = record_modifier_start, .stop = record_modifier_stop, .apply = record_modifier_apply};
const struct plugin filter_record_modifier = {.name = "record_modifier",
                                              .summary = "Adds fields, and removes those named or all but those named.",
                                              .options = options,
                                              .size = sizeof(struct record_modifier),
                                              .filter = &filter};
