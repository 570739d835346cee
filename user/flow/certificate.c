/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/certificate.h"

#include "base/cursor.h"

#define RECORD_HANDSHAKE 22 /* RFC 5246 section 6.2.1 */
#define SERVER_HELLO     2  /* section 7.4 */
#define CERTIFICATE      11
#define CERT_STATUS      22

/* ITU-T X.690: tags of one byte. */
#define DER_BOOLEAN  0x01
#define DER_OCTETS   0x04
#define DER_OID      0x06
#define DER_SEQUENCE 0x30
#define EXTENSIONS   0xa3 /* RFC 5280 section 4.1: [3] */
#define DNS_NAME     0x82 /* section 4.2.1.6: [2] IA5String */

/* --- the handshake ------------------------------------------------------------------------------
 */

/* The content of the records, one behind the other; how much there is. False: no handshake, or not
 * any more. */
static bool strip(struct ww_slice records, uint8_t *room, size_t *ret_n)
{
	struct ww_cursor c = ww_cursor(records);
	size_t n = 0;

	while (ww_cursor_left(&c) >= 5) {
		uint8_t type = ww_cursor_u8(&c);
		uint16_t version = ww_cursor_be16(&c), bytes = ww_cursor_be16(&c);
		size_t left = ww_cursor_left(&c);
		struct ww_slice body = ww_cursor_take(&c, bytes < left ? bytes : left);

		if (type != RECORD_HANDSHAKE || version >> 8 != 3) {
			*ret_n = n;
			return false;
		}
		if (body.n > 0)
			memcpy(room + n, body.p, body.n);
		n += body.n;
	}
	*ret_n = n;
	return true;
}

/* What the message says first: the length of all certificates, then that of the server's own. */
static enum ww_parse first_certificate(struct ww_slice message, uint32_t announced,
				       struct ww_slice *ret_der)
{
	struct ww_cursor c = ww_cursor(message);
	uint32_t all, own;

	if (message.n < 6)
		return announced < 6 ? WW_PARSE_BAD : WW_PARSE_MORE;
	all = ww_cursor_be24(&c);
	own = ww_cursor_be24(&c);
	if (all + 3 != announced || own == 0 || all < 3 || own > all - 3)
		return WW_PARSE_BAD;
	if (ww_cursor_left(&c) < own)
		return WW_PARSE_MORE;
	*ret_der = ww_cursor_take(&c, own);
	return WW_PARSE_DONE;
}

enum ww_parse ww_certificate_find(struct ww_slice records, uint8_t *room, struct ww_slice *ret_der)
{
	size_t n;
	bool may_go_on = strip(records, room, &n);
	struct ww_cursor c = ww_cursor(ww_slice(room, n));

	while (ww_cursor_left(&c) >= 4) {
		uint8_t type = ww_cursor_u8(&c);
		uint32_t announced = ww_cursor_be24(&c);
		size_t left = ww_cursor_left(&c);
		struct ww_slice message = ww_cursor_take(&c, announced < left ? announced : left);
		enum ww_parse r;

		if (type == CERTIFICATE) {
			r = first_certificate(message, announced, ret_der);
			return r == WW_PARSE_MORE && !may_go_on ? WW_PARSE_BAD : r;
		}
		/* Nothing else comes before it. */
		if (type != SERVER_HELLO && type != CERT_STATUS)
			return WW_PARSE_BAD;
	}
	return may_go_on ? WW_PARSE_MORE : WW_PARSE_BAD;
}

/* --- the certificate ----------------------------------------------------------------------------
 */

/* The next element: its tag, and its content. False: none, or its length is no length. */
static bool element(struct ww_cursor *c, uint8_t *ret_tag, struct ww_slice *ret_content)
{
	size_t n;

	if (ww_cursor_left(c) < 2)
		return false;
	*ret_tag = ww_cursor_u8(c);
	n = ww_cursor_u8(c);
	if (n & 0x80) {
		unsigned bytes = n & 0x7f;

		if (bytes == 0 || bytes > 3)
			return false;
		for (n = 0; bytes > 0; bytes--)
			n = n << 8 | ww_cursor_u8(c);
	}
	if (n > ww_cursor_left(c))
		return false;
	*ret_content = ww_cursor_take(c, n);
	return ww_cursor_ok(c);
}

/* The same, of a kind. */
static bool element_of(struct ww_cursor *c, uint8_t tag, struct ww_slice *ret_content)
{
	uint8_t got;

	return element(c, &got, ret_content) && got == tag;
}

static void add_name(struct ww_slice name, struct ww_certificate *ret)
{
	bool plain = name.n > 0 && name.n < sizeof(ret->names[0]);

	for (size_t i = 0; i < name.n && plain; i++)
		plain = name.p[i] > 0x20 && name.p[i] < 0x7f;
	if (!plain || ret->name_count == WW_CERTIFICATE_NAMES_MAX) {
		ret->more = true;
		return;
	}
	memcpy(ret->names[ret->name_count], name.p, name.n);
	ret->names[ret->name_count++][name.n] = '\0';
}

/* GeneralNames. */
static bool read_names(struct ww_slice value, struct ww_certificate *ret)
{
	struct ww_cursor c = ww_cursor(value), list;
	struct ww_slice names, name;
	uint8_t tag;

	if (!element_of(&c, DER_SEQUENCE, &names))
		return false;
	list = ww_cursor(names);
	while (ww_cursor_left(&list) > 0) {
		if (!element(&list, &tag, &name))
			return false;
		if (tag == DNS_NAME)
			add_name(name, ret);
	}
	return true;
}

static bool read_extensions(struct ww_slice content, struct ww_certificate *ret)
{
	static const uint8_t subject_alt_name[] = {0x55, 0x1d, 0x11}; /* 2.5.29.17 */
	struct ww_cursor c = ww_cursor(content), list, one;
	struct ww_slice extensions, extension, oid, value;
	uint8_t tag;

	if (!element_of(&c, DER_SEQUENCE, &extensions))
		return false;
	list = ww_cursor(extensions);
	while (ww_cursor_left(&list) > 0) {
		if (!element_of(&list, DER_SEQUENCE, &extension))
			return false;
		one = ww_cursor(extension);
		if (!element_of(&one, DER_OID, &oid) || !element(&one, &tag, &value))
			return false;
		if (tag == DER_BOOLEAN && !element(&one, &tag, &value))
			return false;
		if (tag != DER_OCTETS)
			return false;
		/* "A certificate MUST NOT include more than one instance" of an extension. */
		if (ww_slice_eq(oid, ww_slice(subject_alt_name, sizeof(subject_alt_name))))
			return read_names(value, ret);
	}
	return true;
}

static bool read_certificate(struct ww_slice der, struct ww_certificate *ret)
{
	struct ww_cursor c = ww_cursor(der), inner;
	struct ww_slice certificate, tbs, content;
	uint8_t tag;

	if (!element_of(&c, DER_SEQUENCE, &certificate))
		return false;
	c = ww_cursor(certificate);
	if (!element_of(&c, DER_SEQUENCE, &tbs))
		return false;
	inner = ww_cursor(tbs);
	while (ww_cursor_left(&inner) > 0) {
		if (!element(&inner, &tag, &content))
			return false;
		if (tag == EXTENSIONS)
			return read_extensions(content, ret);
	}
	return true;
}

void ww_certificate_read(struct ww_slice der, struct ww_certificate *ret)
{
	memset(ret, 0, sizeof(*ret));
	ww_sha256(der, &ret->digest);
	ret->unreadable = !read_certificate(der, ret);
	if (ret->unreadable)
		ret->name_count = 0;
}

/* --- the stream ---------------------------------------------------------------------------------
 */

static void give_up(struct ww_certificate_reader *r, struct ww_certificate_room *room)
{
	room->bytes -= r->held.n;
	ww_buf_done(&r->held);
	r->over = true;
}

void ww_certificate_done(struct ww_certificate_reader *r, struct ww_certificate_room *room)
{
	give_up(r, room);
	free(r->got);
	r->got = NULL;
}

void ww_certificate_record(struct ww_certificate_reader *r, unsigned index, uint64_t at)
{
	if (index < WW_ARRAY_SIZE(r->record_at))
		r->record_at[index] = at + 1;
}

/* False: a hole (a segment's event was lost), no room, or all that is ever told was there. */
static bool keep(struct ww_certificate_reader *r, struct ww_certificate_room *room,
		 const struct ww_event_packet *ev)
{
	struct ww_slice bytes = ww_slice(ev->bytes, ev->captured);
	uint64_t next;

	if (!r->held.p)
		ww_buf_init(&r->held, WW_CLEAR_BYTES_MAX);
	if (r->held.n == 0)
		r->from = ev->offset;
	next = r->from + r->held.n;
	if (ev->offset > next || next - ev->offset > bytes.n)
		return false;
	bytes = ww_slice_sub(bytes, next - ev->offset, bytes.n);
	if (bytes.n == 0 || bytes.n > WW_CERTIFICATE_HELD_MAX - room->bytes ||
	    ww_buf_add(&r->held, bytes.p, bytes.n) < 0)
		return false;
	room->bytes += bytes.n;
	return true;
}

/* Where the first record begins of which all is held; held.n: it is not known. */
static size_t begin_of(const struct ww_certificate_reader *r)
{
	for (unsigned i = 0; i < WW_ARRAY_SIZE(r->record_at); i++) {
		uint64_t at = r->record_at[i];

		if (at > r->from && at - 1 - r->from < r->held.n)
			return (size_t)(at - 1 - r->from);
	}
	return r->held.n;
}

void ww_certificate_segment(struct ww_certificate_reader *r, struct ww_certificate_room *room,
			    const struct ww_event_packet *ev)
{
	uint8_t stripped[WW_CLEAR_BYTES_MAX];
	struct ww_slice records, der;
	enum ww_parse found;

	if (r->over)
		return;
	if (!keep(r, room, ev)) {
		give_up(r, room);
		return;
	}
	records = ww_slice_sub(ww_buf_slice(&r->held), begin_of(r), r->held.n);
	found = records.n > 0 ? ww_certificate_find(records, stripped, &der) : WW_PARSE_BAD;
	if (found == WW_PARSE_MORE && r->held.n < WW_CLEAR_BYTES_MAX)
		return;
	if (found == WW_PARSE_DONE)
		r->got = malloc(sizeof(*r->got));
	if (r->got)
		ww_certificate_read(der, r->got);
	give_up(r, room);
}
