/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/head.h"

#include <wirewitness/limits.h>

#include "base/encode.h"
#include "proto/coding.h"

enum wanted {
	UNWANTED,
	HOST,
	TRACEPARENT,
	IDEMPOTENCY_KEY,
	CONTENT_TYPE,
	CONTENT_ENCODING,
	CONTENT_LENGTH,
	TRANSFER_ENCODING,
	RETRY_AFTER,
	GRPC_STATUS,
	UPGRADE,
	WS_EXTENSIONS,
	/* in order of preference, first is best */
	X_REQUEST_ID,
	REQUEST_ID,
	VENDOR_REQUEST_ID,
	CALLER, /* no field of its own: caller.h */
	PLACE,  /* and what is above: PLACE + enum ww_place_from */
};

#define NAMED_MAX 25 /* longest of the names below, plus one */

enum of { REQUESTS = 1, RESPONSES = 2, TRAILERS = 4 /* of responses */ };

struct name {
	const char *text;
	uint8_t wanted;
	uint8_t of; /* enum of */
};

#define NAMES_PER_LENGTH 5

/* By length of the name. */
static const struct name names[NAMED_MAX][NAMES_PER_LENGTH] = {
	[3] = {{"via", PLACE + WW_PLACE_VIA, RESPONSES}},
	[4] = {{"host", HOST, REQUESTS}},
	[6] = {{"cf-ray", PLACE + WW_PLACE_CF_RAY, RESPONSES}},
	[7] = {{"upgrade", UPGRADE, RESPONSES}},
	[10] = {{"request-id", REQUEST_ID, RESPONSES}},
	[11] = {{"traceparent", TRACEPARENT, REQUESTS},
		{"retry-after", RETRY_AFTER, RESPONSES},
		{"grpc-status", GRPC_STATUS, RESPONSES | TRAILERS},
		{"x-ms-region", PLACE + WW_PLACE_MS_REGION, RESPONSES},
		{"x-azure-ref", PLACE + WW_PLACE_AZURE_REF, RESPONSES}},
	[12] = {{"content-type", CONTENT_TYPE, REQUESTS | RESPONSES},
		{"x-request-id", X_REQUEST_ID, RESPONSES},
		{"x-amz-cf-pop", PLACE + WW_PLACE_AMZ_CF_POP, RESPONSES}},
	[14] = {{"content-length", CONTENT_LENGTH, REQUESTS | RESPONSES}},
	[15] = {{"idempotency-key", IDEMPOTENCY_KEY, REQUESTS},
		{"apim-request-id", VENDOR_REQUEST_ID, RESPONSES}},
	[16] = {{"content-encoding", CONTENT_ENCODING, REQUESTS | RESPONSES},
		{"x-amzn-requestid", VENDOR_REQUEST_ID, RESPONSES}},
	[17] = {{"transfer-encoding", TRANSFER_ENCODING, REQUESTS | RESPONSES}},
	[24] = {{"sec-websocket-extensions", WS_EXTENSIONS, RESPONSES}},
};

void ww_head_begin(struct ww_head *h, const struct ww_digest_key *key)
{
	memset(h, 0, offsetof(struct ww_head, name));
	h->key = key;
}

static uint8_t on_list(struct ww_slice name, unsigned of)
{
	for (int i = 0; i < NAMES_PER_LENGTH && name.n < NAMED_MAX; i++) {
		const struct name *n = &names[name.n][i];

		if (n->text && n->of & of && ww_slice_ieq_str(name, n->text))
			return n->wanted;
	}
	return UNWANTED;
}

bool ww_head_wants(struct ww_slice name)
{
	return on_list(name, REQUESTS | RESPONSES | TRAILERS) != UNWANTED;
}

static uint8_t look_up(const struct ww_head *h, bool request)
{
	struct ww_slice name = ww_slice(h->name, h->name_n);
	uint8_t wanted;

	if (h->trailer)
		return request ? UNWANTED : on_list(name, TRAILERS);
	wanted = on_list(name, request ? REQUESTS : RESPONSES);
	return wanted == UNWANTED && request && ww_caller_field(name) ? CALLER : wanted;
}

void ww_head_text(struct ww_exchange *x, struct ww_slice v, char *out, size_t cap)
{
	if (v.n >= cap) {
		v.n = cap - 1;
		x->findings |= WW_X_CUT;
	}
	if (v.n > 0)
		memmove(out, v.p, v.n);
	out[v.n] = '\0';
}

static void take_text(struct ww_exchange *x, struct ww_slice v, bool cut, char *out, size_t cap)
{
	if (cut)
		x->findings |= WW_X_CUT;
	ww_head_text(x, v, out, cap);
}

bool ww_head_traceparent(struct ww_slice value, struct ww_trace_context *ret_trace)
{
	struct ww_trace_context t = {.present = true};
	static const uint8_t zero[16];
	uint8_t version;

	/* 2 + 1 + 32 + 1 + 16 + 1 + 2; "HEXDIGLC" is lower case only. */
	if (value.n < 55 || value.p[2] != '-' || value.p[35] != '-' || value.p[52] != '-')
		return false;
	for (size_t i = 0; i < 55; i++)
		if (value.p[i] >= 'A' && value.p[i] <= 'F')
			return false;
	if (ww_hex_decode(ww_slice_sub(value, 0, 2), &version, 1) < 0 ||
	    ww_hex_decode(ww_slice_sub(value, 3, 32), t.trace_id, 16) < 0 ||
	    ww_hex_decode(ww_slice_sub(value, 36, 16), t.span_id, 8) < 0 ||
	    ww_hex_decode(ww_slice_sub(value, 53, 2), &t.flags, 1) < 0)
		return false;
	/* "Version ff is invalid"; a higher version may go on after a dash. */
	if (version == 0xff || (version == 0 && value.n != 55) ||
	    (value.n > 55 && value.p[55] != '-'))
		return false;
	if (memcmp(t.trace_id, zero, 16) == 0 || memcmp(t.span_id, zero, 8) == 0)
		return false;
	*ret_trace = t;
	return true;
}

static void take_idempotency_key(struct ww_exchange *x, const struct ww_digest_key *key,
				 struct ww_slice v, bool cut)
{
	struct ww_sha256 d;

	/* The digest of a part would equal that of another key with the same beginning. */
	if (cut) {
		x->findings |= WW_X_CUT;
		return;
	}
	ww_digest(key, v, &d);
	ww_hex_encode(ww_slice(d.b, sizeof(d.b)), x->idempotency_key_digest);
}

static void take_retry_after(struct ww_exchange *x, struct ww_slice v)
{
	uint64_t s;

	x->retry_after = true;
	/* RFC 9110 section 10.2.3: a date, or "a number of seconds to delay". */
	if (ww_slice_u64(v, &s) == 0)
		x->retry_after_s = s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

static void take_request_id(struct ww_head *h, struct ww_exchange *x, struct ww_slice v)
{
	uint8_t rank = VENDOR_REQUEST_ID - h->wanted + 1;

	if (rank <= h->id_rank)
		return;
	h->id_rank = rank;
	take_text(x, v, h->value_cut, x->request_id, sizeof(x->request_id));
}

static void take_coding(struct ww_head *h, struct ww_slice v)
{
	uint8_t coding = (uint8_t)(h->value_cut ? WW_CODING_OTHER : ww_coding_of(v));

	/* Two fields are one list: more than one coding. */
	if (h->coding == WW_CODING_IDENTITY)
		h->coding = coding;
	else if (coding != WW_CODING_IDENTITY)
		h->coding = WW_CODING_OTHER;
}

static void take_length(struct ww_head *h, struct ww_slice v)
{
	uint64_t n = 0;

	if (h->value_cut || ww_slice_u64(v, &n) < 0 || (h->has_length && n != h->length))
		h->length_broken = true;
	h->has_length = true;
	h->length = n;
}

/* Only the trailers, or a head that is all of the answer, have the last word. Two are none. */
static void take_grpc_status(struct ww_exchange *x, struct ww_slice v, bool cut)
{
	uint64_t n;

	if (x->grpc.told || cut || ww_slice_u64(v, &n) < 0 || n > UINT16_MAX)
		x->grpc.known = false;
	else
		x->grpc = (struct ww_grpc_status){.known = true, .code = (uint16_t)n};
	x->grpc.told = true;
}

static bool count(struct ww_head *h, size_t n)
{
	if (n > WW_HEAD_BYTES_MAX - h->bytes)
		return false;
	h->bytes += (uint32_t)n;
	return true;
}

bool ww_head_name(struct ww_head *h, struct ww_slice piece)
{
	size_t n = piece.n;

	if (h->in_value || h->fields == 0) {
		h->in_value = h->value_cut = false;
		h->wanted = UNWANTED;
		h->name_n = 0;
		h->value_n = 0;
		h->value_bytes = 0;
		if (++h->fields > WW_HEADERS_MAX)
			return false;
	}
	if (n > WW_CALLER_NAME_MAX - h->name_n)
		n = WW_CALLER_NAME_MAX - h->name_n;
	if (n > 0)
		memcpy(h->name + h->name_n, piece.p, n);
	h->name_n = (uint8_t)(h->name_n + n);
	return count(h, piece.n);
}

bool ww_head_value(struct ww_head *h, struct ww_slice piece, bool request)
{
	size_t n = piece.n;

	if (!h->in_value) {
		h->in_value = true;
		h->wanted = look_up(h, request);
		if (h->wanted == CALLER)
			ww_caller_begin(&h->caller, h->key, ww_slice(h->name, h->name_n));
	}
	if (h->wanted == CALLER) {
		ww_caller_add(&h->caller, piece);
	} else if (h->wanted != UNWANTED) {
		if (n > WW_FIELD_BYTES_MAX - h->value_n) {
			n = WW_FIELD_BYTES_MAX - h->value_n;
			h->value_cut = true;
		}
		if (n > 0)
			memcpy(h->value + h->value_n, piece.p, n);
		h->value_n = (uint16_t)(h->value_n + n);
	}
	h->value_bytes += (uint32_t)piece.n;
	return count(h, piece.n);
}

void ww_head_field(struct ww_head *h, struct ww_exchange *x, bool request)
{
	struct ww_slice v = ww_slice_trim(ww_slice(h->value, h->value_n));
	struct ww_body *body = request ? &x->req : &x->resp;

	if (request && h->wanted != CALLER && h->value_bytes > x->field_bytes)
		x->field_bytes = h->value_bytes;
	if (h->wanted > PLACE) {
		ww_place_field(&x->places, (enum ww_place_from)(h->wanted - PLACE), v,
			       h->value_cut);
		return;
	}
	switch ((enum wanted)h->wanted) {
	case UNWANTED:
	case PLACE:
		return;
	case HOST:
		/* RFC 9112 section 3.2: "more than one Host header field line" is answered with
		 * 400. */
		if (h->has_host)
			x->findings |= WW_X_MALFORMED_REQUEST;
		else
			take_text(x, v, h->value_cut, x->authority, sizeof(x->authority));
		h->has_host = true;
		return;
	case TRACEPARENT:
		/* More than one is as good as none: which one holds is not known. */
		if (h->has_trace)
			x->trace = (struct ww_trace_context){0};
		else if (!h->value_cut)
			(void)ww_head_traceparent(v, &x->trace); /* invalid: as if not sent */
		h->has_trace = true;
		return;
	case IDEMPOTENCY_KEY:
		if (!x->idempotency_key_digest[0])
			take_idempotency_key(x, h->key, v, h->value_cut);
		return;
	case CONTENT_TYPE:
		if (!body->content_type[0])
			take_text(x, v, h->value_cut, body->content_type,
				  sizeof(body->content_type));
		return;
	case CONTENT_ENCODING:
		take_coding(h, v);
		return;
	case CONTENT_LENGTH:
		take_length(h, v);
		return;
	case GRPC_STATUS:
		take_grpc_status(x, v, h->value_cut);
		return;
	case TRANSFER_ENCODING:
		h->transfer_other |= !ww_slice_ieq_str(v, "chunked");
		return;
	case UPGRADE:
		h->ws.agreed |= ww_slice_ieq_str(v, "websocket");
		return;
	case WS_EXTENSIONS:
		ww_ws_terms_take(&h->ws, h->value_cut ? WW_SLICE_LIT("?") : v);
		return;
	case RETRY_AFTER:
		if (!h->has_retry)
			take_retry_after(x, v);
		h->has_retry = true;
		return;
	case X_REQUEST_ID:
	case REQUEST_ID:
	case VENDOR_REQUEST_ID:
		take_request_id(h, x, v);
		return;
	case CALLER:
		ww_caller_end(&h->caller);
		return;
	}
}

void ww_head_end(struct ww_head *h, struct ww_exchange *x, bool request)
{
	if (!request)
		return;
	x->caller_known = true;
	x->caller = h->caller.sum;
}

void ww_head_authority(struct ww_exchange *x)
{
	struct ww_slice t = ww_slice_str(x->target), a = WW_SLICE_NULL;
	size_t end;

	if (strcmp(x->method, "CONNECT") == 0)
		a = t;
	else if (t.n > 7 && strncasecmp(x->target, "http://", 7) == 0)
		a = ww_slice_sub(t, 7, t.n);
	else if (t.n > 8 && strncasecmp(x->target, "https://", 8) == 0)
		a = ww_slice_sub(t, 8, t.n);
	else
		a = ww_slice_str(x->authority);
	for (end = 0; end < a.n; end++)
		if (a.p[end] == '/' || a.p[end] == '?' || a.p[end] == '#')
			break;
	a = ww_slice_sub(a, 0, end);
	/* RFC 9110 section 4.2.4: user information is deprecated, and it is a secret. */
	for (size_t at = ww_slice_find(a, 0, '@'); at < a.n; at = ww_slice_find(a, 0, '@'))
		a = ww_slice_sub(a, at + 1, a.n);
	ww_head_text(x, a, x->authority, sizeof(x->authority));
}
