/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "base/encode.h"
#include "flow/flow.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct ww_endpoint ww_endpoint_unmap(const struct ww_endpoint *e)
{
	struct ww_endpoint v4 = *e;

	if (e->family != AF_INET6 || memcmp(e->addr, mapped_prefix, sizeof(mapped_prefix)) != 0)
		return v4;
	memset(v4.addr, 0, sizeof(v4.addr));
	memcpy(v4.addr, e->addr + 12, 4);
	v4.family = AF_INET;
	return v4;
}

bool ww_endpoint_eq(const struct ww_endpoint *a, const struct ww_endpoint *b)
{
	struct ww_endpoint x = ww_endpoint_unmap(a), y = ww_endpoint_unmap(b);

	return x.family == y.family && x.port == y.port &&
	       memcmp(x.addr, y.addr, x.family == AF_INET ? 4 : 16) == 0;
}

bool ww_endpoint_loopback(const struct ww_endpoint *e)
{
	static const uint8_t one[16] = {[15] = 1};
	struct ww_endpoint x = ww_endpoint_unmap(e);

	if (x.family == AF_INET)
		return x.addr[0] == 127;
	return x.family == AF_INET6 && memcmp(x.addr, one, 16) == 0;
}

void ww_endpoint_text(const struct ww_endpoint *e, char *out)
{
	char addr[INET6_ADDRSTRLEN] = "?";
	struct ww_endpoint x = ww_endpoint_unmap(e);

	switch (x.family) {
	case AF_INET:
		for (int i = 0; i < 4; i++)
			out = ww_put_text(ww_put_dec(out, x.addr[i]), i < 3 ? "." : ":");
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, x.addr, addr, sizeof(addr));
		out = ww_put_text(ww_put_text(ww_put_text(out, "["), addr), "]:");
		break;
	default:
		out = ww_put_text(out, "?:");
	}
	ww_put_dec(out, x.port);
}
