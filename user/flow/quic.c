/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/quic.h"

#include <errno.h>

#include "base/cursor.h"
#include "flow/tls_hello.h"

#define CLIENT_HELLO  1
#define HELLO_HEAD    4  /* type and length, RFC 8446 section 4 */
#define RANDOM_AT     6  /* behind that and legacy_version */
#define NUMBER_MAX    4  /* bytes of a packet number */
#define SAMPLE_LEN    16 /* RFC 9001 section 5.4.2 */
#define RESERVED_BITS 0x0c

#define TOO_LONG "the ClientHello is longer than what is held"

/* RFC 9000 section 19; no other frame may be in an Initial packet (section 17.2.2). */
enum frame {
	FRAME_PADDING = 0x00,
	FRAME_PING = 0x01,
	FRAME_ACK = 0x02,
	FRAME_ACK_ECN = 0x03,
	FRAME_CRYPTO = 0x06,
	FRAME_CLOSE = 0x1c,
};

/* Long packet types of RFC 9000 section 17.2; version 2 counts from Retry on (RFC 9369 3.2). */
enum type { TYPE_INITIAL, TYPE_0RTT, TYPE_HANDSHAKE, TYPE_RETRY };

struct ww_quic_hello {
	size_t whole;  /* bytes of the message, its head included; 0: not known */
	size_t prefix; /* bytes held from the begin on, without a hole */
	uint8_t have[WW_QUIC_HELLO_BYTES_MAX / 8]; /* a bit per byte that is held */
	uint8_t bytes[WW_QUIC_HELLO_BYTES_MAX];
};

/* A long header. */
struct packet {
	struct ww_slice all; /* up to the end by its length field, as far as captured */
	size_t at;           /* in the datagram */
	size_t number_at;    /* in `all` */
	uint32_t version;
	uint8_t type; /* enum type */
	bool cut;     /* goes on behind what was captured */
	struct ww_slice dcid, scid;
};

/* What one datagram is fed with. */
struct feed {
	struct ww_quic *q;
	struct ww_quic_room *room;
	const struct ww_endpoint *peer;
	struct ww_parse_error *error;
};

static enum ww_parse bad(const struct feed *f, size_t at, const char *reason)
{
	*f->error = (struct ww_parse_error){at, reason};
	return WW_PARSE_BAD;
}

/* --- what is held ------------------------------------------------------------------------------
 */

static void *take_room(struct ww_quic_room *room, size_t n)
{
	void *p = room->bytes + n <= WW_QUIC_BYTES_MAX ? calloc(1, n) : NULL;

	if (p)
		room->bytes += n;
	return p;
}

static void drop_hello(struct ww_quic_connection *c, struct ww_quic_room *room)
{
	if (!c->hello)
		return;
	room->bytes -= sizeof(*c->hello);
	free(c->hello);
	c->hello = NULL;
}

static void drop(struct ww_quic *q, struct ww_quic_connection **link, struct ww_quic_room *room)
{
	struct ww_quic_connection *c = *link;

	*link = c->next;
	drop_hello(c, room);
	room->bytes -= sizeof(*c);
	q->count--;
	free(c);
}

void ww_quic_done(struct ww_quic *q, struct ww_quic_room *room)
{
	while (q->first)
		drop(q, &q->first, room);
	*q = (struct ww_quic){0};
}

/* --- headers -----------------------------------------------------------------------------------
 */

/* RFC 9000 section 16. */
static uint64_t varint(struct ww_cursor *c)
{
	uint8_t first = ww_cursor_u8(c);
	uint64_t v = first & 0x3f;

	for (unsigned i = (1u << (first >> 6)) - 1; i > 0; i--)
		v = v << 8 | ww_cursor_u8(c);
	return v;
}

/* As many bytes as the number in front of them says. */
static struct ww_slice take_run(struct ww_cursor *c)
{
	uint64_t n = varint(c);

	return ww_cursor_take(c, n > c->in.n ? c->in.n + 1 : (size_t)n);
}

static uint8_t type_of(uint32_t version, uint8_t first)
{
	uint8_t bits = first >> 4 & 3;

	return version == WW_QUIC_V2 ? (bits + 3) & 3 : bits;
}

/* The packet at the begin of `rest`, which is at `at` of the datagram and `cut` as that is. */
static enum ww_parse read_header(const struct feed *f, struct ww_slice rest, size_t at, bool cut,
				 struct packet *p)
{
	struct ww_cursor c = ww_cursor(rest);
	uint8_t first = ww_cursor_u8(&c);
	uint64_t length;

	*p = (struct packet){.at = at, .version = ww_cursor_be32(&c)};
	if (!ww_cursor_ok(&c))
		return cut ? WW_PARSE_GAP : bad(f, at, "header beyond the datagram");
	p->dcid = ww_cursor_take(&c, ww_cursor_u8(&c));
	p->scid = ww_cursor_take(&c, ww_cursor_u8(&c));
	/* "A version of 0x00000000 is reserved to represent version negotiation" (section 17.2.1):
	 * a server's, and it has none of what follows. */
	if (p->version != WW_QUIC_V1 && p->version != WW_QUIC_V2)
		return bad(f, at + 1, p->version ? "another version" : "version negotiation");
	if (!(first & 0x40)) /* section 17.2: "Packets containing a zero value for this bit are not
				valid packets in this version" */
		return bad(f, at, "fixed bit is not set");
	if (p->dcid.n > WW_QUIC_CID_MAX || p->scid.n > WW_QUIC_CID_MAX)
		return bad(f, at + 5, "connection ID longer than 20 bytes");
	p->type = type_of(p->version, first);
	if (p->type == TYPE_RETRY)
		return bad(f, at, "a server's Retry");
	if (p->type == TYPE_INITIAL)
		take_run(&c); /* the token */
	length = varint(&c);
	if (!ww_cursor_ok(&c))
		return cut ? WW_PARSE_GAP : bad(f, at, "header beyond the datagram");
	p->number_at = c.at;
	p->cut = length > ww_cursor_left(&c);
	if (p->cut && !cut)
		return bad(f, at + c.at, "length beyond the datagram");
	if (length < NUMBER_MAX + SAMPLE_LEN)
		return bad(f, at + c.at, "shorter than its protection");
	p->all = ww_slice_sub(rest, 0, p->cut ? rest.n : c.at + (size_t)length);
	return WW_PARSE_DONE;
}

/* --- opening -----------------------------------------------------------------------------------
 */

/* RFC 9000 appendix A.3; `next`: the largest number so far + 1. */
static uint64_t whole_number(uint64_t next, uint64_t low, unsigned bytes)
{
	uint64_t window = 1ull << 8 * bytes, half = window / 2;
	uint64_t n = (next & ~(window - 1)) | low;

	if (n + half <= next && n < (1ull << 62) - window)
		return n + window;
	if (n > next + half && n >= window)
		return n - window;
	return n;
}

/* An opened packet. */
struct opened {
	uint64_t number;
	size_t n;
	size_t at;     /* of its payload in the datagram */
	uint8_t first; /* without its mask */
	uint8_t plain[WW_QUIC_DATAGRAM_MAX];
};

/* 0, -EBADMSG: not with these keys, -EIO. */
static int open_packet(const struct packet *p, const struct ww_quic_keys *k, uint64_t next,
		       struct opened *o)
{
	uint8_t head[WW_QUIC_DATAGRAM_MAX], mask[WW_QUIC_MASK_LEN];
	size_t head_n = p->number_at;
	uint64_t low = 0;
	unsigned bytes;
	int r;

	r = ww_quic_mask(k, p->all.p + p->number_at + NUMBER_MAX, mask);
	if (r < 0)
		return r;
	memcpy(head, p->all.p, p->number_at + NUMBER_MAX);
	head[0] ^= mask[0] & 0x0f;
	bytes = (head[0] & 3) + 1;
	for (unsigned i = 0; i < bytes; i++) {
		head[head_n] ^= mask[1 + i];
		low = low << 8 | head[head_n++];
	}
	o->first = head[0];
	o->number = whole_number(next, low, bytes);
	o->at = p->at + head_n;
	o->n = p->all.n - head_n - WW_QUIC_TAG_LEN;
	return ww_quic_open(k, o->number, ww_slice(head, head_n),
			    ww_slice_sub(p->all, head_n, p->all.n), o->plain);
}

static bool cid_is(const struct ww_quic_cid *cid, struct ww_slice s)
{
	return ww_slice_eq(ww_slice(cid->b, cid->n), s);
}

static void set_cid(struct ww_quic_cid *cid, struct ww_slice s)
{
	cid->n = (uint8_t)s.n;
	memcpy(cid->b, s.p, s.n);
}

static bool same_ends(const struct ww_quic_connection *c, const struct ww_endpoint *peer,
		      struct ww_slice scid)
{
	return cid_is(&c->scid, scid) && ww_endpoint_eq(&c->peer, peer);
}

/* By the keys of a connection that is known, also where both sides went over to another version
 * (RFC 9369 section 4.1). */
static int open_known(const struct feed *f, const struct packet *p, struct opened *o,
		      struct ww_quic_connection **ret_c)
{
	for (struct ww_quic_connection *c = f->q->first; c; c = c->next) {
		struct ww_quic_keys keys = c->keys;
		int r = 0;

		if (!same_ends(c, f->peer, p->scid))
			continue;
		if (p->version != c->version)
			r = ww_quic_keys_init(p->version, ww_slice(c->dcid.b, c->dcid.n), &keys);
		if (r == 0)
			r = open_packet(p, &keys, c->largest, o);
		if (r == -EBADMSG)
			continue;
		if (r < 0)
			return r;
		c->version = p->version;
		c->keys = keys;
		*ret_c = c;
		return 0;
	}
	return -EBADMSG;
}

/* By the keys of the packet's own destination: the first of a connection, or after a Retry. */
static int open_first(const struct feed *f, const struct packet *p, struct opened *o,
		      struct ww_quic_connection **ret_c)
{
	struct ww_quic_connection **last = &f->q->first, *c;
	struct ww_quic_keys keys;
	int r = ww_quic_keys_init(p->version, p->dcid, &keys);

	if (r == 0)
		r = open_packet(p, &keys, 0, o);
	if (r < 0)
		return r;
	if (f->q->count >= WW_QUIC_CONNECTIONS_MAX)
		return -ENOBUFS;
	c = take_room(f->room, sizeof(*c));
	if (!c)
		return -ENOBUFS;
	c->peer = *f->peer;
	c->version = c->version_first = p->version;
	set_cid(&c->dcid, p->dcid);
	set_cid(&c->scid, p->scid);
	c->keys = keys;
	while (*last)
		last = &(*last)->next;
	*last = c;
	f->q->count++;
	*ret_c = c;
	return 0;
}

/* --- the ClientHello ---------------------------------------------------------------------------
 */

static bool held(const struct ww_quic_hello *h, size_t at)
{
	return h->have[at / 8] >> at % 8 & 1;
}

/* False: a byte that is held was another one. */
static bool hold(struct ww_quic_hello *h, size_t at, struct ww_slice bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		if (held(h, at + i) && h->bytes[at + i] != bytes.p[i])
			return false;
		h->bytes[at + i] = bytes.p[i];
		h->have[(at + i) / 8] |= (uint8_t)(1u << (at + i) % 8);
	}
	while (h->prefix < WW_QUIC_HELLO_BYTES_MAX && held(h, h->prefix))
		h->prefix++;
	return true;
}

/* Whether `a` is a part of what `b` read whole: the same bytes wherever it has some. */
static bool part_of(const struct ww_quic_connection *a, const struct ww_quic_connection *b)
{
	const struct ww_quic_hello *part = a->hello, *whole = b->hello;
	bool any = false;

	if (a->whole)
		return memcmp(a->random, b->random, sizeof(a->random)) == 0;
	for (size_t i = 0; part && i < whole->whole; i++) {
		if (held(part, i) && part->bytes[i] != whole->bytes[i])
			return false;
		any |= held(part, i);
	}
	return any;
}

/*
 * "A client MUST use the same cryptographic handshake message it included in this packet" after a
 * Retry (section 17.2.5.2), under new keys: the connection that it was before is this one.
 */
static void join_retried(const struct feed *f, struct ww_quic_connection *c)
{
	for (struct ww_quic_connection **link = &f->q->first; *link && *link != c;) {
		struct ww_quic_connection *o = *link;

		if (same_ends(o, f->peer, ww_slice(c->scid.b, c->scid.n)) && part_of(o, c)) {
			c->retried = true;
			c->early += o->early;
			drop(f->q, link, f->room);
		} else {
			link = &o->next;
		}
	}
}

/* Reads what is held up to the first hole. */
static enum ww_parse read_hello(const struct feed *f, struct ww_quic_connection *c, size_t at)
{
	struct ww_quic_hello *h = c->hello;
	struct ww_slice message = ww_slice(h->bytes, h->prefix);
	enum ww_parse r;

	if (h->prefix < HELLO_HEAD)
		return WW_PARSE_MORE;
	if (h->bytes[0] != CLIENT_HELLO)
		return bad(f, at, "no ClientHello");
	h->whole = HELLO_HEAD +
		   ((size_t)h->bytes[1] << 16 | (size_t)h->bytes[2] << 8 | (size_t)h->bytes[3]);
	if (message.n > h->whole)
		message.n = h->whole;
	r = ww_tls_hello_message(message, true, &c->facts);
	if (r == WW_PARSE_BAD)
		return bad(f, at, "malformed ClientHello");
	if (h->whole > WW_QUIC_HELLO_BYTES_MAX) {
		c->why = TOO_LONG;
		return WW_PARSE_GAP;
	}
	if (r != WW_PARSE_DONE)
		return WW_PARSE_MORE;
	memcpy(c->random, h->bytes + RANDOM_AT, sizeof(c->random));
	join_retried(f, c);
	c->whole = true;
	c->why = NULL;
	drop_hello(c, f->room);
	return WW_PARSE_DONE;
}

static enum ww_parse take_crypto(const struct feed *f, struct ww_quic_connection *c,
				 uint64_t offset, struct ww_slice bytes, size_t at)
{
	if (c->whole) /* said again, or a second one after a HelloRetryRequest */
		return WW_PARSE_DONE;
	if (offset >= WW_QUIC_HELLO_BYTES_MAX) {
		c->why = TOO_LONG;
		return WW_PARSE_GAP;
	}
	if (!c->hello)
		c->hello = take_room(f->room, sizeof(*c->hello));
	if (!c->hello) {
		c->why = "no room for the ClientHello";
		return WW_PARSE_GAP;
	}
	bytes = ww_slice_sub(bytes, 0, WW_QUIC_HELLO_BYTES_MAX - (size_t)offset);
	if (!hold(c->hello, (size_t)offset, bytes))
		return bad(f, at, "bytes of the ClientHello were said twice, differently");
	return WW_PARSE_MORE;
}

/* --- frames ------------------------------------------------------------------------------------
 */

static void skip_ack(struct ww_cursor *c, bool ecn)
{
	uint64_t ranges;

	varint(c);
	varint(c);
	ranges = varint(c);
	varint(c);
	for (; ranges > 0 && ww_cursor_ok(c); ranges--) {
		varint(c);
		varint(c);
	}
	for (int i = 0; ecn && i < 3; i++)
		varint(c);
}

static enum ww_parse read_frames(const struct feed *f, struct ww_quic_connection *c,
				 const struct opened *o)
{
	struct ww_cursor in = ww_cursor(ww_slice(o->plain, o->n));
	enum ww_parse said = WW_PARSE_MORE, r = WW_PARSE_MORE;
	bool crypto = false;

	/* "An endpoint MUST treat receipt of a packet that has a non-zero value for these bits ...
	 * as a connection error" (section 17.2). */
	if (o->first & RESERVED_BITS)
		return bad(f, o->at, "reserved bits are set");
	while (ww_cursor_left(&in) > 0) {
		size_t at = o->at + in.at;
		uint8_t type = ww_cursor_u8(&in);

		if (type == FRAME_ACK || type == FRAME_ACK_ECN) {
			skip_ack(&in, type == FRAME_ACK_ECN);
		} else if (type == FRAME_CRYPTO) {
			uint64_t offset = varint(&in);
			struct ww_slice bytes = take_run(&in);

			if (!ww_cursor_ok(&in))
				break;
			r = take_crypto(f, c, offset, bytes, at);
			if (r == WW_PARSE_BAD)
				return r;
			said = r == WW_PARSE_GAP ? r : said;
			crypto = true;
		} else if (type == FRAME_CLOSE) {
			varint(&in);
			varint(&in);
			take_run(&in);
		} else if (type != FRAME_PADDING && type != FRAME_PING) {
			return bad(f, at, "a frame that no Initial may have");
		}
	}
	if (!ww_cursor_ok(&in))
		return bad(f, o->at, "frame beyond the packet");
	if (crypto && c->hello) {
		r = read_hello(f, c, o->at);
		if (r != WW_PARSE_MORE)
			return r;
	}
	return c->whole ? WW_PARSE_DONE : said;
}

/* --- packets -----------------------------------------------------------------------------------
 */

static enum ww_parse read_initial(const struct feed *f, const struct packet *p)
{
	struct ww_quic_connection *c = NULL;
	struct opened o;
	enum ww_parse said;
	int r;

	if (f->q->tried >= WW_QUIC_INITIALS_MAX) {
		f->q->more = true;
		return WW_PARSE_GAP;
	}
	f->q->tried++;
	if (p->cut) {
		f->q->unread++;
		return WW_PARSE_GAP;
	}
	r = open_known(f, p, &o, &c);
	if (r == -EBADMSG)
		r = open_first(f, p, &o, &c);
	if (r == -ENOBUFS) {
		f->q->more = true;
		return WW_PARSE_GAP;
	}
	if (r < 0) {
		f->q->unread++;
		return r == -EBADMSG ? bad(f, p->at, "no key opens it") : WW_PARSE_GAP;
	}
	if (o.number >= c->largest)
		c->largest = o.number + 1;
	said = read_frames(f, c, &o);
	if (said == WW_PARSE_BAD)
		c->why = f->error->reason;
	explicit_bzero(o.plain, o.n);
	return said;
}

static void count_early(const struct feed *f, const struct packet *p)
{
	for (struct ww_quic_connection *c = f->q->first; c; c = c->next) {
		if (same_ends(c, f->peer, p->scid) && cid_is(&c->dcid, p->dcid)) {
			c->early++;
			return;
		}
	}
}

enum ww_parse ww_quic_feed(struct ww_quic *q, struct ww_quic_room *room,
			   const struct ww_endpoint *peer, struct ww_slice datagram,
			   size_t whole_bytes, struct ww_parse_error *ret_error)
{
	struct feed f = {q, room, peer, ret_error};
	enum ww_parse said = WW_PARSE_MORE;
	bool cut = whole_bytes > datagram.n;
	struct ww_slice first = WW_SLICE_NULL;
	struct packet p;

	if (datagram.n > WW_QUIC_DATAGRAM_MAX) {
		datagram.n = WW_QUIC_DATAGRAM_MAX;
		cut = true;
	}
	for (size_t at = 0; at < datagram.n; at += p.all.n) {
		struct ww_slice rest = ww_slice_sub(datagram, at, datagram.n);
		enum ww_parse r;

		/* A short header takes all the rest; so does whatever fills up the datagram. */
		if (at > 0 && (rest.p[0] & 0xc0) != 0xc0)
			break;
		if (!(rest.p[0] & 0x80))
			return bad(&f, 0, "no long header");
		r = read_header(&f, rest, at, cut, &p);
		if (r == WW_PARSE_GAP && at == 0)
			q->unread++;
		if (r != WW_PARSE_DONE)
			return r;
		/* "Senders MUST NOT coalesce QUIC packets with different connection IDs" (12.2). */
		if (at == 0)
			first = p.dcid;
		else if (!ww_slice_eq(p.dcid, first))
			break;
		if (p.type == TYPE_0RTT)
			count_early(&f, &p);
		if (p.type != TYPE_INITIAL)
			continue;
		r = read_initial(&f, &p);
		if (r == WW_PARSE_BAD || r == WW_PARSE_GAP)
			return r;
		said = r == WW_PARSE_DONE ? r : said;
	}
	return said;
}

void ww_quic_packet(struct ww_quic *q, struct ww_quic_room *room, const struct ww_event_packet *ev,
		    struct ww_flow *f)
{
	struct ww_parse_error error;

	f->quic = q;
	f->ip_proto = ev->proto;
	if (q->datagrams == 0)
		q->served = ev->dir == WW_DIR_IN;
	/* A hole is a datagram whose event was lost; the last number is that of the ceiling. */
	if (ev->number > q->datagrams || ev->number >= WW_QUIC_TOLD_MAX - 1)
		q->more = true;
	if (ev->number >= q->datagrams)
		q->datagrams = ev->number + 1;
	(void)ww_quic_feed(q, room, &ev->peer, ww_slice(ev->bytes, ev->captured), ev->payload_bytes,
			   &error);
}
