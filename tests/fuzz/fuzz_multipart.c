/* SPDX-License-Identifier: Apache-2.0 */
/* Forms: the parts must not depend on the split, here given by the first byte. The boundary is "X".
 */
#include <assert.h>
#include <string.h>

#include "proto/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_form(const struct ww_digest_key *key, struct ww_slice in, size_t step,
		      struct ww_form *ret_form)
{
	struct ww_multipart *m = NULL;

	if (ww_multipart_new("multipart/form-data; boundary=X", key, &m) < 0)
		abort();
	for (size_t at = 0; at < in.n; at += step)
		ww_multipart_add(m, ww_slice_sub(in, at, step));
	*ret_form = *ww_multipart_end(m, true);
	ww_multipart_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t raw_key[32];
	static struct ww_form whole, split;
	struct ww_multipart *m = NULL;
	struct ww_digest_key key;
	char type[129] = "";
	struct ww_slice in;
	uint64_t bytes = 0;

	if (size < 2 || size > 65536)
		return 0;
	ww_digest_key_init(&key, raw_key);
	in = ww_slice(data + 1, size - 1);
	read_form(&key, in, in.n, &whole);
	read_form(&key, in, data[0] % 31 + 1, &split);
	assert(memcmp(&whole, &split, sizeof(whole)) == 0);
	assert(!whole.whole || !whole.malformed);
	for (unsigned i = 0; i < whole.total && i < WW_FORM_PARTS_MAX; i++) {
		assert(memchr(whole.part[i].name, '\0', sizeof(whole.part[i].name)));
		assert(memchr(whole.part[i].content_type, '\0',
			      sizeof(whole.part[i].content_type)));
		assert(whole.part[i].whole || i == whole.total - 1);
		bytes += whole.part[i].bytes;
	}
	assert(bytes < in.n);
	/* As a content type. */
	memcpy(type, in.p, in.n < sizeof(type) - 1 ? in.n : sizeof(type) - 1);
	if (ww_multipart_new(type, &key, &m) == 0)
		ww_multipart_free(m);
	return 0;
}
