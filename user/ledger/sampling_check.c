/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. The section's own numbers are computed again from its lists and compared as bytes: nothing
 *     of it is believed.
 *  2. A seed counts only through the listed record that committed to it.
 *  3. A listed verdict whose action was not chosen fails, and so does a chosen one that is missing.
 */
#include <errno.h>

#include "base/encode.h"
#include "ledger/fields.h"
#include "ledger/outcome.h"
#include "ledger/sampling.h"
#include "wirewitness/limits.h"

struct unit_seen {
	struct ww_sampling_unit *unit;
	bool seen;
};

struct ww_sampling_check {
	struct ww_sampling s;
	struct ww_sampling_epoch *epochs;
	bool *committed; /* by epoch */
	size_t epoch_cap, unit_cap, n_chosen;
	struct unit_seen *chosen; /* by action */
	struct ww_errtext bad;    /* the first thing that was wrong */
};

void ww_sampling_check_free(struct ww_sampling_check *c)
{
	if (!c)
		return;
	free(c->epochs);
	free(c->committed);
	free(c->s.units);
	free(c->chosen);
	free(c);
}

/* Room for one more of `size` bytes. */
static int grow(void **array, size_t n, size_t *cap, size_t size, size_t max)
{
	size_t more = *cap ? 2 * *cap : 64;
	void *p;

	if (n < *cap)
		return 0;
	if (n >= max)
		return -EINVAL;
	p = realloc(*array, more * size);
	if (!p)
		return -ENOMEM;
	*array = p;
	*cap = more;
	return 0;
}

static int copy_text(const struct ww_field *f, char *out, size_t cap)
{
	if (f->token.escaped || f->token.raw.n >= cap || memchr(f->token.raw.p, 0, f->token.raw.n))
		return -EINVAL;
	memcpy(out, f->token.raw.p, f->token.raw.n);
	out[f->token.raw.n] = '\0';
	return 0;
}

static int take_epoch(struct ww_sampling_check *c, struct ww_slice text, struct ww_errtext *why)
{
	enum { INDEX, EPOCH, SEED, N };
	struct ww_field f[N] = {
		[INDEX] = {.name = "index", .type = WW_JSON_NUMBER},
		[EPOCH] = {.name = "epoch", .type = WW_JSON_STRING},
		[SEED] = {.name = "seed", .type = WW_JSON_STRING},
	};
	struct ww_sampling_epoch e;
	int r = ww_fields_read(text, "an epoch", f, N, why);

	if (r < 0)
		return r;
	if (ww_fields_u64(&f[INDEX], &e.index) < 0 ||
	    copy_text(&f[EPOCH], e.epoch, sizeof(e.epoch)) < 0 ||
	    ww_hex_decode(f[SEED].token.raw, e.seed, sizeof(e.seed)) < 0 ||
	    (c->s.n_epochs && e.index <= c->epochs[c->s.n_epochs - 1].index))
		return ww_errtext_set(why, -EINVAL, "an epoch holds a malformed value");
	r = grow((void **)&c->epochs, c->s.n_epochs, &c->epoch_cap, sizeof(e),
		 WW_SAMPLING_EPOCHS_MAX);
	if (r == 0)
		c->epochs[c->s.n_epochs++] = e;
	return r;
}

static int take_unit(struct ww_sampling_check *c, struct ww_slice text, bool chosen,
		     struct ww_errtext *why)
{
	enum { INDEX, ACTION, OUTCOME, ALWAYS, N };
	struct ww_field f[N] = {
		[INDEX] = {.name = "index", .type = WW_JSON_NUMBER},
		[ACTION] = {.name = "action", .type = WW_JSON_STRING},
		[OUTCOME] = {.name = "outcome", .type = WW_JSON_STRING, .optional = !chosen},
		[ALWAYS] = {.name = "always", .type = WW_JSON_TRUE, .optional = !chosen},
	};
	struct ww_sampling_unit u = {.chosen = chosen};
	int r = ww_fields_read(text, "a sampled action", f, N, why);

	if (r < 0)
		return r;
	if (ww_fields_u64(&f[INDEX], &u.index) < 0 ||
	    copy_text(&f[ACTION], u.action, sizeof(u.action)) < 0 ||
	    (chosen && !ww_outcome_by_name(f[OUTCOME].token.raw, &u.outcome)))
		return ww_errtext_set(why, -EINVAL, "a sampled action holds a malformed value");
	u.always = chosen && f[ALWAYS].token.type == WW_JSON_TRUE;
	r = grow((void **)&c->s.units, c->s.n_units, &c->unit_cap, sizeof(u),
		 WW_REPORT_RECORDS_MAX);
	if (r == 0)
		c->s.units[c->s.n_units++] = u;
	return r;
}

static int take_list(struct ww_sampling_check *c, struct ww_slice array, int what,
		     struct ww_errtext *why)
{
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	int r = ww_fields_array(array, &j);

	while (r >= 0 && (r = ww_fields_next(&j, &t, &text)) == 1) {
		r = what < 0 ? take_epoch(c, text, why) : take_unit(c, text, what, why);
		if (r < 0)
			return r;
	}
	return r;
}

static int by_index(const void *a, const void *b)
{
	const struct ww_sampling_unit *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static int by_action(const void *a, const void *b)
{
	const struct unit_seen *x = a, *y = b;

	return strcmp(x->unit->action, y->unit->action);
}

/* Invariant 1, the lists: each draw again. */
static int draw_again(struct ww_sampling_check *c, struct ww_errtext *why)
{
	for (size_t i = 0, e = 0; i < c->s.n_units; i++) {
		const struct ww_sampling_unit *u = &c->s.units[i];
		bool drawn;

		if (i && u->index == c->s.units[i - 1].index)
			return ww_errtext_set(why, -EINVAL, "verdict %llu is sampled twice",
					      (unsigned long long)u->index);
		while (e < c->s.n_epochs && c->epochs[e].index < u->index)
			e++;
		if (e == 0)
			return ww_errtext_set(why, -EINVAL,
					      "no seed was committed before verdict %llu",
					      (unsigned long long)u->index);
		drawn = ww_sampling_drawn(c->epochs[e - 1].seed, ww_slice_str(u->action),
					  c->s.threshold);
		if (u->always != (u->chosen && u->outcome == WW_OUTCOME_CONTRADICTED) ||
		    u->chosen != (u->always || drawn))
			return ww_errtext_set(why, -EINVAL,
					      "verdict %llu is not chosen as the seed says",
					      (unsigned long long)u->index);
	}
	return 0;
}

/* Invariant 1, the rest. */
static int write_again(struct ww_sampling_check *c, struct ww_slice section,
		       struct ww_slice probability, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf again = {0};
	char text[32];
	struct ww_jsonw w;

	if (probability.n >= sizeof(text))
		return ww_errtext_set(why, -EINVAL, "the probability is malformed");
	memcpy(text, probability.p, probability.n);
	text[probability.n] = '\0';
	c->s.probability = text;
	c->s.epochs = c->epochs;
	ww_buf_init(&again, section.n + 4096);
	ww_jsonw_init(&w, &again);
	ww_sampling_write(&c->s, &w);
	c->s.probability = NULL;
	if (w.err == -ENOMEM)
		return ww_errtext_errno(why, w.err, "cannot check the sampling");
	if (!ww_jsonw_ok(&w) || !ww_slice_eq(ww_buf_slice(&again), section))
		return ww_errtext_set(why, -EINVAL,
				      "the sampling's numbers do not follow from its lists");
	return 0;
}

static int index_chosen(struct ww_sampling_check *c, struct ww_errtext *why)
{
	c->chosen = calloc(c->s.n_units + 1, sizeof(*c->chosen));
	c->committed = calloc(c->s.n_epochs + 1, sizeof(*c->committed));
	if (!c->chosen || !c->committed)
		return ww_errtext_errno(why, -ENOMEM, "cannot check the sampling");
	for (size_t i = 0; i < c->s.n_units; i++)
		c->chosen[i].unit = &c->s.units[i];
	c->n_chosen = c->s.n_units;
	qsort(c->chosen, c->n_chosen, sizeof(*c->chosen), by_action);
	for (size_t i = 1; i < c->n_chosen; i++)
		if (by_action(&c->chosen[i - 1], &c->chosen[i]) == 0)
			return ww_errtext_set(why, -EINVAL, "an action is sampled twice");
	return 0;
}

static int begin(struct ww_slice section, struct ww_sampling_check *c, bool *ret_used,
		 struct ww_errtext *why)
{
	enum { USED, PROBABILITY, THRESHOLD, EPOCHS, CHOSEN, NOT, N };
	struct ww_field f[N] = {
		[USED] = {.name = "used", .type = WW_JSON_TRUE},
		[PROBABILITY] = {.name = "probability", .type = WW_JSON_STRING},
		[THRESHOLD] = {.name = "threshold", .type = WW_JSON_NUMBER},
		[EPOCHS] = {.name = "epochs", .type = WW_JSON_ARRAY},
		[CHOSEN] = {.name = "chosen", .type = WW_JSON_ARRAY},
		[NOT] = {.name = "notChosen", .type = WW_JSON_ARRAY},
	};
	uint64_t threshold;
	int r = ww_fields_read(section, "sampling", f, 1, why);

	*ret_used = r == 0 && f[USED].token.type == WW_JSON_TRUE;
	if (!*ret_used)
		return r;
	f[USED].found = false;
	r = ww_fields_read(section, "sampling", f, N, why);
	if (r < 0)
		return r;
	if (ww_fields_u64(&f[THRESHOLD], &c->s.threshold) < 0 ||
	    ww_sampling_parse(f[PROBABILITY].token.raw, &threshold) < 0 ||
	    threshold != c->s.threshold)
		return ww_errtext_set(why, -EINVAL, "the threshold is not that of the probability");
	r = take_list(c, f[EPOCHS].text, -1, why);
	if (r == 0)
		r = take_list(c, f[CHOSEN].text, true, why);
	if (r == 0)
		r = take_list(c, f[NOT].text, false, why);
	if (r < 0)
		return r;
	if (c->s.n_units)
		qsort(c->s.units, c->s.n_units, sizeof(*c->s.units), by_index);
	r = draw_again(c, why);
	if (r == 0)
		r = write_again(c, section, f[PROBABILITY].token.raw, why);
	return r < 0 ? r : index_chosen(c, why);
}

int ww_sampling_check_begin(struct ww_slice section, struct ww_sampling_check **ret,
			    struct ww_errtext *why)
{
	WW_AUTO(ww_sampling_check_free_auto)
	struct ww_sampling_check *c = calloc(1, sizeof(*c));
	bool used;
	int r;

	if (!c)
		return ww_errtext_errno(why, -ENOMEM, "cannot check the sampling");
	r = begin(section, c, &used, why);
	if (r < 0)
		return r;
	*ret = used ? WW_TAKE(c) : NULL;
	return used ? 0 : 1;
}

static bool text_at(struct ww_slice record, const char *path, struct ww_slice *ret)
{
	struct ww_json_token t;

	if (ww_json_path(record, path, &t, NULL) != WW_PARSE_DONE || t.type != WW_JSON_STRING ||
	    t.escaped)
		return false;
	*ret = t.raw;
	return true;
}

static void see_commitment(struct ww_sampling_check *c, uint64_t index, struct ww_slice record)
{
	struct ww_slice event, epoch, commitment;
	char hex[2 * WW_SHA256_LEN + 1];
	struct ww_sha256 h;

	for (size_t i = 0; i < c->s.n_epochs; i++) {
		if (c->epochs[i].index != index)
			continue;
		ww_sampling_commitment(c->epochs[i].seed, &h);
		ww_hex_encode(ww_slice(h.b, sizeof(h.b)), hex);
		c->committed[i] = text_at(record, "$.event", &event) &&
				  ww_slice_eq_str(event, WW_SAMPLING_EVENT) &&
				  text_at(record, "$.epoch", &epoch) &&
				  ww_slice_eq_str(epoch, c->epochs[i].epoch) &&
				  text_at(record, "$.commitment", &commitment) &&
				  ww_slice_eq_str(commitment, hex);
	}
}

static struct unit_seen *find(struct ww_sampling_check *c, struct ww_slice action)
{
	struct ww_sampling_unit u = {0};
	struct unit_seen key = {.unit = &u};

	if (action.n >= sizeof(u.action))
		return NULL;
	memcpy(u.action, action.p, action.n);
	return bsearch(&key, c->chosen, c->n_chosen, sizeof(key), by_action);
}

static void see_verdict(struct ww_sampling_check *c, uint64_t index, struct ww_slice record)
{
	struct unit_seen *u = NULL;
	struct ww_slice action;

	if (text_at(record, "$.action", &action))
		u = find(c, action);
	if (!u || !u->unit->chosen) {
		ww_errtext_set(&c->bad, 0, "verdict %llu is listed, its action was not chosen",
			       (unsigned long long)index);
		return;
	}
	if (u->unit->index != index)
		return; /* another revision of it */
	u->seen = true;
	if (ww_outcome_read(record) != u->unit->outcome)
		ww_errtext_set(&c->bad, 0, "verdict %llu is sampled under another outcome",
			       (unsigned long long)index);
}

void ww_sampling_check_record(struct ww_sampling_check *c, uint64_t index, struct ww_slice kind,
			      struct ww_slice record)
{
	if (ww_slice_eq_str(kind, "life"))
		see_commitment(c, index, record);
	else if (ww_slice_eq_str(kind, "verdict"))
		see_verdict(c, index, record);
}

int ww_sampling_check_end(struct ww_sampling_check *c, struct ww_errtext *why)
{
	if (c->bad.text[0])
		return ww_errtext_set(why, -EINVAL, "%s", c->bad.text);
	for (size_t i = 0; i < c->s.n_epochs; i++)
		if (!c->committed[i])
			return ww_errtext_set(why, -EINVAL,
					      "record %llu does not commit to the revealed seed",
					      (unsigned long long)c->epochs[i].index);
	for (size_t i = 0; i < c->n_chosen; i++)
		if (c->chosen[i].unit->chosen && !c->chosen[i].seen)
			return ww_errtext_set(why, -EINVAL, "chosen verdict %llu is not listed",
					      (unsigned long long)c->chosen[i].unit->index);
	return 0;
}
