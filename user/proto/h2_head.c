/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/h2_head.h"

#include <wirewitness/limits.h>

enum pseudo { METHOD = 1, SCHEME = 2, PATH = 4, AUTHORITY = 8, STATUS = 16, PROTOCOL = 32 };

static const struct {
	const char *name;
	uint8_t bit;
	bool request;
} pseudos[] = {
	{":method", METHOD, true},  {":scheme", SCHEME, true},
	{":path", PATH, true},      {":authority", AUTHORITY, true},
	{":status", STATUS, false}, {":protocol", PROTOCOL, true}, /* RFC 8441 */
};

/* RFC 9113 section 8.2.2: "Any message containing connection-specific header fields MUST be treated
 * as malformed". */
static const char *const connection_fields[] = {"connection", "keep-alive", "proxy-connection",
						"transfer-encoding", "upgrade"};

static bool is_wanted(struct ww_slice name)
{
	return (name.n > 0 && name.p[0] == ':') || ww_head_wants(name);
}

enum ww_hpack_want ww_h2_response_wants(struct ww_slice name)
{
	return is_wanted(name) ? WW_HPACK_KEEP : WW_HPACK_MEASURE;
}

enum ww_hpack_want ww_h2_request_wants(struct ww_slice name)
{
	if (is_wanted(name))
		return WW_HPACK_KEEP;
	return ww_caller_field(name) ? WW_HPACK_DIGEST : WW_HPACK_MEASURE;
}

void ww_h2_head_begin(struct ww_h2_head *h, const struct ww_digest_key *key, bool request,
		      bool trailer)
{
	ww_head_begin(&h->head, key);
	h->head.trailer = trailer;
	h->request = request;
	h->regular = h->unknown = h->malformed = h->limit = false;
	h->seen = 0;
}

static bool take_status(struct ww_exchange *x, struct ww_slice v)
{
	uint64_t status;

	if (v.n != 3 || ww_slice_u64(v, &status) < 0 || status < 100)
		return false;
	x->status = (uint16_t)status;
	return true;
}

static void take_pseudo(struct ww_h2_head *h, struct ww_exchange *x, const struct ww_hpack_field *f)
{
	unsigned i = 0;

	while (i < WW_ARRAY_SIZE(pseudos) && !ww_slice_eq_str(f->name, pseudos[i].name))
		i++;
	/* Section 8.3: unknown, twice, behind the others, or of the other kind of message. */
	if (i == WW_ARRAY_SIZE(pseudos) || h->regular || h->head.trailer ||
	    pseudos[i].request != h->request || h->seen & pseudos[i].bit) {
		h->malformed = true;
		return;
	}
	h->seen |= pseudos[i].bit;
	switch ((enum pseudo)pseudos[i].bit) {
	case METHOD:
		ww_head_text(x, f->value, x->method, sizeof(x->method));
		break;
	case PATH:
		ww_head_text(x, f->value, x->target, sizeof(x->target));
		break;
	case AUTHORITY:
		ww_head_text(x, f->value, x->authority, sizeof(x->authority));
		break;
	case STATUS:
		h->malformed |= !take_status(x, f->value);
		break;
	case SCHEME:
	case PROTOCOL:
		break;
	}
}

/* Section 8.2.1 and 8.2.2. */
static bool allowed(const struct ww_hpack_field *f)
{
	if (f->name.n == 0)
		return false;
	for (size_t i = 0; i < f->name.n; i++) {
		uint8_t c = f->name.p[i];

		if (c <= ' ' || c >= 0x7f || (c >= 'A' && c <= 'Z') || (c == ':' && i > 0))
			return false;
	}
	for (size_t i = 0; i < WW_ARRAY_SIZE(connection_fields); i++)
		if (ww_slice_eq_str(f->name, connection_fields[i]))
			return false;
	for (size_t i = 0; i < f->value.n; i++)
		if (f->value.p[i] == '\0' || f->value.p[i] == '\r' || f->value.p[i] == '\n')
			return false;
	return true;
}

/* RFC 9113 section 8.3.1: a Host field beside :authority must say the same. */
static bool is_second_authority(struct ww_h2_head *h, const struct ww_exchange *x,
				const struct ww_hpack_field *f)
{
	if (!h->request || !(h->seen & AUTHORITY) || !ww_slice_eq_str(f->name, "host"))
		return false;
	h->malformed |= f->kept && !ww_slice_ieq_str(ww_slice_trim(f->value), x->authority);
	return true;
}

/* The digest stands for the value. */
static void take_caller(struct ww_h2_head *h, const struct ww_hpack_field *f)
{
	h->head.in_value = true;
	h->regular = true;
	if (!h->head.trailer)
		h->head.caller.sum += f->digest;
}

void ww_h2_head_field(struct ww_h2_head *h, struct ww_exchange *x, const struct ww_hpack_field *f)
{
	if (!f->named || (!f->kept && !f->digested && is_wanted(f->name))) {
		h->unknown = true;
		return;
	}
	if (h->limit)
		return;
	h->malformed |= !allowed(f);
	if (!ww_head_name(&h->head, f->name)) {
		h->limit = true;
		return;
	}
	if (f->digested) {
		take_caller(h, f);
		return;
	}
	if (!ww_head_value(&h->head, f->value, h->request)) {
		h->limit = true;
		return;
	}
	h->head.value_bytes = f->value_bytes < UINT32_MAX ? (uint32_t)f->value_bytes : UINT32_MAX;
	if (f->name.n > 0 && f->name.p[0] == ':') {
		take_pseudo(h, x, f);
		return;
	}
	h->regular = true;
	if (!is_second_authority(h, x, f))
		ww_head_field(&h->head, x, h->request);
}

void ww_h2_head_end(struct ww_h2_head *h, struct ww_exchange *x)
{
	uint8_t must = h->request ? METHOD | SCHEME | PATH : STATUS;
	bool connect = h->request && strcmp(x->method, "CONNECT") == 0;

	h->malformed |= h->head.length_broken;
	if (h->head.trailer)
		return;
	/* Section 8.5: CONNECT has only :method and :authority; RFC 8441 gives it the rest. */
	if (connect && !(h->seen & PROTOCOL)) {
		must = METHOD | AUTHORITY;
		h->malformed |= (h->seen & (SCHEME | PATH)) != 0;
		memcpy(x->target, x->authority, sizeof(x->authority));
	}
	if (!h->unknown && (h->seen & must) != must)
		h->malformed = true;
	if (!h->unknown)
		ww_head_end(&h->head, x, h->request);
	if (h->request && !connect)
		ww_head_authority(x);
}
