/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/payload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <zlib.h>

#include "ledger/durable.h"
#include "wirewitness/limits.h"

#define HEAD_LEN   8u             /* length and CRC */
#define FIXED_LEN  (1u + 8u + 1u) /* state, index, kind length */
#define BODY_MAX   (FIXED_LEN + WW_LEAF_KIND_MAX + WW_LEAF_SALT_LEN + WW_RECORD_BYTES_MAX)
#define NAME_LEN   20
#define WINDOW_MAX (256u << 10)

_Static_assert(WINDOW_MAX >= HEAD_LEN + BODY_MAX, "a frame fits the window");

enum { LIVE = 1, ERASED = 2 };

static uint8_t *put_be(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
	return p + bytes;
}

static uint32_t crc(struct ww_slice s)
{
	return (uint32_t)crc32_z(0, s.p, s.n);
}

int ww_payload_encode(const struct ww_payload *p, struct ww_buf *out, struct ww_slice *ret_salted)
{
	size_t body = FIXED_LEN + p->kind.n + WW_LEAF_SALT_LEN + p->json.n;
	uint8_t *at, *start, *salted;
	int r = ww_buf_reserve(out, HEAD_LEN + body, &start);

	if (r < 0)
		return r;
	at = start + HEAD_LEN;
	*at++ = p->erased ? ERASED : LIVE;
	at = put_be(at, p->index, 8);
	*at++ = (uint8_t)p->kind.n;
	memcpy(at, p->kind.p, p->kind.n);
	salted = at + p->kind.n;
	memcpy(salted, p->salt.p, WW_LEAF_SALT_LEN);
	memcpy(salted + WW_LEAF_SALT_LEN, p->json.p, p->json.n);
	put_be(start, body, 4);
	put_be(start + 4, crc(ww_slice(start + HEAD_LEN, body)), 4);
	out->n += HEAD_LEN + body;
	*ret_salted = ww_slice(salted, WW_LEAF_SALT_LEN + p->json.n);
	return 0;
}

static bool body_parse(struct ww_slice body, struct ww_payload *ret)
{
	struct ww_cursor c = ww_cursor(body);
	uint8_t state = ww_cursor_u8(&c);

	ret->index = ww_cursor_be64(&c);
	ret->kind = ww_cursor_take(&c, ww_cursor_u8(&c));
	ret->salt = ww_cursor_take(&c, WW_LEAF_SALT_LEN);
	ret->json = ww_cursor_take(&c, ww_cursor_left(&c));
	ret->erased = state == ERASED;
	return ww_cursor_ok(&c) && (state == LIVE || state == ERASED) && ww_leaf_kind_ok(ret->kind);
}

enum ww_parse ww_payload_next(struct ww_cursor *c, struct ww_payload *ret)
{
	struct ww_cursor look = *c;
	struct ww_payload p = {0};
	struct ww_slice body;
	uint32_t length, sum;

	if (ww_cursor_ok(c) && ww_cursor_left(c) == 0)
		return WW_PARSE_END;
	length = ww_cursor_be32(&look);
	sum = ww_cursor_be32(&look);
	if (!ww_cursor_ok(&look))
		return WW_PARSE_MORE;
	if (length < FIXED_LEN + 1 + WW_LEAF_SALT_LEN || length > BODY_MAX)
		return WW_PARSE_BAD;
	body = ww_cursor_take(&look, length);
	if (!ww_cursor_ok(&look))
		return WW_PARSE_MORE;
	*c = look;
	if (!body_parse(body, &p)) {
		*ret = (struct ww_payload){0};
		return WW_PARSE_GAP;
	}
	*ret = p;
	return crc(body) == sum ? WW_PARSE_DONE : WW_PARSE_GAP;
}

/* --- segments ------------------------------------------------------------------------------------
 */

static void segment_name(uint64_t first, char out[NAME_LEN + 1])
{
	snprintf(out, NAME_LEN + 1, "%020" PRIu64, first);
}

/* The segment with the largest first index that is at most `index`, and the smallest one behind it.
 * 0 or -errno. */
struct neighbours {
	bool found, more;
	uint64_t first, next;
};

static int find_segments(int dir, uint64_t index, struct neighbours *ret)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	struct neighbours near = {0};
	const struct dirent *e;

	if (!list) {
		int r = -errno;

		ww_own_close(&fd);
		return r;
	}
	while ((e = readdir(list))) {
		struct ww_slice name = ww_slice_str(e->d_name);
		uint64_t first;

		if (name.n != NAME_LEN || ww_slice_u64(name, &first) < 0)
			continue;
		if (first <= index && (!near.found || first > near.first)) {
			near.first = first;
			near.found = true;
		}
		if (first > index && (!near.more || first < near.next)) {
			near.next = first;
			near.more = true;
		}
	}
	closedir(list);
	*ret = near;
	return 0;
}

/* 0, -ENODATA, or -errno. */
static int find_segment(int dir, uint64_t index, uint64_t *ret_first)
{
	struct neighbours near;
	int r = find_segments(dir, index, &near);

	if (r < 0)
		return r;
	if (!near.found)
		return -ENODATA;
	*ret_first = near.first;
	return 0;
}

static int open_segment(int dir, uint64_t first, int flags, int *ret_fd)
{
	char name[NAME_LEN + 1];
	int fd;

	segment_name(first, name);
	fd = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static int open_records(int ledger_dir, int *ret_fd)
{
	int fd = openat(ledger_dir, "records", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* A segment read from the front through a window that moves with it. */
struct scan {
	int fd;
	uint64_t offset; /* file offset of window.p */
	size_t at;       /* bytes of the window consumed */
	struct ww_buf window;
};

static int scan_fill(struct scan *s)
{
	uint8_t *p;
	ssize_t n;
	int r;

	ww_buf_consume(&s->window, s->at);
	s->offset += s->at;
	s->at = 0;
	r = ww_buf_reserve(&s->window, WINDOW_MAX - s->window.n, &p);
	if (r < 0)
		return r;
	do
		n = pread(s->fd, p, WINDOW_MAX - s->window.n, (off_t)(s->offset + s->window.n));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	s->window.n += (size_t)n;
	return n > 0;
}

/* The next frame of the segment: an enum ww_parse, or -errno. *ret_offset is where it begins. */
static int scan_next(struct scan *s, struct ww_payload *ret, uint64_t *ret_offset)
{
	for (;;) {
		struct ww_cursor c = ww_cursor(ww_buf_slice(&s->window));
		enum ww_parse got;
		int r;

		(void)ww_cursor_take(&c, s->at);
		got = ww_payload_next(&c, ret);
		*ret_offset = s->offset + s->at;
		if (got == WW_PARSE_DONE || got == WW_PARSE_GAP)
			s->at = c.at;
		if (got != WW_PARSE_MORE && got != WW_PARSE_END)
			return (int)got;
		r = scan_fill(s);
		if (r <= 0)
			return r < 0 ? r : (int)got;
	}
}

static void scan_done(struct scan *s)
{
	ww_buf_wipe(&s->window);
}

/* --- writing -------------------------------------------------------------------------------------
 */

/* Walks the last segment to the end of record size - 1. */
static int find_end(int fd, uint64_t first, uint64_t size, uint64_t *ret_end,
		    struct ww_errtext *why)
{
	WW_AUTO(scan_done) struct scan s = {.fd = fd};
	struct ww_payload p;
	uint64_t offset;

	ww_buf_init(&s.window, WINDOW_MAX);
	for (uint64_t index = first; index < size; index++) {
		int got = scan_next(&s, &p, &offset);

		if (got < 0)
			return ww_errtext_errno(why, got, "cannot read the records");
		/* A damaged frame of the right length is one lost record, not a reason to stop. */
		if (got == WW_PARSE_GAP || (got == WW_PARSE_DONE && p.index == index))
			continue;
		return ww_errtext_set(why, -EUCLEAN,
				      "%" PRIu64
				      " records are committed, but records/ ends at %" PRIu64,
				      size, index);
	}
	*ret_end = s.offset + s.at;
	return 0;
}

static int open_last(struct ww_payload_writer *w, uint64_t size, struct ww_errtext *why)
{
	uint64_t first;
	int r = find_segment(w->dir, UINT64_MAX, &first);

	if (r == -ENODATA && size == 0)
		return 0;
	if (r == -ENODATA || (r == 0 && first > size))
		return ww_errtext_set(
			why, -EUCLEAN,
			"%" PRIu64 " records are committed, records/ does not fit that", size);
	if (r == 0)
		r = open_segment(w->dir, first, O_RDWR, &w->fd);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot open the records");
	r = find_end(w->fd, first, size, &w->end, why);
	if (r < 0)
		return r;
	r = ww_payload_writer_rewind(w);
	return r < 0 ? ww_errtext_errno(why, r, "cannot cut off unfinished records") : 0;
}

int ww_payload_writer_open(int ledger_dir, uint64_t size, struct ww_payload_writer *ret,
			   struct ww_errtext *why)
{
	WW_AUTO(ww_payload_writer_done) struct ww_payload_writer w = {-1, -1, 0};
	int r = 0;

	if (mkdirat(ledger_dir, "records", 0700) == 0)
		r = ww_durable_sync_dir(ledger_dir, ".");
	else if (errno != EEXIST)
		r = -errno;
	if (r == 0)
		r = open_records(ledger_dir, &w.dir);
	if (r < 0)
		return ww_errtext_errno(why, r, "cannot open records");
	r = open_last(&w, size, why);
	if (r < 0)
		return r;
	*ret = w;
	w.dir = w.fd = -1;
	return 0;
}

void ww_payload_writer_done(struct ww_payload_writer *w)
{
	ww_own_close(&w->dir);
	ww_own_close(&w->fd);
	w->dir = w->fd = -1;
}

int ww_payload_writer_kept(const struct ww_payload_writer *w, struct ww_errtext *why)
{
	struct stat dir, file = {.st_nlink = 1};

	if (fstat(w->dir, &dir) < 0 || (w->fd >= 0 && fstat(w->fd, &file) < 0))
		return ww_errtext_errno(why, -errno, "cannot look at records");
	if (dir.st_nlink == 0 || file.st_nlink == 0)
		return ww_errtext_set(why, -EUCLEAN,
				      "records were removed while the ledger is written");
	return 0;
}

static int next_segment(struct ww_payload_writer *w, uint64_t first)
{
	WW_AUTO_FD int fd = -1;
	int r = open_segment(w->dir, first, O_RDWR | O_CREAT | O_TRUNC, &fd);

	if (r == 0)
		r = ww_durable_sync_dir(w->dir, ".");
	if (r < 0)
		return r;
	ww_own_close(&w->fd);
	w->fd = WW_TAKE_FD(fd);
	w->end = 0;
	return 0;
}

int ww_payload_writer_put(struct ww_payload_writer *w, uint64_t first, struct ww_slice frames)
{
	int r = 0;

	if (w->fd < 0 || w->end >= WW_LEDGER_SEGMENT_BYTES)
		r = next_segment(w, first);
	if (r == 0)
		r = ww_durable_pwrite(w->fd, frames, w->end);
	if (r == 0 && fdatasync(w->fd) < 0)
		r = -errno;
	return r;
}

void ww_payload_writer_advance(struct ww_payload_writer *w, size_t bytes)
{
	w->end += bytes;
}

int ww_payload_writer_rewind(struct ww_payload_writer *w)
{
	if (w->fd < 0)
		return 0;
	if (ftruncate(w->fd, (off_t)w->end) < 0)
		return -errno;
	return fsync(w->fd) < 0 ? -errno : 0;
}

/* Not synced. */
static int erase_frame(int fd, uint64_t offset, const struct ww_payload *p)
{
	WW_AUTO_BUF struct ww_buf frame = {0};
	struct ww_payload erased = *p;
	struct ww_slice salted;
	int r;

	erased.erased = true;
	ww_buf_init(&frame, HEAD_LEN + BODY_MAX);
	r = ww_payload_encode(&erased, &frame, &salted);
	if (r < 0)
		return r;
	memset(frame.p + (salted.p - frame.p), 0, salted.n);
	put_be(frame.p + 4, crc(ww_slice_sub(ww_buf_slice(&frame), HEAD_LEN, frame.n)), 4);
	return ww_durable_pwrite(fd, ww_buf_slice(&frame), offset);
}

static int erase_at(int fd, uint64_t offset, const struct ww_payload *p)
{
	int r = erase_frame(fd, offset, p);

	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	return r;
}

int ww_payload_writer_erase(struct ww_payload_writer *w, uint64_t index)
{
	WW_AUTO_FD int fd = -1;
	struct ww_payload p;
	uint64_t first, offset;
	int r = find_segment(w->dir, index, &first);

	if (r == 0)
		r = open_segment(w->dir, first, O_RDWR, &fd);
	if (r < 0)
		return r == -ENOENT ? -ENODATA : r;

	WW_AUTO(scan_done) struct scan s = {.fd = fd};

	ww_buf_init(&s.window, WINDOW_MAX);
	for (uint64_t i = first; i <= index; i++) {
		r = scan_next(&s, &p, &offset);
		if (r < 0)
			return r;
		if (r != WW_PARSE_DONE && r != WW_PARSE_GAP)
			return -ENODATA;
	}
	/* A torn erasure leaves the index and the kind in place. */
	if (p.index != index || p.kind.n == 0)
		return -EUCLEAN;
	return erase_at(fd, offset, &p);
}

/* --- whole segments ------------------------------------------------------------------------------
 */

struct ww_payload_walk {
	int dir;
	struct scan scan;
	uint64_t first;
	bool last;
	uint64_t offset; /* of the frame that was given */
	struct ww_payload given;
};

int ww_payload_walk_new(int ledger_dir, struct ww_payload_walk **ret_walk)
{
	WW_AUTO(ww_payload_walk_free_auto) struct ww_payload_walk *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->dir = w->scan.fd = -1;
	ww_buf_init(&w->scan.window, WINDOW_MAX);
	r = open_records(ledger_dir, &w->dir);
	if (r < 0)
		return r == -ENOENT ? -ENODATA : r;
	*ret_walk = WW_TAKE(w);
	return 0;
}

void ww_payload_walk_free(struct ww_payload_walk *w)
{
	if (!w)
		return;
	scan_done(&w->scan);
	ww_own_close(&w->scan.fd);
	ww_own_close(&w->dir);
	free(w);
}

int ww_payload_walk_enter(struct ww_payload_walk *w, uint64_t index, uint64_t *ret_first,
			  uint64_t *ret_next)
{
	struct neighbours near;
	int fd, r = find_segments(w->dir, index, &near);

	if (r == 0 && !near.found && near.more)
		r = find_segments(w->dir, near.next, &near);
	if (r == 0 && !near.found)
		r = -ENODATA;
	if (r == 0)
		r = open_segment(w->dir, near.first, O_RDWR, &fd);
	if (r < 0)
		return r;
	ww_own_close(&w->scan.fd);
	w->scan.fd = fd;
	w->scan.offset = 0;
	w->scan.at = 0;
	ww_buf_clear(&w->scan.window);
	w->first = near.first;
	w->last = !near.more;
	w->given = (struct ww_payload){0};
	*ret_first = near.first;
	*ret_next = near.more ? near.next : UINT64_MAX;
	return 0;
}

int ww_payload_walk_next(struct ww_payload_walk *w, struct ww_payload *ret, bool *ret_damaged)
{
	int got;

	w->given = (struct ww_payload){0};
	got = scan_next(&w->scan, &w->given, &w->offset);
	if (got < 0)
		return got;
	if (got != WW_PARSE_DONE && got != WW_PARSE_GAP)
		return got == WW_PARSE_END ? -ENODATA : -EUCLEAN;
	*ret = w->given;
	*ret_damaged = got == WW_PARSE_GAP;
	return 0;
}

int ww_payload_walk_erase(struct ww_payload_walk *w)
{
	return w->given.kind.n ? erase_frame(w->scan.fd, w->offset, &w->given) : -EINVAL;
}

int ww_payload_walk_sync(struct ww_payload_walk *w)
{
	return fdatasync(w->scan.fd) < 0 ? -errno : 0;
}

int ww_payload_walk_remove(struct ww_payload_walk *w)
{
	char name[NAME_LEN + 1];

	if (w->last)
		return -EBUSY;
	segment_name(w->first, name);
	if (unlinkat(w->dir, name, 0) < 0)
		return -errno;
	return ww_durable_sync_dir(w->dir, ".");
}

/* --- reading -------------------------------------------------------------------------------------
 */

struct ww_payload_reader {
	int ledger_dir;
	int dir;
	uint64_t next; /* index of the frame at the scan's place */
	/* Places known to have no segment, so that a long gap is not looked for at each of them. */
	uint64_t gap_first, gap_next;
	struct scan scan;
};

int ww_payload_reader_new(int ledger_dir, struct ww_payload_reader **ret_reader)
{
	struct ww_payload_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->ledger_dir = ledger_dir;
	r->dir = r->scan.fd = -1;
	ww_buf_init(&r->scan.window, WINDOW_MAX);
	*ret_reader = r;
	return 0;
}

void ww_payload_reader_free(struct ww_payload_reader *r)
{
	if (!r)
		return;
	scan_done(&r->scan);
	ww_own_close(&r->scan.fd);
	ww_own_close(&r->dir);
	free(r);
}

void ww_payload_reader_refresh(struct ww_payload_reader *r)
{
	r->scan.offset += r->scan.at;
	r->scan.at = 0;
	ww_buf_clear(&r->scan.window);
	r->gap_first = r->gap_next = 0;
}

/* From here to the next segment there is nothing. */
static int note_gap(struct ww_payload_reader *r, uint64_t index)
{
	struct neighbours near;

	if (find_segments(r->dir, index, &near) == 0 && near.more) {
		r->gap_first = index;
		r->gap_next = near.next;
	}
	return -ENODATA;
}

static int enter_segment(struct ww_payload_reader *r, uint64_t index)
{
	uint64_t first;
	int e, fd;

	if (r->dir < 0) {
		e = open_records(r->ledger_dir, &r->dir);
		if (e < 0)
			return e == -ENOENT ? -ENODATA : e;
	}
	e = find_segment(r->dir, index, &first);
	if (e == -ENODATA)
		return note_gap(r, index);
	if (e == 0)
		e = open_segment(r->dir, first, O_RDONLY, &fd);
	if (e < 0)
		return e == -ENOENT ? -ENODATA : e;
	ww_own_close(&r->scan.fd);
	r->scan.fd = fd;
	r->scan.offset = 0;
	r->scan.at = 0;
	ww_buf_clear(&r->scan.window);
	r->next = first;
	return 0;
}

int ww_payload_reader_get(struct ww_payload_reader *r, uint64_t index, struct ww_payload *ret)
{
	bool entered = r->scan.fd < 0 || index < r->next;
	struct ww_payload p;
	uint64_t offset;
	int e;

	if (index >= r->gap_first && index < r->gap_next)
		return -ENODATA;
	e = entered ? enter_segment(r, index) : 0;
	if (e < 0)
		return e;
	for (;;) {
		int got = scan_next(&r->scan, &p, &offset);

		if (got == WW_PARSE_END && !entered) {
			entered = true;
			e = enter_segment(r, index);
			if (e < 0)
				return e;
			continue;
		}
		if (got < 0)
			return got;
		if (got != WW_PARSE_DONE && got != WW_PARSE_GAP)
			return got == WW_PARSE_END ? note_gap(r, index) : -EUCLEAN;
		if (r->next++ < index)
			continue;
		if (got == WW_PARSE_GAP || p.index != index)
			return -EUCLEAN;
		*ret = p;
		return 0;
	}
}
