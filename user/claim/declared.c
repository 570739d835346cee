/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/declared.h"

#include <errno.h>

#include "base/cursor.h"
#include "claim/text.h"

#define NS_PER_S      1000000000ull
#define SECONDS_MAX   (UINT64_MAX / NS_PER_S - 1)
#define SECONDS_A_DAY 86400

/* Exactly n digits; anything else makes the cursor bad. */
static unsigned digits(struct ww_cursor *c, size_t n)
{
	uint64_t v = 0;

	if (ww_slice_u64(ww_cursor_take(c, n), &v) < 0)
		c->bad = true;
	return (unsigned)v;
}

/* One byte out of `allowed`. */
static uint8_t one_of(struct ww_cursor *c, const char *allowed)
{
	uint8_t b = ww_cursor_u8(c);

	if (b == '\0' || !strchr(allowed, b))
		c->bad = true;
	return b;
}

/* ".123456" as nanoseconds; digits after the ninth are dropped. No fraction: 0. */
static uint64_t fraction(struct ww_cursor *c)
{
	uint64_t ns = 0, unit = NS_PER_S / 10;
	size_t count = 0;

	if (ww_cursor_left(c) == 0 || c->in.p[c->at] != '.')
		return 0;
	(void)ww_cursor_u8(c);
	while (ww_cursor_left(c) > 0 && c->in.p[c->at] >= '0' && c->in.p[c->at] <= '9') {
		ns += unit * (uint64_t)(ww_cursor_u8(c) - '0');
		unit /= 10;
		count++;
	}
	if (count == 0)
		c->bad = true;
	return ns;
}

/* Days since 1970-01-01 of a date in the Gregorian calendar, from 1970 on. */
static uint64_t days_since_epoch(unsigned year, unsigned month, unsigned day)
{
	static const uint16_t before_month[] = {0,   31,  59,  90,  120, 151,
						181, 212, 243, 273, 304, 334};
	unsigned y = month > 2 ? year : year - 1; /* the last year whose 29 February may be past */
	uint64_t leap_days = y / 4 - y / 100 + y / 400;

	return (uint64_t)(year - 1970) * 365 + leap_days - 477 + before_month[month - 1] + day - 1;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static int rfc3339(struct ww_slice text, struct ww_wall *ret_time)
{
	struct ww_cursor c = ww_cursor(text);
	unsigned year, month, day, hour, minute, second, zone_hour = 0, zone_minute = 0;
	int64_t s;
	uint64_t ns;
	uint8_t zone;

	year = digits(&c, 4);
	one_of(&c, "-");
	month = digits(&c, 2);
	one_of(&c, "-");
	day = digits(&c, 2);
	one_of(&c, "Tt ");
	hour = digits(&c, 2);
	one_of(&c, ":");
	minute = digits(&c, 2);
	one_of(&c, ":");
	second = digits(&c, 2);
	ns = fraction(&c);
	zone = one_of(&c, "Zz+-");
	if (zone == '+' || zone == '-') {
		zone_hour = digits(&c, 2);
		one_of(&c, ":");
		zone_minute = digits(&c, 2);
	}
	if (!ww_cursor_ok(&c) || ww_cursor_left(&c) > 0)
		return -EINVAL;
	/* A leap second (60) counts as the first second of the next minute. */
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
	    hour > 23 || minute > 59 || second > 60 || zone_hour > 23 || zone_minute > 59)
		return -EINVAL;
	s = (int64_t)days_since_epoch(year, month, day) * SECONDS_A_DAY + hour * 3600 +
	    minute * 60 + second;
	s -= (zone == '-' ? -1 : 1) * (int64_t)(zone_hour * 3600 + zone_minute * 60);
	if (s < 0 || (uint64_t)s > SECONDS_MAX)
		return -EINVAL;
	ret_time->ns = (uint64_t)s * NS_PER_S + ns;
	return 0;
}

static int seconds(struct ww_slice text, struct ww_wall *ret_time)
{
	struct ww_cursor c = ww_cursor(text);
	uint64_t s, ns;

	if (ww_slice_u64(ww_cursor_take(&c, ww_slice_find(text, 0, '.')), &s) < 0 ||
	    s > SECONDS_MAX)
		return -EINVAL;
	ns = fraction(&c);
	if (!ww_cursor_ok(&c) || ww_cursor_left(&c) > 0)
		return -EINVAL;
	ret_time->ns = s * NS_PER_S + ns;
	return 0;
}

int ww_declared_time(struct ww_slice text, struct ww_wall *ret_time)
{
	return rfc3339(text, ret_time) == 0 ? 0 : seconds(text, ret_time);
}

void ww_declared_set(struct ww_declared *d, struct ww_slice key, struct ww_slice value)
{
	struct ww_declared_claim *claim = &d->claim;
	const struct {
		const char *key;
		char *to;
		size_t cap;
	} texts[] = {
		{"claim.id", claim->claim_id, sizeof(claim->claim_id)},
		{"claim.action", claim->action, sizeof(claim->action)},
		{"claim.tool", claim->tool, sizeof(claim->tool)},
		{"claim.tool_call_id", claim->tool_call_id, sizeof(claim->tool_call_id)},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(texts); i++) {
		if (ww_slice_eq_str(key, texts[i].key) &&
		    !ww_text_copy(texts[i].to, texts[i].cap, value, NULL))
			d->bad = true;
	}
	if (ww_slice_eq_str(key, "claim.tense")) {
		claim->done = ww_slice_eq_str(value, "done");
		d->tense_known = true;
		if (!claim->done && !ww_slice_eq_str(value, "will"))
			d->bad = true;
	} else if (ww_slice_eq_str(key, "claim.deadline")) {
		if (ww_declared_time(value, &claim->deadline) < 0)
			d->bad = true;
	}
}

int ww_declared_get(const struct ww_declared *d, struct ww_wall at,
		    struct ww_declared_claim *ret_claim)
{
	if (d->bad || !d->tense_known || d->claim.claim_id[0] == '\0')
		return -EINVAL;
	*ret_claim = d->claim;
	ret_claim->at = at;
	return 0;
}
