/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/key_holder.h"

#define TLS_13 0x0304
#define TLS_12 0x0303

#define RECORD_CIPHER_SPEC 20 /* RFC 8446 section 5.1, appendix B.1 */
#define RECORD_HANDSHAKE   22
#define RECORD_APPLICATION 23

/* Encrypted, with the shortest tag there is (AES-CCM-8): header 5, inner type 1, tag 8. */
#define FRAMING_MIN 14u
#define FRAMING_MAX 22u
/* RFC 8446 section 4.4.4: a header and a hash of 32 bytes or more. */
#define FINISHED_MIN (FRAMING_MIN + 4 + 32)
/* An alert is two bytes. */
#define ALERT_MAX (FRAMING_MAX + 2)

/* RFC 5246 section 7.4.5: a header without a body. */
#define HELLO_DONE_MAX (5u + 4)

/* A reason, or NONE and when what was signed was there at the latest. */
struct finding {
	enum ww_holder_why why;
	uint64_t at_ns;
};

/* Suites of TLS 1.2 and before whose server signs its key exchange, among those that are in use
 * (IANA's registry of TLS cipher suites). Others are not told apart from those that do not. */
static bool signs(uint16_t suite)
{
	static const uint16_t ranges[][2] = {
		{0x0032, 0x0033}, {0x0038, 0x0039}, /* DHE with AES-CBC, SHA-1 */
		{0x0067, 0x0067}, {0x006a, 0x006b}, /* the same, SHA-256 */
		{0x009e, 0x009f},                   /* DHE-RSA with AES-GCM */
		{0xc009, 0xc00a}, {0xc013, 0xc014}, /* ECDHE with AES-CBC, SHA-1 */
		{0xc023, 0xc024}, {0xc027, 0xc028}, /* the same, SHA-256 and -384 */
		{0xc02b, 0xc02c}, {0xc02f, 0xc030}, /* ECDHE with AES-GCM */
		{0xc09e, 0xc09f}, {0xc0a2, 0xc0a3}, /* DHE-RSA with AES-CCM */
		{0xc0ac, 0xc0af},                   /* ECDHE-ECDSA with AES-CCM */
		{0xcca8, 0xccaa},                   /* (EC)DHE with ChaCha20 */
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(ranges); i++)
		if (suite >= ranges[i][0] && suite <= ranges[i][1])
			return true;
	return false;
}

static const struct ww_account_record *first_after(const struct ww_account_dir *d, uint64_t ns)
{
	for (unsigned i = 0; i < d->record_count; i++)
		if (d->records[i].time_ns > ns)
			return &d->records[i];
	return NULL;
}

/* Whether the server sent such a record, longer than that, after then. */
static bool went_on(const struct ww_account_dir *in, uint64_t ns, uint8_t type, uint32_t longer)
{
	for (unsigned i = 0; i < in->record_count; i++)
		if (in->records[i].time_ns > ns && in->records[i].type == type &&
		    in->records[i].bytes > longer)
			return true;
	return false;
}

/* When the server's flight was there, which the client answers at `answer_ns`: then, or before it
 * where the last record has room for the last message alone. */
static uint64_t flight_end(const struct ww_account_dir *in, uint64_t answer_ns, uint8_t type,
			   uint32_t most)
{
	const struct ww_account_record *last = NULL;

	for (unsigned i = 0; i < in->record_count; i++)
		if (in->records[i].time_ns < answer_ns)
			last = &in->records[i];
	return last && last->type == type && last->bytes <= most ? last->time_ns : answer_ns;
}

/* A record of the server's Finished alone. RFC 8446 section 4.4.4, appendix B.4. */
static uint32_t finished_bytes(uint16_t cipher)
{
	return ww_account_framing(TLS_13, cipher) + 4 + (cipher == 0x1302 ? 48 : 32);
}

static struct finding second_flight_13(const struct ww_tls_facts *facts,
				       const struct ww_account_dir *out,
				       const struct ww_account_dir *in)
{
	const struct ww_account_record *r = NULL;

	if (facts->psk)
		return (struct finding){.why = WW_HOLDER_RESUMED};
	/* After a HelloRetryRequest the ServerHello itself is not read: it may go on with a session
	 * that was offered. */
	if (facts->server_cut || facts->client_cut || (facts->retry && facts->psk_offered))
		return (struct finding){.why = WW_HOLDER_UNREAD};
	if (facts->early)
		return (struct finding){.why = WW_HOLDER_EARLY_DATA};
	for (unsigned i = 0; i < out->record_count && !r; i++)
		if (out->records[i].type == RECORD_APPLICATION)
			r = &out->records[i];
	if (!r || in->record_count == 0 || r->time_ns <= in->records[0].time_ns ||
	    r->bytes < FINISHED_MIN || !went_on(in, r->time_ns, RECORD_APPLICATION, ALERT_MAX))
		return (struct finding){.why = WW_HOLDER_UNFINISHED};
	return (struct finding){.at_ns = flight_end(in, r->time_ns, RECORD_APPLICATION,
						    finished_bytes(facts->cipher))};
}

static struct finding second_flight_12(const struct ww_tls_facts *facts,
				       const struct ww_account_dir *out,
				       const struct ww_account_dir *in)
{
	const struct ww_account_record *r;

	if (facts->resumed)
		return (struct finding){.why = WW_HOLDER_RESUMED};
	if (!signs(facts->cipher))
		return (struct finding){.why = WW_HOLDER_UNSIGNED};
	r = in->record_count ? first_after(out, in->records[0].time_ns) : NULL;
	/* RFC 5246 figure 2: of a session that goes on the client has nothing else to say. */
	if (r && r->type == RECORD_CIPHER_SPEC)
		return (struct finding){.why = WW_HOLDER_RESUMED};
	if (!r || r->type != RECORD_HANDSHAKE || !went_on(in, r->time_ns, RECORD_CIPHER_SPEC, 0))
		return (struct finding){.why = WW_HOLDER_UNFINISHED};
	return (struct finding){
		.at_ns = flight_end(in, r->time_ns, RECORD_HANDSHAKE, HELLO_DONE_MAX)};
}

static bool same_host(const struct ww_flow *f)
{
	struct ww_endpoint local = f->local;

	local.port = f->peer.port;
	return ww_endpoint_loopback(&f->peer) || ww_endpoint_eq(&local, &f->peer);
}

static struct finding find(const struct ww_flow *f, uint64_t hello_ns,
			   const struct ww_account_dir dirs[2], bool walk_exact)
{
	const struct ww_account_dir *out = &dirs[WW_DIR_OUT], *in = &dirs[WW_DIR_IN];
	const struct ww_tls_facts *facts = &f->tls_facts;
	struct finding found = {.why = WW_HOLDER_UNFINISHED};

	if (f->role == WW_FLOW_ACCEPT)
		return (struct finding){.why = WW_HOLDER_SERVED};
	if (!f->seen_birth)
		return (struct finding){.why = WW_HOLDER_OLDER};
	if (same_host(f))
		return (struct finding){.why = WW_HOLDER_SAME_HOST};
	if (out->records_lost || in->records_lost || (facts->server_hello && !hello_ns))
		return (struct finding){.why = WW_HOLDER_LOST};
	if (facts->server_hello && !facts->client_hello)
		return (struct finding){.why = WW_HOLDER_UNREAD};
	if (facts->server_hello && facts->version == TLS_13)
		found = second_flight_13(facts, out, in);
	else if (facts->server_hello && facts->version == TLS_12)
		found = second_flight_12(facts, out, in);
	else if (facts->server_hello)
		return (struct finding){.why = WW_HOLDER_VERSION};
	if (found.why == WW_HOLDER_UNFINISHED && !walk_exact)
		found.why = WW_HOLDER_LOST;
	return found;
}

void ww_key_holder_settle(struct ww_flow *f, uint64_t hello_ns, const struct ww_account_dir dirs[2],
			  bool walk_exact)
{
	struct finding found = find(f, hello_ns, dirs, walk_exact);
	uint64_t us = 0;

	if (found.why == WW_HOLDER_NONE) {
		us = found.at_ns > hello_ns ? (found.at_ns - hello_ns + 999) / 1000 : 0;
		/* A time that does not fit would say less than it was. */
		if (us == 0 || us > UINT32_MAX) {
			us = 0;
			found.why = WW_HOLDER_UNFINISHED;
		}
	}
	f->key_holder_us = (uint32_t)us;
	f->key_holder_why = (uint8_t)found.why;
}

const char *ww_key_holder_why_name(enum ww_holder_why why)
{
	static const char *const names[] = {
#define NAME(n, v, t) [v] = t,
		WW_HOLDER_WHYS(NAME)
#undef NAME
	};

	return (unsigned)why < WW_ARRAY_SIZE(names) ? names[why] : "unknown";
}
