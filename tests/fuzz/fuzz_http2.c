/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP/2 connection behind the prefaces of both ends. */
#include "../lib/fuzz_proto.h"

#include "proto/h2_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NO_SETTINGS "\0\0\0\4\0\0\0\0\0"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ww_slice prefaces[2] = {
		[WW_DIR_OUT] = WW_SLICE_LIT(WW_H2_PREFACE NO_SETTINGS),
		[WW_DIR_IN] = WW_SLICE_LIT(NO_SETTINGS),
	};

	fuzz_connection(ww_slice(data, size), prefaces);
	return 0;
}
