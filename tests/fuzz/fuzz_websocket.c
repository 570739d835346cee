/* SPDX-License-Identifier: Apache-2.0 */
/* One connection behind an upgrade to WebSocket. The first byte says what was agreed on. */
#include "../lib/fuzz_proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ANSWER  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
#define DEFLATE "Sec-WebSocket-Extensions: permessage-deflate"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ww_slice answers[] = {
		WW_SLICE_LIT(ANSWER "\r\n"),
		WW_SLICE_LIT(ANSWER DEFLATE "\r\n\r\n"),
		WW_SLICE_LIT(ANSWER DEFLATE "; client_no_context_takeover\r\n\r\n"),
		WW_SLICE_LIT(ANSWER DEFLATE "; server_no_context_takeover\r\n\r\n"),
	};
	struct ww_slice first[2] = {
		[WW_DIR_OUT] = WW_SLICE_LIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
					    "Upgrade: websocket\r\n\r\n"),
	};

	if (size < 1)
		return 0;
	first[WW_DIR_IN] = answers[data[0] % 4];
	fuzz_connection(ww_slice(data + 1, size - 1), first);
	return 0;
}
