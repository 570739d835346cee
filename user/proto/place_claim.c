/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/place_claim.h"

#include "base/own.h"

static const struct {
	uint8_t by;
	uint8_t about;
	const char *text;
} froms[] = {
#define ROW(n, v, b, a, t) [v] = {WW_PLACE_##b, WW_PLACE_##a, t},
	WW_PLACE_FROMS(ROW)
#undef ROW
};

static const char *const by_names[] = {
	[WW_PLACE_PEER] = "peer", [WW_PLACE_REQUEST] = "request", [WW_PLACE_HOST] = "host"};
static const char *const about_names[] = {[WW_PLACE_EDGE] = "edge",
					  [WW_PLACE_ENDPOINT] = "endpoint",
					  [WW_PLACE_PROCESSING] = "processing",
					  [WW_PLACE_REFERENCE] = "reference"};

enum ww_place_by ww_place_by(enum ww_place_from from)
{
	return (enum ww_place_by)((unsigned)from < WW_PLACE_FROM_MAX ? froms[from].by : 0);
}

enum ww_place_about ww_place_about(enum ww_place_from from)
{
	return (enum ww_place_about)((unsigned)from < WW_PLACE_FROM_MAX ? froms[from].about : 0);
}

static const char *name_of(const char *const *names, size_t count, unsigned i)
{
	return i < count && names[i] ? names[i] : "unknown";
}

const char *ww_place_by_name(enum ww_place_by by)
{
	return name_of(by_names, WW_ARRAY_SIZE(by_names), by);
}

const char *ww_place_about_name(enum ww_place_about about)
{
	return name_of(about_names, WW_ARRAY_SIZE(about_names), about);
}

const char *ww_place_from_name(enum ww_place_from from)
{
	bool known = (unsigned)from < WW_PLACE_FROM_MAX && froms[from].text;

	return known ? froms[from].text : "unknown";
}

static bool printable(struct ww_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] >= 0x7f)
			return false;
	return true;
}

void ww_place_add(struct ww_place_claims *c, enum ww_place_from from, struct ww_slice says)
{
	struct ww_place_claim *to;

	if (says.n == 0 || !printable(says))
		return;
	for (unsigned i = 0; i < c->count; i++)
		if (c->item[i].from == from && ww_slice_eq_str(says, c->item[i].says))
			return;
	if (c->count == WW_PLACE_CLAIMS_MAX || says.n >= sizeof(to->says)) {
		c->more = true;
		return;
	}
	to = &c->item[c->count++];
	to->from = (uint8_t)from;
	memcpy(to->says, says.p, says.n);
	to->says[says.n] = '\0';
}

static bool upper(struct ww_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 'A' || s.p[i] > 'Z')
			return false;
	return true;
}

/* "8f2c6d1e0a1b2c3d-FRA" */
static struct ww_slice code_behind(struct ww_slice v)
{
	if (v.n < 5 || v.p[v.n - 4] != '-' || !upper(ww_slice_sub(v, v.n - 3, 3)))
		return WW_SLICE_NULL;
	return ww_slice_sub(v, v.n - 3, 3);
}

/* "FRA56-P1" */
static struct ww_slice code_before(struct ww_slice v)
{
	if (v.n < 4 || !upper(ww_slice_sub(v, 0, 3)) || v.p[3] < '0' || v.p[3] > '9')
		return WW_SLICE_NULL;
	for (size_t i = 3; i < v.n; i++)
		if (v.p[i] != '-' && !(v.p[i] >= '0' && v.p[i] <= '9') &&
		    !(v.p[i] >= 'A' && v.p[i] <= 'Z'))
			return WW_SLICE_NULL;
	return v;
}

void ww_place_field(struct ww_place_claims *c, enum ww_place_from from, struct ww_slice value,
		    bool cut)
{
	if (cut) {
		c->more = true;
		return;
	}
	if (from == WW_PLACE_CF_RAY)
		value = code_behind(value);
	else if (from == WW_PLACE_AMZ_CF_POP)
		value = code_before(value);
	ww_place_add(c, from, value);
}

void ww_place_called(struct ww_place_claims *c, const char *authority, const char *sni,
		     const char *target)
{
	struct ww_slice by_authority = ww_place_of_host(ww_slice_str(authority));
	struct ww_slice by_sni = ww_place_of_host(ww_slice_str(sni));

	ww_place_add(c, WW_PLACE_AUTHORITY, by_authority);
	if (!ww_slice_eq(by_authority, by_sni))
		ww_place_add(c, WW_PLACE_SNI, by_sni);
	ww_place_add(c, WW_PLACE_LOCATION, ww_place_of_path(ww_slice_str(target)));
}

void ww_place_write(const struct ww_place_claims *c, struct ww_jsonw *w)
{
	if (c->count == 0)
		return;
	ww_jsonw_array(w, "placeClaims");
	for (unsigned i = 0; i < c->count; i++) {
		enum ww_place_from from = (enum ww_place_from)c->item[i].from;

		ww_jsonw_object(w, NULL);
		ww_jsonw_cstr(w, "by", ww_place_by_name(ww_place_by(from)));
		ww_jsonw_cstr(w, "from", ww_place_from_name(from));
		ww_jsonw_cstr(w, "about", ww_place_about_name(ww_place_about(from)));
		ww_jsonw_cstr(w, "says", c->item[i].says);
		ww_jsonw_end_object(w);
	}
	ww_jsonw_end_array(w);
}
