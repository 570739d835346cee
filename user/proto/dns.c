/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/dns.h"

#include "base/cursor.h"
#include "base/encode.h"
#include "base/own.h"

#define LABEL_BYTES_MAX 63u
#define POINTERS_MAX    128u /* as many as a name can have labels, its end included */

/* RFC 9460 section 14.3.2. */
enum { KEY_MANDATORY = 0, KEY_ALPN = 1, KEY_IPV4HINT = 4, KEY_ECH = 5, KEY_IPV6HINT = 6 };

struct reader {
	struct ww_cursor c;
	const char *wrong; /* static text; NULL: nothing but short, if at all */
};

static bool fail(struct reader *r, const char *reason)
{
	if (!r->wrong)
		r->wrong = reason;
	r->c.bad = true;
	return false;
}

/* --- names --------------------------------------------------------------------------------------
 */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* Appends a label with its length; false: the name is too long. */
static bool add_label(struct ww_dns_name *name, struct ww_slice label)
{
	if (name->n + 1u + label.n > WW_DNS_NAME_BYTES)
		return false;
	name->bytes[name->n++] = (uint8_t)label.n;
	for (size_t i = 0; i < label.n; i++)
		name->bytes[name->n++] = lower(label.p[i]);
	return true;
}

static bool take_name(struct reader *r, struct ww_dns_name *ret)
{
	struct ww_cursor at = r->c; /* where it is read */
	size_t before = at.at;      /* where a pointer may lead: ahead of this */
	unsigned jumps = 0;

	ret->n = 0;
	for (;;) {
		uint8_t n = ww_cursor_u8(&at);

		/* RFC 1035 section 4.1.4: "The first two bits are ones." */
		if ((n & 0xc0) == 0xc0) {
			size_t to = (size_t)(n & 0x3f) << 8 | ww_cursor_u8(&at);

			if (!ww_cursor_ok(&at))
				break;
			if (jumps++ == 0)
				r->c.at = at.at;
			if (to >= before || jumps > POINTERS_MAX)
				return fail(r, "pointer");
			/* "a pointer to a prior occurrence": it ends before this one begins. */
			at.in.n = before;
			before = at.at = to;
			continue;
		}
		/* Section 2.3.4: "labels 63 octets or less, names 255 octets or less". */
		if (n > LABEL_BYTES_MAX)
			return fail(r, "label");
		if (!add_label(ret, ww_cursor_take(&at, n)))
			return fail(r, "name too long");
		if (n == 0 || !ww_cursor_ok(&at))
			break;
	}
	if (jumps > 0 && !ww_cursor_ok(&at))
		return fail(r, "pointer");
	if (jumps == 0)
		r->c.at = at.at;
	r->c.bad |= at.bad;
	return ww_cursor_ok(&r->c);
}

/* --- records ------------------------------------------------------------------------------------
 */

/* Says "more" where there is no place. */
static void add_address(struct ww_dns_record *rr, struct ww_slice bytes)
{
	struct ww_dns_address *a = &rr->address[rr->addresses];

	if (rr->addresses >= WW_DNS_HINTS_MAX) {
		rr->more = true;
		return;
	}
	*a = (struct ww_dns_address){.v6 = bytes.n == 16};
	memcpy(a->bytes, bytes.p, bytes.n);
	rr->addresses++;
}

/* RFC 9460 section 7.3: "the concatenation of IP addresses"; "an empty list [...] is invalid". */
static bool take_hints(struct reader *r, struct ww_slice value, size_t each,
		       struct ww_dns_record *rr)
{
	if (value.n == 0 || value.n % each)
		return fail(r, "address hint");
	for (size_t at = 0; at < value.n; at += each)
		add_address(rr, ww_slice_sub(value, at, each));
	return true;
}

static void put_protocol(struct ww_dns_record *rr, struct ww_slice id)
{
	size_t n = strlen(rr->alpn);

	if (n + 1 + id.n >= sizeof(rr->alpn))
		return;
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] <= ' ' || id.p[i] > '~')
			return;
	if (n)
		rr->alpn[n++] = ',';
	memcpy(rr->alpn + n, id.p, id.n);
	rr->alpn[n + id.n] = '\0';
}

/* Section 7.1.1: "each [...] alpn-id [...] prefixed by its length", at least one. */
static bool take_alpn(struct reader *r, struct ww_slice value, struct ww_dns_record *rr)
{
	struct ww_cursor c = ww_cursor(value);

	do {
		struct ww_slice id = ww_cursor_take(&c, ww_cursor_u8(&c));

		if (!ww_cursor_ok(&c) || id.n == 0)
			return fail(r, "alpn");
		put_protocol(rr, id);
	} while (ww_cursor_left(&c) > 0);
	return true;
}

static bool take_param(struct reader *r, uint16_t key, struct ww_slice value,
		       struct ww_dns_record *rr)
{
	switch (key) {
	case KEY_ALPN:
		return take_alpn(r, value, rr);
	case KEY_IPV4HINT:
		return take_hints(r, value, 4, rr);
	case KEY_IPV6HINT:
		return take_hints(r, value, 16, rr);
	case KEY_ECH:
		rr->ech = true;
		return true;
	default:
		return true;
	}
}

/* Section 2.2. */
static bool take_binding(struct reader *r, size_t end, struct ww_dns_record *rr)
{
	int last = -1;

	rr->priority = ww_cursor_be16(&r->c);
	if (!take_name(r, &rr->target))
		return false;
	/* Section 2.4.2: "recipients MUST ignore any SvcParams that are present" in an alias. */
	if (rr->priority == 0)
		return true;
	while (ww_cursor_ok(&r->c) && r->c.at < end) {
		uint16_t key = ww_cursor_be16(&r->c);
		struct ww_slice value = ww_cursor_take(&r->c, ww_cursor_be16(&r->c));

		/* "SvcParamKeys SHALL appear in increasing numeric order." */
		if (ww_cursor_ok(&r->c) && key <= last)
			return fail(r, "order of parameters");
		last = key;
		if (ww_cursor_ok(&r->c) && !take_param(r, key, value, rr))
			return false;
	}
	return ww_cursor_ok(&r->c);
}

/* The data of one record, which the cursor's input ends with. */
static bool take_data(struct reader *r, struct ww_dns_record *rr)
{
	size_t end = r->c.in.n, n = end - r->c.at;

	switch (rr->type) {
	case WW_DNS_A:
	case WW_DNS_AAAA:
		if (n != (rr->type == WW_DNS_A ? 4 : 16))
			return fail(r, "address");
		add_address(rr, ww_cursor_take(&r->c, n));
		return true;
	case WW_DNS_CNAME:
		return take_name(r, &rr->target) && (r->c.at == end || fail(r, "record length"));
	default:
		return take_binding(r, end, rr);
	}
}

static bool is_kept(uint16_t type)
{
	return type == WW_DNS_A || type == WW_DNS_AAAA || type == WW_DNS_CNAME ||
	       type == WW_DNS_SVCB || type == WW_DNS_HTTPS;
}

/* What every record begins with. */
struct head {
	uint16_t type, class;
	uint32_t ttl;
	struct ww_slice data;
};

static bool take_head(struct reader *r, struct ww_dns_name *name, struct head *ret)
{
	if (!take_name(r, name))
		return false;
	ret->type = ww_cursor_be16(&r->c);
	ret->class = ww_cursor_be16(&r->c);
	ret->ttl = ww_cursor_be32(&r->c);
	ret->data = ww_cursor_take(&r->c, ww_cursor_be16(&r->c));
	return ww_cursor_ok(&r->c);
}

static bool take_answer(struct reader *r, struct ww_dns *m)
{
	struct ww_dns_record *rr = &m->record[m->records];
	struct ww_dns_name name;
	struct reader data;
	struct head h;

	if (!take_head(r, &name, &h))
		return false;
	if (!is_kept(h.type) || h.class != WW_DNS_CLASS_IN || m->records >= WW_DNS_RECORDS_MAX) {
		if (h.type == WW_DNS_OPT)
			return fail(r, "EDNS");
		m->more |= is_kept(h.type) && h.class == WW_DNS_CLASS_IN;
		m->others++;
		return true;
	}
	/* RFC 2181 section 8: a value with the top bit set is to be taken as zero. */
	*rr = (struct ww_dns_record){.name = name, .type = h.type, .ttl = h.ttl >> 31 ? 0 : h.ttl};
	data = (struct reader){.c = r->c};
	data.c.in.n = r->c.at;
	data.c.at = r->c.at - h.data.n;
	if (!take_data(&data, rr)) {
		r->c.at = data.c.at;
		return fail(r, data.wrong ? data.wrong : "record length");
	}
	m->records++;
	return true;
}

/* RFC 6891 section 6.1.1: one OPT record, in the additional section. */
static bool take_additional(struct reader *r, struct ww_dns *m)
{
	struct ww_dns_name name;
	struct head h;

	if (!take_head(r, &name, &h))
		return false;
	if (h.type != WW_DNS_OPT)
		return true;
	if (m->edns || name.n != 1)
		return fail(r, "EDNS");
	m->edns = true;
	m->edns_bytes = h.class;
	m->rcode |= (uint16_t)(h.ttl >> 24 << 4);
	return true;
}

static bool take_question(struct reader *r, struct ww_dns *m, bool first)
{
	struct ww_dns_name name;
	uint16_t type, class;

	if (!take_name(r, &name))
		return false;
	type = ww_cursor_be16(&r->c);
	class = ww_cursor_be16(&r->c);
	if (first) {
		m->name = name;
		m->type = type;
		m->class = class;
	}
	return ww_cursor_ok(&r->c);
}

/* --- messages -----------------------------------------------------------------------------------
 */

/* False: it ends too early, or is wrong. What was read stands. */
static bool take_message(struct reader *r, struct ww_dns *m)
{
	uint16_t flags, count[4];
	struct ww_dns_name name;
	struct head h = {0};

	m->id = ww_cursor_be16(&r->c);
	flags = ww_cursor_be16(&r->c);
	for (int i = 0; i < 4; i++)
		count[i] = ww_cursor_be16(&r->c);
	m->response = flags >> 15;
	m->opcode = flags >> 11 & 15;
	m->truncated = flags >> 9 & 1;
	m->rcode = flags & 15;
	m->questions = count[0];
	for (unsigned i = 0; i < count[0]; i++)
		if (!take_question(r, m, i == 0))
			return false;
	for (unsigned i = 0; i < count[1]; i++)
		if (!take_answer(r, m))
			return false;
	for (unsigned i = 0; i < count[2]; i++)
		if (!take_head(r, &name, &h) || (h.type == WW_DNS_OPT && !fail(r, "EDNS")))
			return false;
	for (unsigned i = 0; i < count[3]; i++)
		if (!take_additional(r, m))
			return false;
	return ww_cursor_ok(&r->c);
}

enum ww_parse ww_dns_parse(struct ww_slice in, size_t whole, struct ww_dns *ret,
			   struct ww_parse_error *ret_error)
{
	struct reader r = {.c = ww_cursor(in)};
	struct ww_dns m;
	bool read;

	memset(&m, 0, offsetof(struct ww_dns, record));
	read = take_message(&r, &m);
	if (!read && !r.wrong && in.n < whole)
		return WW_PARSE_GAP;
	/* A server cuts a message that it truncates where it likes: its question is whole. */
	if (!read && !r.wrong && m.truncated && m.response && m.questions && m.name.n)
		read = true;
	if (!read) {
		*ret_error = (struct ww_parse_error){r.c.at, r.wrong ? r.wrong : "short"};
		return WW_PARSE_BAD;
	}
	memcpy(ret, &m, offsetof(struct ww_dns, record) + m.records * sizeof(m.record[0]));
	return WW_PARSE_DONE;
}

enum ww_parse ww_dns_frame(struct ww_slice stream, struct ww_slice *ret_message)
{
	struct ww_cursor c = ww_cursor(stream);
	struct ww_slice message = ww_cursor_take(&c, ww_cursor_be16(&c));

	if (!ww_cursor_ok(&c))
		return WW_PARSE_MORE;
	*ret_message = message;
	return WW_PARSE_DONE;
}

/* --- text ---------------------------------------------------------------------------------------
 */

static char *put_byte(char *out, uint8_t c)
{
	if (strchr("\"().;\\@$", c) && c) {
		*out++ = '\\';
		*out++ = (char)c;
	} else if (c > ' ' && c <= '~') {
		*out++ = (char)c;
	} else {
		*out++ = '\\';
		*out++ = (char)('0' + c / 100);
		*out++ = (char)('0' + c / 10 % 10);
		*out++ = (char)('0' + c % 10);
	}
	return out;
}

void ww_dns_name_text(struct ww_slice name, char *out)
{
	struct ww_cursor c = ww_cursor(name);
	struct ww_slice label = ww_cursor_take(&c, ww_cursor_u8(&c));

	if (label.n == 0)
		*out++ = '.';
	while (label.n > 0) {
		for (size_t i = 0; i < label.n; i++)
			out = put_byte(out, label.p[i]);
		label = ww_cursor_take(&c, ww_cursor_u8(&c));
		if (label.n > 0)
			*out++ = '.';
	}
	*out = '\0';
}

void ww_dns_type_text(uint16_t type, char *out)
{
	static const struct {
		uint16_t type;
		const char *text;
	} names[] = {
#define TYPE_TEXT(n, v, t) {v, t},
		WW_DNS_TYPES(TYPE_TEXT)
#undef TYPE_TEXT
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(names); i++)
		if (names[i].type == type) {
			ww_put_text(out, names[i].text);
			return;
		}
	ww_put_dec(ww_put_text(out, "TYPE"), type);
}

void ww_dns_rcode_text(uint16_t rcode, char *out)
{
	static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
					    "NXDOMAIN", "NOTIMP",  "REFUSED"};

	if (rcode < WW_ARRAY_SIZE(names))
		ww_put_text(out, names[rcode]);
	else
		ww_put_dec(ww_put_text(out, "RCODE"), rcode);
}
