/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *  1. The result does not depend on how the input was split.
 *  2. matched bytes of the delimiter have been seen and belong to nothing yet: they become content
 * when the next byte does not go on with it. A delimiter has one CR, its first byte (a boundary
 * holds none), so that a match that breaks can begin again only at the byte that broke it.
 */
#include "proto/multipart.h"

#include <errno.h>

#define BOUNDARY_BYTES_MAX  70u
#define DELIMITER_BYTES_MAX (4u + BOUNDARY_BYTES_MAX)

enum state {
	BEGIN,     /* the first delimiter is the body's first line: preambles are mail's */
	DELIMITED, /* behind a delimiter: the rest of its line */
	HEAD,
	CONTENT,
	EPILOGUE, /* behind the closing delimiter */
	STOPPED,  /* malformed, lost */
};

struct ww_multipart {
	const struct ww_digest_key *key;
	char delimiter[DELIMITER_BYTES_MAX + 1]; /* CR LF -- boundary */
	uint8_t delimiter_n;
	uint8_t matched;
	uint8_t borrowed; /* of the matched bytes those that are no content whatever follows */
	uint8_t state;
	uint8_t tail;  /* DELIMITED: 0, '-' after one dash, ' ' in padding, CR */
	bool open;     /* the content of a part is under way */
	bool disposed; /* the part said what it is */
	uint16_t head_n, line_at;
	struct ww_digest_ctx digest;
	struct ww_form_part now; /* the part under way */
	struct ww_form form;
	char head[WW_FORM_HEAD_BYTES_MAX];
};

/* --- fields and their parameters ----------------------------------------------------------------
 */

/*
 * The next "; name=value" of a field; quotes around a value are taken off and what is escaped
 * stands as it was. False: no more, or not well-formed (*ret_bad).
 */
static bool next_parameter(struct ww_slice *rest, struct ww_slice *ret_name,
			   struct ww_slice *ret_value, bool *ret_bad)
{
	size_t equals, end;

	*rest = ww_slice_trim(*rest);
	if (rest->n == 0)
		return false;
	*ret_bad = true;
	if (rest->p[0] != ';')
		return false;
	*rest = ww_slice_trim(ww_slice_sub(*rest, 1, rest->n));
	if (rest->n == 0) { /* a semicolon at the end */
		*ret_bad = false;
		return false;
	}
	equals = ww_slice_find(*rest, 0, '=');
	*ret_name = ww_slice_trim(ww_slice_sub(*rest, 0, equals));
	if (equals == rest->n || ww_slice_find(*ret_name, 0, ';') < ret_name->n)
		return false;
	*rest = ww_slice_trim(ww_slice_sub(*rest, equals + 1, rest->n));
	if (rest->n > 0 && rest->p[0] == '"') {
		for (end = 1; end < rest->n && rest->p[end] != '"'; end++)
			end += rest->p[end] == '\\';
		if (end >= rest->n)
			return false;
		*ret_value = ww_slice_sub(*rest, 1, end - 1);
		end++;
	} else {
		end = ww_slice_find(*rest, 0, ';');
		*ret_value = ww_slice_trim(ww_slice_sub(*rest, 0, end));
		for (size_t i = 0; i < ret_value->n; i++)
			if (strchr(" \t\"\\", ret_value->p[i]))
				return false;
	}
	*rest = ww_slice_sub(*rest, end, rest->n);
	*ret_bad = false;
	return true;
}

/* What stands before the first parameter, which *value then begins with. */
static struct ww_slice first_word(struct ww_slice *value)
{
	size_t end = ww_slice_find(*value, 0, ';');
	struct ww_slice word = ww_slice_trim(ww_slice_sub(*value, 0, end));

	*value = ww_slice_sub(*value, end, value->n);
	return word;
}

/* A field's name as it may be recorded: a word of the interface, no value. */
static void take_name(struct ww_slice name, struct ww_form_part *part)
{
	char target[sizeof(part->name)], out[256];

	memcpy(part->name, "{}", 3);
	if (name.n == 0 || name.n + 2 > sizeof(target))
		return;
	for (size_t i = 0; i < name.n; i++)
		if (strchr("/?#", name.p[i]))
			return;
	target[0] = '/';
	memcpy(target + 1, name.p, name.n);
	target[name.n + 1] = '\0';
	ww_exchange_path_template(target, out);
	memcpy(part->name, out + 1, strnlen(out + 1, sizeof(part->name) - 1) + 1);
}

/* RFC 7578 section 4.2: Content-Disposition is form-data, with a name. */
static bool take_disposition(struct ww_multipart *m, struct ww_slice value)
{
	struct ww_slice name, v;
	bool named = false, bad = false;

	if (m->disposed || !ww_slice_ieq_str(first_word(&value), "form-data"))
		return false;
	while (next_parameter(&value, &name, &v, &bad)) {
		if (ww_slice_ieq_str(name, "name")) {
			if (named)
				return false;
			named = true;
			take_name(v, &m->now);
		} else if (ww_slice_ieq_str(name, "filename")) {
			if (m->now.file)
				return false;
			m->now.file = true;
			ww_digest(m->key, v, &m->now.file_name);
		}
	}
	m->disposed = named;
	return named && !bad;
}

/* One line of a part's head. False: malformed. */
static bool take_field(struct ww_multipart *m, struct ww_slice line)
{
	size_t colon = ww_slice_find(line, 0, ':');
	struct ww_slice name = ww_slice_sub(line, 0, colon);
	struct ww_slice value = ww_slice_trim(ww_slice_sub(line, colon + 1, line.n));

	if (colon == line.n || name.n == 0 || line.p[0] == ' ' || line.p[0] == '\t')
		return false; /* a folded line: obsolete, and read by few */
	if (ww_slice_ieq_str(name, "content-disposition"))
		return take_disposition(m, value);
	if (ww_slice_ieq_str(name, "content-type") && value.n < sizeof(m->now.content_type)) {
		memcpy(m->now.content_type, value.p, value.n);
		m->now.content_type[value.n] = '\0';
	}
	return true;
}

/* --- parts --------------------------------------------------------------------------------------
 */

static void part_begin(struct ww_multipart *m)
{
	m->now = (struct ww_form_part){.name = "{}"};
	m->disposed = false;
	m->head_n = m->line_at = 0;
	m->state = HEAD;
	ww_digest_begin(&m->digest, m->key);
}

/* Its content is over, or what was seen of it. */
static void part_end(struct ww_multipart *m, bool whole)
{
	if (!m->open)
		return;
	m->open = false;
	m->now.whole = whole;
	ww_digest_end(&m->digest, &m->now.digest);
	if (m->form.total < WW_FORM_PARTS_MAX)
		m->form.part[m->form.total] = m->now;
	m->form.total++;
}

static void stop(struct ww_multipart *m, bool malformed)
{
	part_end(m, false);
	m->state = STOPPED;
	m->form.malformed |= malformed;
}

static void content_add(struct ww_multipart *m, struct ww_slice content)
{
	if (m->state != CONTENT || content.n == 0)
		return;
	m->now.bytes += content.n;
	ww_digest_add(&m->digest, content);
}

/* Content up to a delimiter or to the end of `in`. */
static size_t take_content(struct ww_multipart *m, struct ww_slice in)
{
	size_t n = 0;

	while (n < in.n) {
		size_t from = n;

		if (m->matched == 0) {
			n = ww_slice_find(in, n, '\r');
			content_add(m, ww_slice_sub(in, from, n - from));
			if (n == in.n)
				break;
		}
		if (in.p[n] == (uint8_t)m->delimiter[m->matched]) {
			n++;
			if (++m->matched < m->delimiter_n)
				continue;
			m->matched = m->borrowed = m->tail = 0;
			m->state = DELIMITED;
			return n;
		}
		if (m->state == BEGIN) {
			stop(m, true);
			return n;
		}
		content_add(m, ww_slice_sub(ww_slice(m->delimiter, m->matched), m->borrowed,
					    m->matched));
		m->matched = m->borrowed = 0;
	}
	return n;
}

/* RFC 2046 section 5.1.1: "--", or padding and the end of the line. */
static void take_tail(struct ww_multipart *m, uint8_t c)
{
	if (m->tail == '-') {
		if (c == '-') {
			part_end(m, true);
			m->form.whole = true;
			m->state = EPILOGUE;
		} else {
			stop(m, true);
		}
	} else if (m->tail == '\r') {
		if (c == '\n') {
			part_end(m, true);
			part_begin(m);
		} else {
			stop(m, true);
		}
	} else if (c == '\r' || c == ' ' || c == '\t' || (c == '-' && m->tail == 0)) {
		m->tail = c == '\t' ? ' ' : c;
	} else {
		stop(m, true);
	}
}

/* One byte of a part's head, which is kept until its line is whole. */
static void take_head(struct ww_multipart *m, uint8_t c)
{
	struct ww_slice line;

	if (m->head_n == sizeof(m->head)) {
		stop(m, true);
		return;
	}
	m->head[m->head_n++] = (char)c;
	if (c != '\n')
		return;
	line = ww_slice(m->head + m->line_at, m->head_n - m->line_at);
	if (line.n < 2 || line.p[line.n - 2] != '\r') {
		stop(m, true);
		return;
	}
	m->line_at = m->head_n;
	line.n -= 2;
	if (line.n > 0) {
		if (!take_field(m, line))
			stop(m, true);
		return;
	}
	if (!m->disposed) {
		stop(m, true);
		return;
	}
	/* The end of this line may be the begin of the next delimiter: the part is empty then. */
	m->state = CONTENT;
	m->open = true;
	m->matched = m->borrowed = 2;
}

void ww_multipart_add(struct ww_multipart *m, struct ww_slice content)
{
	size_t n = 0;

	while (n < content.n && m->state < EPILOGUE) {
		if (m->state == BEGIN || m->state == CONTENT)
			n += take_content(m, ww_slice_sub(content, n, content.n));
		else if (m->state == DELIMITED)
			take_tail(m, content.p[n++]);
		else
			take_head(m, content.p[n++]);
	}
}

/* --- life ---------------------------------------------------------------------------------------
 */

/* RFC 2046 section 5.1.1: 1 to 70 characters of a set that has no control characters. */
static bool is_boundary(struct ww_slice b)
{
	if (b.n == 0 || b.n > BOUNDARY_BYTES_MAX)
		return false;
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] > 0x7e || b.p[i] == '\\')
			return false;
	return true;
}

static bool boundary_of(const char *content_type, struct ww_slice *ret_boundary)
{
	struct ww_slice value = ww_slice_str(content_type), name, v, found = WW_SLICE_NULL;
	bool bad = false;

	if (!ww_slice_ieq_str(first_word(&value), "multipart/form-data"))
		return false;
	while (next_parameter(&value, &name, &v, &bad)) {
		if (!ww_slice_ieq_str(name, "boundary"))
			continue;
		if (found.n > 0)
			return false;
		found = v;
	}
	*ret_boundary = found;
	return !bad && is_boundary(found);
}

int ww_multipart_new(const char *content_type, const struct ww_digest_key *key,
		     struct ww_multipart **ret_multipart)
{
	struct ww_multipart *m;
	struct ww_slice boundary;

	if ((content_type[0] | 0x20) != 'm' || !boundary_of(content_type, &boundary))
		return -ENOENT;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->key = key;
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary.p, boundary.n);
	m->delimiter_n = (uint8_t)(4 + boundary.n);
	m->matched = m->borrowed = 2;
	*ret_multipart = m;
	return 0;
}

void ww_multipart_free(struct ww_multipart *m)
{
	if (!m)
		return;
	explicit_bzero(m, sizeof(*m));
	free(m);
}

size_t ww_multipart_bytes(void)
{
	return sizeof(struct ww_multipart);
}

void ww_multipart_gap(struct ww_multipart *m)
{
	if (m->state != EPILOGUE)
		stop(m, false);
}

const struct ww_form *ww_multipart_end(struct ww_multipart *m, bool complete)
{
	if (m->state < EPILOGUE) /* a whole body without the closing delimiter is malformed */
		stop(m, complete);
	m->form.whole &= complete && !m->form.malformed;
	return &m->form;
}

static void write_part(const struct ww_form_part *p, struct ww_jsonw *w)
{
	ww_jsonw_object(w, NULL);
	ww_jsonw_cstr(w, "name", p->name);
	ww_jsonw_u64(w, "bytes", p->bytes);
	ww_jsonw_bool(w, "whole", p->whole);
	if (p->content_type[0])
		ww_jsonw_cstr(w, "contentType", p->content_type);
	if (p->file)
		ww_jsonw_hex(w, "fileNameDigest", ww_slice(p->file_name.b, WW_SHA256_LEN));
	ww_jsonw_hex(w, "digest", ww_slice(p->digest.b, WW_SHA256_LEN));
	ww_jsonw_end_object(w);
}

void ww_form_write(const struct ww_form *f, struct ww_jsonw *w)
{
	ww_jsonw_array(w, "parts");
	for (uint32_t i = 0; i < f->total && i < WW_FORM_PARTS_MAX; i++)
		write_part(&f->part[i], w);
	ww_jsonw_end_array(w);
	ww_jsonw_u64(w, "partsTotal", f->total);
	ww_jsonw_bool(w, "partsWhole", f->whole);
}
