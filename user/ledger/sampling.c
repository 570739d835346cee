/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/sampling.h"

#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "ledger/outcome.h"

#define ALL        (1ull << WW_SAMPLING_BITS)
#define SEED_LABEL "wirewitness sampling seed v1\n"
#define RULE                                                                                       \
	"an action is shown when the first 56 bits of HMAC-SHA-256(seed, action id), big endian, " \
	"are at or above the threshold; what the wire contradicts is always shown"

/* Decimal digits and at most one point, as a fraction of 10^9. */
static int parse_billionths(struct ww_slice s, uint64_t *ret)
{
	uint64_t whole, part = 0, unit = 1000000000;
	size_t point = ww_slice_find(s, 0, '.');

	if (ww_slice_u64(ww_slice_sub(s, 0, point), &whole) < 0 || whole > 100)
		return -EINVAL;
	if (point + 1 == s.n)
		return -EINVAL;
	for (size_t i = point + 1; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || unit == 1)
			return -EINVAL;
		unit /= 10;
		part += unit * (uint64_t)(s.p[i] - '0');
	}
	*ret = whole * 1000000000 + part;
	return 0;
}

int ww_sampling_parse(struct ww_slice text, uint64_t *ret_threshold)
{
	bool percent = text.n > 0 && text.p[text.n - 1] == '%';
	uint64_t p, one = percent ? 100000000000 : 1000000000;

	if (parse_billionths(ww_slice_sub(text, 0, text.n - percent), &p) < 0 || p == 0 || p > one)
		return -EINVAL;
	*ret_threshold = ALL - (uint64_t)((unsigned __int128)ALL * p / one);
	return 0;
}

static void keyed(const uint8_t key[32], struct ww_slice a, struct ww_slice b,
		  struct ww_sha256 *ret)
{
	struct ww_digest_key k;
	struct ww_digest_ctx c;

	ww_digest_key_init(&k, key);
	ww_digest_begin(&c, &k);
	ww_digest_add(&c, a);
	ww_digest_add(&c, b);
	ww_digest_end(&c, ret);
	explicit_bzero(&k, sizeof(k));
}

void ww_sampling_seed(const uint8_t key[32], struct ww_slice epoch,
		      uint8_t ret_seed[WW_SAMPLING_SEED_LEN])
{
	struct ww_sha256 h;

	keyed(key, WW_SLICE_LIT(SEED_LABEL), epoch, &h);
	memcpy(ret_seed, h.b, WW_SAMPLING_SEED_LEN);
}

void ww_sampling_commitment(const uint8_t seed[WW_SAMPLING_SEED_LEN], struct ww_sha256 *ret)
{
	ww_sha256(ww_slice(seed, WW_SAMPLING_SEED_LEN), ret);
}

bool ww_sampling_drawn(const uint8_t seed[WW_SAMPLING_SEED_LEN], struct ww_slice action,
		       uint64_t threshold)
{
	struct ww_sha256 h;
	uint64_t draw = 0;

	keyed(seed, action, WW_SLICE_NULL, &h);
	for (unsigned i = 0; i < WW_SAMPLING_BITS / 8; i++)
		draw = draw << 8 | h.b[i];
	return draw >= threshold;
}

int ww_sampling_choose(struct ww_sampling *s)
{
	size_t e = 0;

	for (size_t i = 0; i < s->n_units; i++) {
		struct ww_sampling_unit *u = &s->units[i];

		while (e < s->n_epochs && s->epochs[e].index < u->index)
			e++;
		if (e == 0)
			return -ENOENT;
		u->always = u->outcome == WW_OUTCOME_CONTRADICTED;
		u->chosen = u->always || ww_sampling_drawn(s->epochs[e - 1].seed,
							   ww_slice_str(u->action), s->threshold);
	}
	return 0;
}

/* --- writing -------------------------------------------------------------------------------------
 */

static void write_epochs(const struct ww_sampling *s, struct ww_jsonw *w)
{
	ww_jsonw_array(w, "epochs");
	for (size_t i = 0; i < s->n_epochs; i++) {
		const struct ww_sampling_epoch *e = &s->epochs[i];
		struct ww_sha256 h;

		ww_sampling_commitment(e->seed, &h);
		ww_jsonw_object(w, NULL);
		ww_jsonw_u64(w, "index", e->index);
		ww_jsonw_cstr(w, "epoch", e->epoch);
		ww_jsonw_hex(w, "commitment", ww_slice(h.b, sizeof(h.b)));
		ww_jsonw_hex(w, "seed", ww_slice(e->seed, sizeof(e->seed)));
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

static void write_units(const struct ww_sampling *s, bool chosen, struct ww_jsonw *w)
{
	ww_jsonw_array(w, chosen ? "chosen" : "notChosen");
	for (size_t i = 0; i < s->n_units; i++) {
		const struct ww_sampling_unit *u = &s->units[i];

		if (u->chosen != chosen)
			continue;
		ww_jsonw_object(w, NULL);
		ww_jsonw_u64(w, "index", u->index);
		ww_jsonw_cstr(w, "action", u->action);
		if (chosen) {
			ww_outcome_write(w, u->outcome);
			ww_jsonw_bool(w, "always", u->always);
		}
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

/* Thousandths as a decimal: no floating point, so every machine writes the same. */
static void write_decimal(struct ww_jsonw *w, const char *key, uint64_t thousandths)
{
	char text[40];

	snprintf(text, sizeof(text), "%llu.%03u", (unsigned long long)(thousandths / 1000),
		 (unsigned)(thousandths % 1000));
	ww_jsonw_cstr(w, key, text);
}

static uint64_t square_root(unsigned __int128 x)
{
	uint64_t root = 0;

	for (int bit = 63; bit >= 0; bit--) {
		uint64_t more = root | 1ull << bit;

		if ((unsigned __int128)more * more <= x)
			root = more;
	}
	return root;
}

/* drawn / p, in thousandths. */
static uint64_t scaled(uint64_t drawn, uint64_t threshold)
{
	return (uint64_t)((unsigned __int128)ALL * drawn * 1000 / (ALL - threshold));
}

/* sqrt(drawn * (1 - p)) / p, in thousandths. Sixteen bits less keep the product in 128 bits. */
static uint64_t standard_error(uint64_t drawn, uint64_t threshold)
{
	uint64_t part = (ALL - threshold) >> 16, rest = threshold >> 16, all = ALL >> 16;

	if (part == 0)
		return 0;
	return square_root((unsigned __int128)drawn * 1000000 * rest * all /
			   ((unsigned __int128)part * part));
}

/* Horvitz and Thompson: each drawn action stands for 1/p, what is always shown for itself. */
static void write_estimates(const struct ww_sampling *s, struct ww_jsonw *w)
{
	ww_jsonw_array(w, "estimates");
	for (unsigned o = 0; o < WW_OUTCOME_MAX; o++) {
		uint64_t drawn = 0, always = 0;

		for (size_t i = 0; i < s->n_units; i++) {
			if (!s->units[i].chosen || s->units[i].outcome != o)
				continue;
			drawn += !s->units[i].always;
			always += s->units[i].always;
		}
		if (drawn + always == 0)
			continue;
		ww_jsonw_object(w, NULL);
		ww_outcome_write(w, (enum ww_outcome)o);
		ww_jsonw_u64(w, "shown", drawn + always);
		write_decimal(w, "estimate", always * 1000 + scaled(drawn, s->threshold));
		write_decimal(w, "standardError", standard_error(drawn, s->threshold));
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}

void ww_sampling_write(const struct ww_sampling *s, struct ww_jsonw *w)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_bool(w, "used", s != NULL);
	if (!s) {
		ww_jsonw_cstr(w, "rule", "every selected verdict is shown");
		ww_jsonw_end_object(w);
		return;
	}
	ww_jsonw_cstr(w, "rule", RULE);
	ww_jsonw_cstr(w, "probability", s->probability);
	ww_jsonw_u64(w, "threshold", s->threshold);
	ww_jsonw_u64(w, "population", s->n_units);
	write_epochs(s, w);
	write_estimates(s, w);
	write_units(s, true, w);
	write_units(s, false, w);
	ww_jsonw_end_object(w);
}
