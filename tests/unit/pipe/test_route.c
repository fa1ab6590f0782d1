/* SPDX-License-Identifier: Apache-2.0 */
/* Which units a tag reaches, the numbers of route sets, and the ledger's deltas. */
#include "lane_help.h"

#include "event/regex.h"
#include "pipe/route.h"
#include "store/segment.h"

struct units {
    struct unit **items;
    size_t n;
};

static struct units outputs_of(const char *specs)
{
    struct units u = {0};

    fake_units(&plugin_output, specs, &u.items, &u.n);
    return u;
}

static void free_units(struct units *u)
{
    for (size_t i = 0; i < u->n; i++)
        unit_free(u->items[i]);
    free(u->items);
}

TEST(a_tag_reaches_what_matches)
{
    static const struct {
        const char *tag, *reached;
    } cases[] = {{"app.log", "all app "}, {"app.", "all app "},   {"app", "all "}, {"exact", "all exact "},
                 {"exact2", "all "},      {"x42", "all digits "}, {"", "all "}};
    struct units u = outputs_of("all=* app=app.* exact=exact digits=never");
    struct route_sets *sets = route_sets_new();
    struct tally tally = {0};
    struct err e = {0};

    u.items[3]->regex = regex_new(STR("^x\\d+$"), &e);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct route *r = route_new(str_of(cases[i].tag), NULL, 0, u.items, u.n, sets, &tally);
        struct buf names = {0};
        for (size_t k = 0; k < r->noutputs; k++)
            buf_fmt(&names, "%s ", r->outputs[k]->name);
        CHECK_STR(buf_view(&names), cases[i].reached);
        CHECK(r->set && r->open);
        buf_free(&names);
        route_free(r);
    }
    route_free(NULL);
    tally_free(&tally);
    route_sets_free(sets);
    route_sets_free(NULL);
    free_units(&u);
}

TEST(a_set_has_one_number_whatever_its_order)
{
    struct units u = outputs_of("a b c"), back = outputs_of("c b a");
    struct route_sets *sets = route_sets_new();
    struct strs known = {(struct str[]){STR("c"), STR("a")}, 2};

    CHECK_INT(route_sets_number(sets, u.items, 0), 0);
    CHECK_INT(route_sets_number(sets, u.items, 3), 1);
    CHECK_INT(route_sets_number(sets, back.items, 3), 1);
    CHECK_INT(route_sets_number(sets, u.items, 2), 2); /* a b */
    CHECK_INT(route_sets_number(sets, back.items + 1, 2), 2);
    CHECK_INT(route_sets_number(sets, u.items, 1), 3);
    route_sets_learn(sets, 17, &known);
    back.items[1]->name[0] = 'a'; /* c a */
    CHECK_INT(route_sets_number(sets, back.items, 2), 17);
    back.items[1]->name[0] = 'x'; /* c x */
    CHECK_INT(route_sets_number(sets, back.items, 2), 18);
    route_sets_free(sets);
    free_units(&u);
    free_units(&back);
}

TEST(a_set_is_declared_until_that_is_durable)
{
    struct units u = outputs_of("a b");
    struct route_sets *sets = route_sets_new();
    struct strs known = {(struct str[]){STR("a")}, 1};
    struct txn txn = {0};

    route_sets_learn(sets, 5, &known);
    CHECK_INT(route_sets_number(sets, u.items, 1), 5);
    CHECK_INT(route_sets_number(sets, u.items, 2), 6);
    route_sets_declare(sets, 5, &txn);
    CHECK_INT(txn.frames, 0);
    route_sets_declare(sets, 6, &txn);
    CHECK_INT(txn.frames, 1);
    route_sets_declare(sets, 6, &txn);
    CHECK_INT(txn.frames, 1);
    route_sets_declare(sets, 7, &txn); /* nobody's */
    CHECK_INT(txn.frames, 1);
    route_sets_undeclare(sets);
    route_sets_declare(sets, 5, &txn); /* the store knew it before this run */
    CHECK_INT(txn.frames, 1);
    route_sets_declare(sets, 6, &txn);
    CHECK_INT(txn.frames, 2);
    txn_free(&txn);
    route_sets_free(sets);
    free_units(&u);
}

TEST(deltas_become_one_frame)
{
    struct tally t = {0};
    struct txn txn = {0};
    struct image image = {0};
    struct frame_header h;
    struct counter *in = tally_counter(&t, TALLY_IN, NULL), *of = tally_counter(&t, TALLY_IN, "tail.0");

    CHECK(in != of);
    CHECK(tally_counter(&t, TALLY_IN, NULL) == in);
    CHECK(tally_counter(&t, TALLY_IN, "tail.0") == of);
    CHECK(!tally_write(&t, &txn));
    CHECK_INT(txn.frames, 0);
    tally_counter(&t, "quiet", NULL);
    in->delta = 3;
    of->delta = -1;
    CHECK(tally_write(&t, &txn));
    CHECK_INT(in->delta, 0);
    CHECK_INT(txn.frames, 1);
    CHECK(!tally_write(&t, &txn));
    frame_header_peek(txn.bytes.p, &h);
    CHECK_INT(h.type, FRAME_LEDGER);
    CHECK(image_apply(&image, &(struct frame){FRAME_LEDGER, 1, 1, {txn.bytes.p + FRAME_HEADER, h.payload_len}}));
    CHECK_INT(image_counter(&image, STR("in")), 3);
    CHECK_INT((int64_t)image_counter(&image, STR("in/tail.0")), -1);
    CHECK_INT(image_counter(&image, STR("quiet")), 0);
    image_free(&image);
    txn_free(&txn);
    tally_free(&t);
}
