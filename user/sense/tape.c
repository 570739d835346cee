/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/tape.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <zstd.h>

#include "base/buf.h"
#include "sense/event_check.h"

#define IO_BYTES (256u << 10)
/* What a tape may ask of the reader's memory; the writer takes less. */
#define WINDOW_LOG_MAX 22

static const char magic[8] = {'W', 'W', 'T', 'A', 'P', 'E', '1', '\n'};

struct ww_tape_writer {
	int fd;
	int err;
	ZSTD_CStream *z;
	uint8_t out[IO_BYTES];
};

struct ww_tape_reader {
	int fd;
	bool ended; /* WW_EVENT_END was read */
	bool eof;
	ZSTD_DStream *z;
	ZSTD_inBuffer in;
	struct ww_buf manifest;
	struct ww_buf plain; /* decompressed, from `at` on not yet handed out */
	size_t at;
	uint8_t raw[IO_BYTES];
};

static int write_all(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n > 0) {
		ssize_t k = write(fd, at, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? -errno : -EIO;
		at += k;
		n -= (size_t)k;
	}
	return 0;
}

static int push(struct ww_tape_writer *w, const void *p, size_t n, ZSTD_EndDirective mode)
{
	ZSTD_inBuffer in = {p, n, 0};
	size_t left;

	do {
		ZSTD_outBuffer out = {w->out, sizeof(w->out), 0};

		left = ZSTD_compressStream2(w->z, &out, &in, mode);
		if (ZSTD_isError(left))
			return w->err = -EIO;
		w->err = write_all(w->fd, w->out, out.pos);
		if (w->err < 0)
			return w->err;
	} while (in.pos < in.size || (mode != ZSTD_e_continue && left > 0));
	return 0;
}

static void writer_free(struct ww_tape_writer *w)
{
	if (!w)
		return;
	ZSTD_freeCStream(w->z);
	if (w->fd >= 0)
		close(w->fd);
	explicit_bzero(w, sizeof(*w));
	free(w);
}

WW_DEFINE_AUTO(struct ww_tape_writer, writer_free)

int ww_tape_create(const char *path, struct ww_slice manifest, struct ww_tape_writer **ret_writer)
{
	WW_AUTO(writer_free_auto) struct ww_tape_writer *w = calloc(1, sizeof(*w));
	uint32_t n = htole32((uint32_t)manifest.n);
	int r;

	if (!w)
		return -ENOMEM;
	w->fd = -1;
	if (manifest.n > WW_MANIFEST_BYTES_MAX)
		return -EMSGSIZE;
	w->z = ZSTD_createCStream();
	if (!w->z || ZSTD_isError(ZSTD_initCStream(w->z, 1)))
		return -ENOMEM;
	w->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd < 0)
		return -errno;
	r = write_all(w->fd, magic, sizeof(magic));
	if (r == 0)
		r = write_all(w->fd, &n, sizeof(n));
	if (r == 0)
		r = write_all(w->fd, manifest.p, manifest.n);
	if (r < 0)
		return r;
	*ret_writer = WW_TAKE(w);
	return 0;
}

int ww_tape_write(struct ww_tape_writer *w, const struct ww_event *ev)
{
	static const uint8_t zero[8];

	if (w->err < 0)
		return w->err;
	if (push(w, ev, ev->size, ZSTD_e_continue) < 0)
		return w->err;
	return push(w, zero, (8 - ev->size % 8) % 8, ZSTD_e_continue);
}

int ww_tape_flush(struct ww_tape_writer *w)
{
	return w->err < 0 ? w->err : push(w, NULL, 0, ZSTD_e_flush);
}

int ww_tape_close(struct ww_tape_writer *w, uint64_t time_ns)
{
	struct ww_event end = ww_event_header(WW_EVENT_END, sizeof(end), time_ns);
	int r;

	if (!w)
		return 0;
	r = ww_tape_write(w, &end);
	if (r == 0)
		r = push(w, NULL, 0, ZSTD_e_end);
	if (r == 0 && fsync(w->fd) < 0 && errno != EINVAL)
		r = -errno;
	writer_free(w);
	return r;
}

void ww_tape_reader_free(struct ww_tape_reader *r)
{
	if (!r)
		return;
	ZSTD_freeDStream(r->z);
	if (r->fd >= 0)
		close(r->fd);
	ww_buf_wipe(&r->manifest); /* holds the digest key */
	ww_buf_wipe(&r->plain);
	free(r);
}

static ssize_t read_full(int fd, void *p, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t k = read(fd, (uint8_t *)p + got, n - got);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		if (k == 0)
			break;
		got += (size_t)k;
	}
	return (ssize_t)got;
}

static int read_manifest(struct ww_tape_reader *r)
{
	char head[sizeof(magic)];
	uint32_t n = 0;
	uint8_t *p;
	int err;

	if (read_full(r->fd, head, sizeof(head)) != (ssize_t)sizeof(head) ||
	    memcmp(head, magic, sizeof(magic)) != 0 ||
	    read_full(r->fd, &n, sizeof(n)) != (ssize_t)sizeof(n))
		return -EBADMSG;
	n = le32toh(n);
	if (n > WW_MANIFEST_BYTES_MAX)
		return -EBADMSG;
	err = ww_buf_reserve(&r->manifest, n, &p);
	if (err < 0)
		return err;
	if (read_full(r->fd, p, n) != (ssize_t)n)
		return -EBADMSG;
	r->manifest.n = n;
	return 0;
}

int ww_tape_open(const char *path, struct ww_tape_reader **ret_reader)
{
	WW_AUTO(ww_tape_reader_free_auto) struct ww_tape_reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	ww_buf_init(&r->manifest, WW_MANIFEST_BYTES_MAX);
	ww_buf_init(&r->plain, (size_t)WW_TAPE_EVENT_BYTES_MAX + 2 * IO_BYTES);
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return -errno;
	err = read_manifest(r);
	if (err < 0)
		return err;
	r->z = ZSTD_createDStream();
	if (!r->z || ZSTD_isError(ZSTD_initDStream(r->z)) ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(r->z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		return -ENOMEM;
	*ret_reader = WW_TAKE(r);
	return 0;
}

struct ww_slice ww_tape_manifest(const struct ww_tape_reader *r)
{
	return ww_buf_slice(&r->manifest);
}

/* Decompresses some more. 0; -EPIPE at the end of the file; -EBADMSG; -ENOMEM. */
static int fill(struct ww_tape_reader *r)
{
	ZSTD_outBuffer out;
	uint8_t *p;
	size_t k;
	int err;

	if (r->in.pos >= r->in.size) {
		ssize_t n = r->eof ? 0 : read_full(r->fd, r->raw, sizeof(r->raw));

		if (n < 0)
			return (int)n;
		if (n == 0) {
			r->eof = true;
			return -EPIPE;
		}
		r->in = (ZSTD_inBuffer){r->raw, (size_t)n, 0};
	}
	if (r->at > 0) {
		ww_buf_consume(&r->plain, r->at);
		r->at = 0;
	}
	err = ww_buf_reserve(&r->plain, IO_BYTES, &p);
	if (err < 0)
		return err == -EMSGSIZE ? -EBADMSG : err;
	out = (ZSTD_outBuffer){p, IO_BYTES, 0};
	k = ZSTD_decompressStream(r->z, &out, &r->in);
	if (ZSTD_isError(k))
		return -EBADMSG;
	r->plain.n += out.pos;
	return 0;
}

/* Makes n bytes readable at r->at. */
static int want(struct ww_tape_reader *r, size_t n)
{
	while (r->plain.n - r->at < n) {
		int err = fill(r);

		if (err < 0)
			return err;
	}
	return 0;
}

int ww_tape_next(struct ww_tape_reader *r, const struct ww_event **ret_ev)
{
	const struct ww_event *ev;
	size_t size;
	int err;

	if (r->ended)
		return -ENODATA;
	err = want(r, sizeof(*ev));
	if (err < 0)
		return err;
	ev = (const struct ww_event *)(r->plain.p + r->at);
	size = ev->size;
	if (size < sizeof(*ev) || size > WW_TAPE_EVENT_BYTES_MAX)
		return -EBADMSG;
	err = want(r, (size + 7) & ~(size_t)7);
	if (err < 0)
		return err;
	ev = (const struct ww_event *)(r->plain.p + r->at);
	if (ww_event_check(ev, size) < 0)
		return -EBADMSG;
	r->at += (size + 7) & ~(size_t)7;
	if (ev->kind == WW_EVENT_END)
		r->ended = true;
	*ret_ev = ev;
	return 0;
}
