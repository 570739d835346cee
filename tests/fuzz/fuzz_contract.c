/* SPDX-License-Identifier: Apache-2.0 */
/* Contract files: whatever parses must hold to its own limits; what does not names a line. */
#include "policy/contract.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ww_endpoint peer = {.addr = {10, 77, 2, 9}, .family = 2, .port = 8443};
	WW_AUTO(ww_contracts_free_auto) struct ww_contracts *c = NULL;
	struct ww_contract_error e = {0};
	int r = ww_contracts_parse(ww_slice(data, size), &c, &e);

	if (r < 0) {
		assert(!c && (r == -ENOMEM || e.text[0]));
		return 0;
	}
	assert(c->count <= WW_CONTRACTS_MAX);
	for (unsigned i = 0; i < c->count; i++) {
		const struct ww_contract *k = &c->items[i];

		assert(ww_contracts_find(c, k->tool) == k);
		if (ww_pattern_destination(&k->call, "pay.example.com", &peer))
			assert(ww_pattern_address(&k->call, &peer));
		for (unsigned p = 0; p < k->call.path_count; p++)
			(void)ww_pattern_request(&k->call, k->call.methods[0], k->call.paths[p]);
		if (k->readback.path) {
			uint8_t id[WW_READBACK_ID_MAX];
			size_t n = 0;

			assert(k->id_path && k->readback.method && k->readback.id_path);
			if (ww_readback_request(&k->readback, k->readback.method, k->readback.path,
						id, &n))
				assert(n > 0 && n <= sizeof(id));
		}
		for (unsigned f = 0; f < k->local.file_count; f++) {
			struct ww_slice file = ww_slice_str(k->local.files[f]);

			/* A template without open parts is its own path. */
			if (!memchr(file.p, '{', file.n) && !memmem(file.p, file.n, "**", 2))
				assert(ww_local_file(&k->local, file));
			(void)ww_local_file(&k->local, ww_slice(data, size));
			(void)ww_local_file(&k->local, WW_SLICE_LIT("/srv/reports/a.b/c"));
		}
		if (k->local.program_count)
			(void)ww_local_program(&k->local, ww_slice(data, size));
		assert(!k->local.exit_given || k->local.exit_min <= k->local.exit_max);
		assert(!k->local.file_count == !k->local.changes);
		for (unsigned x = 0; x < k->control_count; x++)
			assert(k->controls[x].call.destination_count &&
			       k->controls[x].subject_count % 2 == 0);
	}
	return 0;
}
