/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/otlp_upload.h"

#include <errno.h>

#include <wirewitness/limits.h>

#define STEP_BYTES           65536u
#define BOMB_BYTES           (1u << 20)
#define WINDOW_BITS_GZIP_MAX (15 + 16) /* zlib: largest window, gzip header demanded */

int ww_otlp_upload_begin(struct ww_otlp_upload *u, bool gzip, uint64_t bytes_max,
			 struct ww_otlp_budget *budget)
{
	*u = (struct ww_otlp_upload){.budget = budget};
	ww_buf_init(&u->body, bytes_max);
	if (gzip && inflateInit2(&u->z, WINDOW_BITS_GZIP_MAX) != Z_OK)
		return -ENOMEM;
	u->gzip = gzip;
	return 0;
}

void ww_otlp_upload_done(struct ww_otlp_upload *u)
{
	if (!u->budget)
		return;
	u->budget->held -= u->body.cap;
	ww_buf_wipe(&u->body);
	if (u->gzip)
		(void)inflateEnd(&u->z);
	*u = (struct ww_otlp_upload){0};
}

/* Room for n more bytes, within the budget. 0, -EMSGSIZE, -EAGAIN, -ENOMEM. */
static int reserve(struct ww_otlp_upload *u, size_t n, uint8_t **ret_p)
{
	size_t before = u->body.cap;
	int r = ww_buf_reserve(&u->body, n, ret_p);

	u->budget->held += u->body.cap - before;
	if (r == 0 && u->budget->held > u->budget->max)
		return -EAGAIN;
	return r;
}

/* One step of inflate() with what z.next_in has. 0: some was taken or given; 1: no more to do. */
static int inflate_step(struct ww_otlp_upload *u)
{
	size_t room = u->body.max - u->body.n;
	uint8_t over, *to = &over;
	int r, z;

	if (room > STEP_BYTES)
		room = STEP_BYTES;
	if (room > 0) {
		r = reserve(u, room, &to);
		if (r < 0)
			return r;
	}
	/* At the ceiling one byte more tells a full body from one that is too large. */
	u->z.next_out = to;
	u->z.avail_out = room > 0 ? (uInt)room : 1;
	u->member_open = true;
	z = inflate(&u->z, Z_NO_FLUSH);
	if (room == 0 && u->z.avail_out == 0)
		return -EMSGSIZE;
	if (room > 0)
		u->body.n += room - u->z.avail_out;
	if (u->body.n > BOMB_BYTES && u->body.n / WW_INFLATE_RATIO_MAX > u->wire_bytes)
		return -EMSGSIZE;
	if (z == Z_STREAM_END) {
		/* RFC 1952 section 2.2: members follow each other without anything between. */
		u->member_open = false;
		if (inflateReset(&u->z) != Z_OK)
			return -EBADMSG;
		return u->z.avail_in == 0;
	}
	if (z == Z_BUF_ERROR)
		return 1;
	if (z == Z_MEM_ERROR)
		return -ENOMEM;
	if (z != Z_OK)
		return -EBADMSG;
	return u->z.avail_in == 0 && u->z.avail_out > 0;
}

int ww_otlp_upload_add(struct ww_otlp_upload *u, struct ww_slice bytes)
{
	uint8_t *to;
	int r = 0;

	if (bytes.n == 0)
		return 0;
	u->wire_bytes += bytes.n;
	if (!u->gzip) {
		r = reserve(u, bytes.n, &to);
		if (r < 0)
			return r;
		memcpy(to, bytes.p, bytes.n);
		u->body.n += bytes.n;
		return 0;
	}
	if (bytes.n > UINT32_MAX)
		return -EMSGSIZE;
	u->z.next_in = (z_const Bytef *)bytes.p;
	u->z.avail_in = (uInt)bytes.n;
	while (r == 0)
		r = inflate_step(u);
	return r < 0 ? r : 0;
}

int ww_otlp_upload_end(const struct ww_otlp_upload *u)
{
	return u->gzip && (u->member_open || u->wire_bytes == 0) ? -EBADMSG : 0;
}
