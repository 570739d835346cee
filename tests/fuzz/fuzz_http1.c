/* SPDX-License-Identifier: Apache-2.0 */
/* One connection from its first byte on: HTTP/1, and whatever else it begins with. */
#include "../lib/fuzz_proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ww_slice nothing[2];

	fuzz_connection(ww_slice(data, size), nothing);
	return 0;
}
