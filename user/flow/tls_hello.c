/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. A length never reaches beyond the structure around it: an inner length that says more is BAD,
 * unless the outer one itself was cut off by the capture.
 *  2. *facts is written once, at the end, from a copy.
 */
#include "flow/tls_hello.h"

#include "base/cursor.h"

#define RECORD_HANDSHAKE       22 /* RFC 8446 section 5.1 */
#define CLIENT_HELLO           1  /* RFC 8446 section 4 */
#define SERVER_HELLO           2
#define EXT_SERVER_NAME        0      /* RFC 6066 section 3 */
#define EXT_ALPN               16     /* RFC 7301 section 3.1 */
#define EXT_PRE_SHARED_KEY     41     /* RFC 8446 section 4.2.11 */
#define EXT_EARLY_DATA         42     /* section 4.2.10 */
#define EXT_SUPPORTED_VERSIONS 43     /* section 4.2.1 */
#define EXT_ECH                0xfe0d /* RFC 9849 section 5 */

/* A run whose announced length may reach beyond the captured bytes. */
struct run {
	struct ww_cursor c;
	bool cut;
};

/*
 * Opens a run of `n` announced bytes inside `outer`. Past the end of `outer` it is cut when `outer`
 * is, else a contradiction (false).
 */
static bool open_run(struct run *outer, size_t n, struct run *ret_run)
{
	size_t left = ww_cursor_left(&outer->c);

	if (!ww_cursor_ok(&outer->c))
		return false;
	if (n <= left) {
		*ret_run = (struct run){ww_cursor(ww_cursor_take(&outer->c, n)), false};
		return true;
	}
	if (!outer->cut)
		return false;
	*ret_run = (struct run){ww_cursor(ww_cursor_take(&outer->c, left)), true};
	return true;
}

/* GREASE values (RFC 8701 section 2): both bytes equal and of the form 0x?a. */
static bool is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && (v >> 8) == (v & 0xff);
}

static bool copy_printable(struct ww_slice s, char *out, size_t cap)
{
	if (s.n == 0 || s.n >= cap)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
			return false;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

static bool read_server_name(struct run *ext, struct ww_tls_facts *facts)
{
	struct run list, name;
	uint8_t type;

	/* A server answers with an empty extension. */
	if (!open_run(ext, ww_cursor_be16(&ext->c), &list))
		return ext->cut;
	while (ww_cursor_left(&list.c) > 0) {
		type = ww_cursor_u8(&list.c);
		if (!open_run(&list, ww_cursor_be16(&list.c), &name))
			return list.cut;
		/* "Currently, the only server names supported are DNS hostnames", type 0. */
		if (type == 0 && !name.cut)
			return copy_printable(name.c.in, facts->sni, sizeof(facts->sni));
	}
	return true;
}

static bool read_alpn(struct run *ext, bool client, struct ww_tls_facts *facts)
{
	struct run list, name;
	uint16_t count = 0;
	bool have = false;

	if (!open_run(ext, ww_cursor_be16(&ext->c), &list))
		return ext->cut;
	while (ww_cursor_left(&list.c) > 0) {
		if (!open_run(&list, ww_cursor_u8(&list.c), &name))
			return list.cut;
		count++;
		/* GREASE names and names too long for the field are skipped. */
		if (!have && !name.cut)
			have = copy_printable(name.c.in, facts->alpn, sizeof(facts->alpn));
	}
	if (client && !list.cut)
		facts->alpn_offered = count;
	return true;
}

static bool read_versions(struct run *ext, bool client, struct ww_tls_facts *facts)
{
	struct run list;
	uint16_t v;

	if (!client) {
		v = ww_cursor_be16(&ext->c);
		if (!ww_cursor_ok(&ext->c))
			return ext->cut;
		facts->version = v;
		return true;
	}
	if (!open_run(ext, ww_cursor_u8(&ext->c), &list))
		return ext->cut;
	while (ww_cursor_left(&list.c) >= 2) {
		v = ww_cursor_be16(&list.c);
		if (!is_grease(v) && v > facts->version_offered)
			facts->version_offered = v;
	}
	return ww_cursor_left(&list.c) == 0 || list.cut;
}

/* False: malformed. *ret_cut: ended by the capture, not by the list. */
static bool read_extensions(struct run *body, bool client, struct ww_tls_facts *facts,
			    bool *ret_cut)
{
	struct run list, ext;
	uint16_t type;

	*ret_cut = body->cut;
	/* TLS 1.2 and older: no extensions at all is legal (RFC 5246 section 7.4.1.2). */
	if (ww_cursor_left(&body->c) == 0)
		return true;
	if (ww_cursor_left(&body->c) < 2)
		return body->cut;
	if (!open_run(body, ww_cursor_be16(&body->c), &list))
		return false;
	while (ww_cursor_left(&list.c) >= 4) {
		bool ok = true;

		type = ww_cursor_be16(&list.c);
		if (!open_run(&list, ww_cursor_be16(&list.c), &ext))
			return false;
		if (type == EXT_SERVER_NAME && client)
			ok = read_server_name(&ext, facts);
		else if (type == EXT_ALPN)
			ok = read_alpn(&ext, client, facts);
		else if (type == EXT_SUPPORTED_VERSIONS)
			ok = read_versions(&ext, client, facts);
		else if (type == EXT_ECH && client)
			facts->ech = true;
		else if (type == EXT_EARLY_DATA && client)
			facts->early = true;
		else if (type == EXT_PRE_SHARED_KEY)
			*(client ? &facts->psk_offered : &facts->psk) = true;
		if (!ok)
			return false;
	}
	*ret_cut = list.cut;
	return list.cut || (ww_cursor_left(&list.c) == 0 && ww_cursor_left(&body->c) == 0);
}

/* RFC 8446 section 4.1.3: the random that makes a ServerHello a HelloRetryRequest. */
static const uint8_t retry_random[] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
	0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
	0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static void read_session_id(struct ww_slice id, bool client, struct ww_tls_facts *facts)
{
	if (client && id.n <= sizeof(facts->session_id)) {
		facts->session_id_bytes = (uint8_t)id.n;
		if (id.n > 0)
			memcpy(facts->session_id, id.p, id.n);
	} else if (!client) {
		facts->resumed = id.n > 0 && id.n == facts->session_id_bytes &&
				 memcmp(id.p, facts->session_id, id.n) == 0;
	}
}

/* Past legacy_version, random and session id, up to the extensions. */
static bool read_fixed_part(struct run *body, bool client, struct ww_tls_facts *facts)
{
	uint16_t legacy = ww_cursor_be16(&body->c), cipher;
	struct ww_slice random = ww_cursor_take(&body->c, sizeof(retry_random));

	read_session_id(ww_cursor_take(&body->c, ww_cursor_u8(&body->c)), client, facts);
	if (client) {
		ww_cursor_take(&body->c, ww_cursor_be16(&body->c)); /* cipher suites */
		ww_cursor_take(&body->c, ww_cursor_u8(&body->c));   /* compression methods */
		if (legacy > facts->version_offered)
			facts->version_offered = legacy;
		return ww_cursor_ok(&body->c);
	}
	cipher = ww_cursor_be16(&body->c);
	ww_cursor_u8(&body->c);
	if (!ww_cursor_ok(&body->c))
		return false;
	facts->version = legacy;
	facts->cipher = cipher;
	facts->retry = memcmp(random.p, retry_random, sizeof(retry_random)) == 0;
	return true;
}

/* From the handshake header on; *r may be cut. */
static enum ww_parse read_message(struct run *r, bool client, struct ww_tls_facts *facts)
{
	struct ww_tls_facts got = *facts;
	struct run body;
	bool cut;

	if (ww_cursor_u8(&r->c) != (client ? CLIENT_HELLO : SERVER_HELLO))
		return WW_PARSE_BAD;
	if (!open_run(r, ww_cursor_be24(&r->c), &body))
		return WW_PARSE_BAD;
	if (!read_fixed_part(&body, client, &got))
		return body.cut ? WW_PARSE_MORE : WW_PARSE_BAD;
	if (!read_extensions(&body, client, &got, &cut))
		return WW_PARSE_BAD;
	if (client) {
		got.client_hello = true;
		got.client_cut = cut;
	} else {
		got.server_hello = true;
		got.server_cut = cut;
	}
	*facts = got;
	return cut ? WW_PARSE_MORE : WW_PARSE_DONE;
}

enum ww_parse ww_tls_hello_message(struct ww_slice message, bool client, struct ww_tls_facts *facts)
{
	struct run all = {ww_cursor(message), true};

	return message.n < 4 ? WW_PARSE_MORE : read_message(&all, client, facts);
}

enum ww_parse ww_tls_hello_parse(struct ww_slice record_bytes, bool client,
				 struct ww_tls_facts *facts)
{
	struct run all = {ww_cursor(record_bytes), true}, record;

	if (record_bytes.n == 0)
		return WW_PARSE_MORE;
	if (ww_cursor_u8(&all.c) != RECORD_HANDSHAKE)
		return WW_PARSE_BAD;
	if (record_bytes.n < 9)
		return WW_PARSE_MORE;
	/* legacy_record_version: 0x0301 up to 0x0303, never to be relied on further. */
	if (ww_cursor_be16(&all.c) >> 8 != 3 || !open_run(&all, ww_cursor_be16(&all.c), &record))
		return WW_PARSE_BAD;
	/* The message may go on in a further record (RFC 8446 section 5.1): then it is cut here. */
	record.cut = true;
	return read_message(&record, client, facts);
}
