/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/dsse.h"

#include <errno.h>
#include <stdio.h>

#include "base/encode.h"
#include "base/json_write.h"

/* A sequence of two numbers of one byte each. */
#define DER_SIG_MIN 8u

/* Lengths and spaces are below 64 bytes. */
_Static_assert(64 + WW_DSSE_TYPE_MAX <= WW_DSSE_ROOM, "room for what a PAE has before the payload");

static int add_head(struct ww_slice type, size_t payload_n, struct ww_buf *out)
{
	char head[64], middle[32];
	int n = snprintf(head, sizeof(head), "DSSEv1 %zu ", type.n), r;

	r = ww_buf_add(out, head, (size_t)n);
	if (r == 0)
		r = ww_buf_add(out, type.p, type.n);
	n = snprintf(middle, sizeof(middle), " %zu ", payload_n);
	return r < 0 ? r : ww_buf_add(out, middle, (size_t)n);
}

int ww_dsse_pae(struct ww_slice type, struct ww_slice payload, struct ww_buf *out)
{
	int r = add_head(type, payload.n, out);

	return r < 0 ? r : ww_buf_add(out, payload.p, payload.n);
}

/* Room for a payload's PAE: lengths and spaces are below 64 bytes. */
static size_t pae_max(struct ww_slice type, struct ww_slice payload)
{
	return 64 + type.n + payload.n;
}

static int sign_pae(const struct ww_note_signer *s, struct ww_slice type, struct ww_slice payload,
		    uint8_t ret_sig[WW_NOTE_SIG_LEN])
{
	WW_AUTO_BUF struct ww_buf pae = {0};
	int r;

	ww_buf_init(&pae, pae_max(type, payload));
	r = ww_dsse_pae(type, payload, &pae);
	return r < 0 ? r : ww_note_sign_raw(s, ww_buf_slice(&pae), ret_sig);
}

/* The payload in base64, straight into the envelope. */
static int add_base64(struct ww_buf *out, struct ww_slice in)
{
	uint8_t *p;
	int r = ww_buf_reserve(out, WW_BASE64_LEN(in.n) + 1, &p);

	if (r < 0)
		return r;
	ww_base64_encode(in, (char *)p);
	out->n += WW_BASE64_LEN(in.n);
	return 0;
}

int ww_dsse_sign(const struct ww_note_signer *s, struct ww_slice type, struct ww_slice payload,
		 struct ww_buf *out)
{
	char keyid[WW_NOTE_NAME_MAX + 16], b64[WW_BASE64_LEN(WW_NOTE_SIG_LEN) + 1];
	uint8_t sig[WW_NOTE_SIG_LEN];
	WW_AUTO_BUF struct ww_buf tail = {0};
	struct ww_jsonw w;
	int r = sign_pae(s, type, payload, sig);

	if (r < 0)
		return r;
	ww_base64_encode(ww_slice(sig, sizeof(sig)), b64);
	snprintf(keyid, sizeof(keyid), "%s+%08x", s->key.name, s->key.id);
	ww_buf_init(&tail, 4096);
	ww_jsonw_init(&w, &tail);
	ww_jsonw_object(&w, NULL);
	ww_jsonw_str(&w, "payloadType", type);
	ww_jsonw_array(&w, "signatures");
	ww_jsonw_object(&w, NULL);
	ww_jsonw_cstr(&w, "keyid", keyid);
	ww_jsonw_cstr(&w, "sig", b64);
	ww_jsonw_end_object(&w);
	ww_jsonw_end_array(&w);
	ww_jsonw_end_object(&w);
	if (!ww_jsonw_ok(&w))
		return w.err;
	/* The writer would scan the payload for escapes; base64 has none. */
	r = ww_buf_add(out, "{\"payload\":\"", 12);
	if (r == 0)
		r = add_base64(out, payload);
	if (r == 0)
		r = ww_buf_add(out, "\",", 2);
	if (r == 0)
		r = ww_buf_add(out, tail.p + 1, tail.n - 1);
	return r < 0 ? r : ww_buf_add(out, "\n", 1);
}

/* Decodes a base64 string field into out, whose ceiling bounds it. */
static int decode(const struct ww_field *f, struct ww_buf *out)
{
	WW_AUTO_BUF struct ww_buf scratch = {0};
	struct ww_slice text;
	uint8_t *p;
	size_t n;
	int r;

	ww_buf_init(&scratch, f->text.n);
	r = ww_fields_text(&f->token, &scratch, &text);
	if (r == 0)
		r = ww_buf_reserve(out, text.n / 4 * 3, &p);
	if (r == 0)
		r = ww_base64_decode(text, true, p, text.n / 4 * 3, &n);
	if (r == 0)
		out->n += n;
	return r;
}

/* Whether the text lies in the memory behind the room. */
static bool lies_in(const struct ww_buf *b, struct ww_slice text)
{
	return b && text.p >= b->p + WW_DSSE_ROOM && text.p + text.n <= b->p + b->n;
}

static int decode_payload(const struct ww_field *f, size_t payload_max, struct ww_buf *over,
			  struct ww_dsse *d)
{
	static const uint8_t room[WW_DSSE_ROOM];
	struct ww_slice text = f->token.raw;
	size_t n;
	int r;

	if (f->token.escaped || !lies_in(over, text)) {
		ww_buf_init(&d->memory, WW_DSSE_ROOM + payload_max);
		r = ww_buf_add(&d->memory, room, sizeof(room));
		if (r == 0)
			r = decode(f, &d->memory);
		if (r < 0)
			return r;
		d->at = d->memory.p + WW_DSSE_ROOM;
		d->payload = ww_slice_sub(ww_buf_slice(&d->memory), WW_DSSE_ROOM, SIZE_MAX);
		return 0;
	}
	if (text.n / 4 * 3 > payload_max)
		return -EMSGSIZE;
	d->at = over->p + (text.p - over->p);
	r = ww_base64_decode(text, true, d->at, text.n / 4 * 3, &n);
	if (r == 0)
		d->payload = ww_slice(d->at, n);
	return r;
}

static int parse_signatures(struct ww_slice array, struct ww_dsse *d, struct ww_errtext *why)
{
	struct ww_json_token t;
	struct ww_slice text;
	struct ww_json j;
	size_t count = 0;
	int r = ww_fields_array(array, &j);

	if (r < 0)
		return ww_errtext_set(why, r, "the signatures are not an array");
	while ((r = ww_fields_next(&j, &t, &text)) == 1) {
		struct ww_field f = {.name = "sig", .type = WW_JSON_STRING};
		WW_AUTO_BUF struct ww_buf sig = {0};

		ww_buf_init(&sig, 64u << 10);
		if (++count > WW_DSSE_SIGNATURES_MAX)
			return ww_errtext_set(why, -EINVAL, "too many signatures");
		r = ww_fields_read(text, "a signature", &f, 1, why);
		if (r < 0)
			return r;
		r = decode(&f, &sig);
		if (r < 0)
			return ww_errtext_set(why, r == -ENOMEM ? r : -EINVAL,
					      "a signature is not base64");
		if (sig.n == WW_NOTE_SIG_LEN)
			memcpy(d->signature[d->n_signatures++], sig.p, sig.n);
		if (sig.n >= DER_SIG_MIN && sig.n <= WW_SIGNER_SIG_MAX) {
			d->ecdsa[d->n_ecdsa].n = (uint8_t)sig.n;
			memcpy(d->ecdsa[d->n_ecdsa++].sig, sig.p, sig.n);
		}
	}
	if (r < 0)
		return ww_errtext_set(why, r, "the signatures are not an array");
	if (d->n_ecdsa == 0)
		return ww_errtext_set(why, -EINVAL, "there is no Ed25519 or P-256 signature");
	return 0;
}

enum { PAYLOAD, TYPE, SIGNATURES };

void ww_dsse_fields(struct ww_field ret[WW_DSSE_FIELDS])
{
	ret[PAYLOAD] = (struct ww_field){.name = "payload", .type = WW_JSON_STRING};
	ret[TYPE] = (struct ww_field){.name = "payloadType", .type = WW_JSON_STRING};
	ret[SIGNATURES] = (struct ww_field){.name = "signatures", .type = WW_JSON_ARRAY};
}

static int take(const struct ww_field f[WW_DSSE_FIELDS], size_t payload_max, struct ww_buf *over,
		struct ww_dsse *d, struct ww_errtext *why)
{
	WW_AUTO_BUF struct ww_buf scratch = {0};
	struct ww_slice type;
	int r;

	ww_buf_init(&scratch, WW_DSSE_TYPE_MAX);
	if (ww_fields_text(&f[TYPE].token, &scratch, &type) < 0 || type.n > WW_DSSE_TYPE_MAX ||
	    memchr(type.p, 0, type.n))
		return ww_errtext_set(why, -EINVAL, "the payload type is too long");
	memcpy(d->type, type.p, type.n);
	r = decode_payload(&f[PAYLOAD], payload_max, over, d);
	if (r < 0)
		return ww_errtext_set(why, r, "the payload is %s",
				      r == -EINVAL ? "not base64" : "too large");
	return parse_signatures(f[SIGNATURES].text, d, why);
}

int ww_dsse_take(const struct ww_field f[WW_DSSE_FIELDS], size_t payload_max, struct ww_buf *over,
		 struct ww_dsse *ret, struct ww_errtext *why)
{
	struct ww_dsse d = {0};
	int r = take(f, payload_max, over, &d, why);

	if (r < 0)
		ww_dsse_done(&d);
	else
		*ret = d;
	return r;
}

int ww_dsse_parse(struct ww_slice envelope, size_t payload_max, struct ww_buf *over,
		  struct ww_dsse *ret, struct ww_errtext *why)
{
	struct ww_field f[WW_DSSE_FIELDS];
	int r;

	ww_dsse_fields(f);
	r = ww_fields_read(envelope, "the envelope", f, WW_DSSE_FIELDS, why);
	return r < 0 ? r : ww_dsse_take(f, payload_max, over, ret, why);
}

void ww_dsse_done(struct ww_dsse *d)
{
	ww_buf_done(&d->memory);
}

/* The bytes that are signed, put together in the room before the payload. */
static int signed_bytes(struct ww_dsse *d, struct ww_slice *ret)
{
	WW_AUTO_BUF struct ww_buf head = {0};
	int r;

	ww_buf_init(&head, WW_DSSE_ROOM);
	r = add_head(ww_slice_str(d->type), d->payload.n, &head);
	if (r < 0)
		return r;
	memcpy(d->at - head.n, head.p, head.n);
	*ret = ww_slice(d->at - head.n, head.n + d->payload.n);
	return 0;
}

int ww_dsse_verify(struct ww_dsse *d, const struct ww_note_key *key)
{
	size_t place;

	return ww_dsse_verify_which(d, key, &place);
}

int ww_dsse_verify_which(struct ww_dsse *d, const struct ww_note_key *key, size_t *ret_place)
{
	struct ww_slice pae;
	int r = signed_bytes(d, &pae);

	if (r < 0)
		return r;
	for (size_t i = 0; i < d->n_signatures; i++) {
		r = ww_note_verify_raw(key, pae, ww_slice(d->signature[i], WW_NOTE_SIG_LEN));
		if (r == 0)
			*ret_place = i;
		if (r != -EBADMSG)
			return r;
	}
	return -EBADMSG;
}

int ww_dsse_verify_ecdsa(struct ww_dsse *d, struct ww_slice spki, size_t *ret_place)
{
	struct ww_slice pae;
	int r = signed_bytes(d, &pae);

	if (r < 0)
		return r;
	for (size_t i = 0; i < d->n_ecdsa; i++) {
		if (ww_signer_verify_ecdsa(spki, pae, ww_slice(d->ecdsa[i].sig, d->ecdsa[i].n)) ==
		    0) {
			*ret_place = i;
			return 0;
		}
	}
	return -EBADMSG;
}
