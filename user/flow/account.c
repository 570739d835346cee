/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/account.h"

#define RECORD_PLAIN_MAX 16384u
#define TYPE_APPLICATION 23
#define TICKET_BLOCK     16u

void ww_account_add_record(struct ww_account_dir *d, const struct ww_event_record *ev)
{
	if (d->record_count >= WW_RECORDS_WALKED_MAX || ev->index < d->records_seen)
		return;
	if (ev->index > d->records_seen)
		d->records_lost = true;
	d->records_seen = ev->index + 1u;
	d->records[d->record_count++] =
		(struct ww_account_record){ev->bytes, ev->type, ev->h.time_ns};
}

static void add_read(struct ww_account_dir *d, uint32_t bytes, uint32_t requested)
{
	d->records_max++;
	if (!d->open)
		d->records_min++;
	d->open = bytes == requested && requested < RECORD_PLAIN_MAX;
}

void ww_account_add_call(struct ww_account_dir *d, enum ww_dir dir, uint32_t bytes,
			 uint32_t requested)
{
	if (bytes == 0)
		return;
	if (d->calls++ == 0) {
		d->first_call_bytes = bytes < RECORD_PLAIN_MAX ? bytes : RECORD_PLAIN_MAX;
		d->first_exact =
			dir == WW_DIR_OUT || bytes < requested || bytes == RECORD_PLAIN_MAX;
	}
	d->plaintext += bytes;
	if (dir == WW_DIR_IN) {
		add_read(d, bytes, requested);
	} else {
		uint64_t n = (bytes + RECORD_PLAIN_MAX - 1) / RECORD_PLAIN_MAX;

		d->records_min += n;
		d->records_max += n;
	}
}

unsigned ww_account_framing(uint16_t version, uint16_t cipher)
{
	/* RFC 8446 5.2: header 5, inner type 1, AEAD tag 16 (8 for CCM_8). */
	if (version == 0x0304)
		return cipher == 0x1305 ? 14 : 22;
	if (version != 0x0303)
		return 0;
	switch (cipher) {
	case 0xc02b: /* ECDHE-ECDSA-AES128-GCM-SHA256 */
	case 0xc02c:
	case 0xc02f:
	case 0xc030:
	case 0x009c:
	case 0x009d:
	case 0x009e:
	case 0x009f:
		return 29; /* RFC 5288: header 5, explicit nonce 8, tag 16 */
	case 0xcca8:
	case 0xcca9:
	case 0xccaa:
		return 21; /* RFC 7905: header 5, tag 16 */
	default:
		return 0;
	}
}

/* A client's first encrypted record of TLS 1.3 is of the handshake, whatever its length. */
static unsigned past_finished(const struct ww_account_dir *out, const struct ww_flow *f)
{
	unsigned i = 0;

	if (f->role == WW_FLOW_ACCEPT || f->tls_facts.version != 0x0304)
		return 0;
	while (i < out->record_count && out->records[i].type != TYPE_APPLICATION)
		i++;
	return i < out->record_count ? i + 1 : 0;
}

/* A server that waits for our Finished sends its first data after that. */
static unsigned past_time(const struct ww_account_dir *in, uint64_t finished_ns)
{
	unsigned i = 0;

	while (finished_ns && i < in->record_count && in->records[i].time_ns <= finished_ns)
		i++;
	return i;
}

/* Index of the first application record at or after `i`, record_count when none can be told. */
static unsigned first_application(const struct ww_account_dir *d, unsigned i, unsigned framing,
				  uint16_t version)
{
	uint32_t want = d->first_call_bytes + framing;

	if (d->calls == 0)
		return d->record_count;
	for (; i < d->record_count; i++) {
		if (d->records[i].type != TYPE_APPLICATION)
			continue;
		if (version == 0x0303)
			return i; /* RFC 5246: encrypted handshake records keep type 22 */
		if (d->first_exact ? d->records[i].bytes == want : d->records[i].bytes >= want)
			return i;
	}
	return d->record_count;
}

/* When our own last handshake record went out: tickets can only come after it. 0: not seen. */
static uint64_t finished_time(const struct ww_account_dir *out, unsigned app)
{
	return app > 0 ? out->records[app - 1].time_ns : 0;
}

/* Sealed with a block cipher (RFC 5077 section 4), the state of two tickets of one session, whose
 * numbers may take a byte more or less, can fall to either side of a block's end. */
static bool alike(uint32_t x, uint32_t y)
{
	return x == y || x + TICKET_BLOCK == y || y + TICKET_BLOCK == x;
}

/* Invariant 5. */
static void split_in(const struct ww_account_dir *in, unsigned app, uint64_t finished_ns,
		     uint16_t version, struct ww_account *a)
{
	uint32_t first = 0, tickets = 0;

	for (unsigned i = 0; i < app; i++) {
		const struct ww_account_record *r = &in->records[i];

		if (r->type != TYPE_APPLICATION) {
			a->handshake += r->bytes;
		} else if (version == 0x0303) {
			continue; /* RFC 5246: not of the handshake, and tickets are */
		} else if (!finished_ns || r->time_ns <= finished_ns) {
			a->handshake += r->bytes;
		} else if (tickets == 0 || alike(r->bytes, first)) {
			first = tickets ? first : r->bytes;
			a->tickets += r->bytes;
			tickets++;
		}
	}
	a->tickets_alike = in->calls == 0 && tickets == 1 ? first : 0;
}

/* RFC 8446 section 4.4.4: a header of 4 bytes and a hash, in one record. */
static unsigned finished_bytes(const struct ww_flow *f, unsigned framing)
{
	if (f->tls_facts.version != 0x0304)
		return 0; /* it is no application record */
	return framing + 4 + (f->tls_facts.cipher == 0x1302 ? 48 : 32);
}

static void split_out(const struct ww_account_dir *out, unsigned app, unsigned finished,
		      bool client, struct ww_account *a)
{
	uint64_t encrypted = 0;

	for (unsigned i = 0; i < app; i++) {
		if (client && out->records[i].type == TYPE_APPLICATION)
			encrypted += out->records[i].bytes;
		else
			a->handshake += out->records[i].bytes;
	}
	a->handshake += encrypted < finished ? encrypted : finished;
}

static void close_dir(const struct ww_flow *f, const struct ww_account_dir *d, uint64_t payload,
		      unsigned app, unsigned framing, bool walk_exact, struct ww_account *a)
{
	bool app_found = d->calls == 0 || app < d->record_count;

	a->payload = payload;
	a->explained = d->plaintext;
	a->captured = d->captured;
	a->overhead = d->records_min * framing;
	a->overhead_max = d->records_max * framing;
	/* Without a sign first: a forged counter must not overflow. */
	a->remainder = (int64_t)(payload - a->handshake - a->tickets - a->explained - a->overhead);
	a->checked = f->tls && framing != 0 && walk_exact && app_found && d->record_count > 0 &&
		     !d->calls_lost && !d->records_lost;
}

void ww_account_close(struct ww_flow *f, const struct ww_account_dir dirs[2], bool walk_exact)
{
	const struct ww_account_dir *out = &dirs[WW_DIR_OUT], *in = &dirs[WW_DIR_IN];
	unsigned framing = ww_account_framing(f->tls_facts.version, f->tls_facts.cipher);
	unsigned app_out, app_in;
	bool client = f->role != WW_FLOW_ACCEPT;
	uint64_t finished_ns;

	app_out = first_application(out, past_finished(out, f), framing, f->tls_facts.version);
	/* Of a library that is not read the first encrypted record is all that is known to be of
	 * the handshake: what the server sent after it is told apart by length alone. */
	finished_ns = client ? finished_time(out, out->calls ? app_out : past_finished(out, f)) : 0;
	app_in = first_application(in, past_time(in, finished_ns), framing, f->tls_facts.version);
	/* One may begin before (RFC 8446 section 2, figure 1). */
	if (in->calls && app_in == in->record_count)
		app_in = first_application(in, 0, framing, f->tls_facts.version);
	memset(f->account, 0, sizeof(f->account));
	split_out(out, app_out, finished_bytes(f, framing), client, &f->account[WW_DIR_OUT]);
	split_in(in, app_in, finished_ns, f->tls_facts.version, &f->account[WW_DIR_IN]);
	close_dir(f, out, f->bytes_sent, app_out, framing, walk_exact, &f->account[WW_DIR_OUT]);
	close_dir(f, in, f->bytes_received, app_in, framing, walk_exact, &f->account[WW_DIR_IN]);
}
