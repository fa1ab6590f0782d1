/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "event/regex.h"
#include "event/regex_internal.h"
#include "base/alloc.h"
#include "base/cleanup.h"

#include <pcre2.h>

enum {
    PATTERN_LIMIT = 64 * 1024,
    STEPS = 500 * 1000,  /* a runaway pattern is stopped after some milliseconds; real lines need thousands */
    STEPS_PER_BYTE = 10, /* what a pattern without backtracking may need on a long line */
    DEPTH = 100 * 1000,
    JIT_STACK = 1024 * 1024
};

/* The pattern is compiled twice: for text in UTF-8, and for bytes.  ASCII is matched by the second, which is faster and
 * gives the same; text that is broken UTF-8 as well, since no byte of it may be out of a pattern's reach. */
struct regex {
    pcre2_code *utf, *bytes;
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* made when the 32 KiB of the thread's stack are too few */
    struct str subject;     /* of the last match */
    int groups;             /* of the last match; 0: none */
    uint64_t limit_hits;
    char *source; /* owns the names' bytes */
    struct {
        struct str name;
        int group;
        bool again; /* a later group has the same name */
    } * named;
    size_t nnamed;
};

static pcre2_code *compile(const struct regex_text *t, uint32_t options, struct err *e)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    int code = 0;
    PCRE2_SIZE at = 0;

    options |= PCRE2_MULTILINE | PCRE2_DUPNAMES | PCRE2_NEVER_BACKSLASH_C;
    options |= t->named ? PCRE2_NO_AUTO_CAPTURE : 0;
    options |= (t->fold ? PCRE2_CASELESS : 0) | (t->dotall ? PCRE2_DOTALL : 0) | (t->extended ? PCRE2_EXTENDED : 0);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_code *c = pcre2_compile((PCRE2_SPTR)t->pattern.p, t->pattern.n, options, &code, &at, context);
    pcre2_compile_context_free(context);
    if (c) {
        pcre2_jit_compile(c, PCRE2_JIT_COMPLETE); /* where it cannot, the interpreter matches */
        return c;
    }
    char text[200] = "";
    pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
    struct str rest = str_head(str_from(buf_view(&t->pattern), at), 24);
    if (rest.n)
        err_set(e, "%s, before `" STR_FMT "`", text, STR_ARG(rest));
    else
        err_set(e, "%s, at its end", text);
    return NULL;
}

static void list_names(struct regex *r, const struct regex_text *t)
{
    uint32_t count = 0, size = 0;
    PCRE2_SPTR table = NULL;

    pcre2_pattern_info(r->utf, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(r->utf, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(r->utf, PCRE2_INFO_NAMETABLE, &table);
    r->named = alloc_array(count ? count : 1, sizeof *r->named);
    for (uint32_t i = 0; i < count; i++, table += size) {
        size_t name = strtoul((const char *)table + 3, NULL, 10), at = r->nnamed++;
        int group = table[0] << 8 | table[1];
        for (; at && r->named[at - 1].group > group; at--) /* in the order of the pattern */
            r->named[at] = r->named[at - 1];
        r->named[at].name = t->names[name];
        r->named[at].group = group;
    }
    for (size_t i = 0; i < r->nnamed; i++)
        for (size_t j = i + 1; j < r->nnamed; j++)
            r->named[i].again |= str_eq(r->named[i].name, r->named[j].name);
}

static bool build(struct regex *r, struct str source, struct regex_text *t, struct err *e)
{
    if (source.n > PATTERN_LIMIT)
        return err_set(e, "it is longer than %d bytes", PATTERN_LIMIT);
    r->source = alloc_text(source.p, source.n);
    if (!regex_translate((struct str){r->source, source.n}, t, e))
        return false;
    if (!t->pattern.p)
        buf_grow(&t->pattern, 1);
    if (!(r->utf = compile(t, PCRE2_UTF, e)))
        return false;
    r->bytes = compile(t, 0, NULL);
    if (!r->bytes) /* it names characters above ff */
        r->bytes = compile(t, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, e);
    if (!r->bytes)
        return false;
    r->match = pcre2_match_data_create_from_pattern(r->utf, NULL);
    r->context = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(r->context, STEPS);
    pcre2_set_depth_limit(r->context, DEPTH);
    list_names(r, t);
    return true;
}

struct regex *regex_new(struct str pattern, struct err *e)
{
    struct regex *r = alloc_new(sizeof *r);
    struct regex_text *t = alloc_new(sizeof *t);
    bool ok = build(r, pattern, t, e);

    buf_free(&t->pattern);
    free(t);
    if (ok)
        return r;
    err_wrap(e, "the regular expression `" STR_FMT "%s`", STR_ARG(str_head(pattern, 80)), pattern.n > 80 ? "..." : "");
    regex_free(r);
    return NULL;
}

void regex_free(struct regex *r)
{
    if (!r)
        return;
    pcre2_code_free(r->utf);
    pcre2_code_free(r->bytes);
    pcre2_match_data_free(r->match);
    pcre2_match_context_free(r->context);
    pcre2_jit_stack_free(r->stack);
    free(r->source);
    free(r->named);
    free(r);
}

static bool ascii(struct str s)
{
    uint64_t seen = 0, word;

    for (; s.n >= 8; s.p += 8, s.n -= 8) {
        memcpy(&word, s.p, 8);
        seen |= word;
    }
    for (; s.n; s.p++, s.n--)
        seen |= (uint8_t)*s.p;
    return !(seen & 0x8080808080808080u);
}

static int run(struct regex *r, const pcre2_code *code, struct str text)
{
    int rc = pcre2_match(code, (PCRE2_SPTR)text.p, text.n, 0, 0, r->match, r->context);

    if (rc == PCRE2_ERROR_JIT_STACKLIMIT && !r->stack) {
        r->stack = pcre2_jit_stack_create(32 * 1024, JIT_STACK, NULL);
        pcre2_jit_stack_assign(r->context, NULL, r->stack);
        rc = pcre2_match(code, (PCRE2_SPTR)text.p, text.n, 0, 0, r->match, r->context);
    }
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(code, (PCRE2_SPTR)text.p, text.n, 0, PCRE2_NO_JIT, r->match, r->context);
    return rc;
}

bool regex_match(struct regex *r, struct str text)
{
    static const char nothing[1];
    int rc;

    if (!text.p)
        text.p = nothing;
    r->subject = text;
    if (text.n > STEPS / STEPS_PER_BYTE / 2)
        pcre2_set_match_limit(r->context,
                              text.n > UINT32_MAX / 20 ? UINT32_MAX : STEPS + (uint32_t)text.n * STEPS_PER_BYTE);
    rc = run(r, ascii(text) ? r->bytes : r->utf, text);
    if (rc <= PCRE2_ERROR_UTF8_ERR1 && rc >= PCRE2_ERROR_UTF8_ERR21)
        rc = run(r, r->bytes, text);
    if (text.n > STEPS / STEPS_PER_BYTE / 2)
        pcre2_set_match_limit(r->context, STEPS);
    r->groups = rc > 0 ? rc : 0;
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        r->limit_hits++;
    return rc > 0;
}

struct str regex_capture(const struct regex *r, unsigned i)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(r->match);

    if ((int)i >= r->groups || at[2 * i] == PCRE2_UNSET || at[2 * i] > at[2 * i + 1])
        return (struct str){0};
    return (struct str){r->subject.p + at[2 * i], at[2 * i + 1] - at[2 * i]};
}

size_t regex_capture_count(const struct regex *r)
{
    return r->groups ? pcre2_get_ovector_count(r->match) : 0;
}

void regex_named(const struct regex *r, void (*each)(void *arg, struct str name, struct str value), void *arg)
{
    for (size_t i = 0; i < r->nnamed; i++) {
        struct str value = regex_capture(r, (unsigned)r->named[i].group);
        bool later = false;
        for (size_t j = i + 1; r->named[i].again && j < r->nnamed; j++)
            later |= str_eq(r->named[i].name, r->named[j].name) && regex_capture(r, (unsigned)r->named[j].group).p;
        if (value.p && !later)
            each(arg, r->named[i].name, value);
    }
}

size_t regex_named_count(const struct regex *r)
{
    return r->nnamed;
}

uint64_t regex_limit_hits(const struct regex *r)
{
    return r->limit_hits;
}
