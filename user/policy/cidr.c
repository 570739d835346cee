/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/cidr.h"

#include <arpa/inet.h>
#include <errno.h>

#include "base/encode.h"

static bool prefix_eq(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) & mask) == 0;
}

static bool host_bits_zero(const struct ww_cidr *c, unsigned len)
{
	for (unsigned bit = c->bits; bit < len * 8; bit++) {
		if (c->addr[bit / 8] & (0x80u >> bit % 8))
			return false;
	}
	return true;
}

int ww_cidr_parse(struct ww_slice text, struct ww_cidr *ret_cidr)
{
	size_t slash = ww_slice_find(text, 0, '/');
	char addr[INET6_ADDRSTRLEN];
	struct ww_cidr c = {0};
	uint64_t bits;
	unsigned len;

	if (slash == 0 || slash >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text.p, slash);
	addr[slash] = '\0';
	if (memchr(addr, '\0', slash))
		return -EINVAL;
	if (inet_pton(AF_INET, addr, c.addr) == 1)
		c.family = AF_INET;
	else if (inet_pton(AF_INET6, addr, c.addr) == 1)
		c.family = AF_INET6;
	else
		return -EINVAL;
	len = c.family == AF_INET ? 4 : 16;
	bits = len * 8;
	if (slash < text.n && ww_slice_u64(ww_slice_sub(text, slash + 1, text.n), &bits) < 0)
		return -EINVAL;
	if (bits > len * 8)
		return -EINVAL;
	c.bits = (uint8_t)bits;
	if (c.family == AF_INET6 && c.bits >= 96 && ww_cidr_mapped(c.addr))
		return -EINVAL;
	if (!host_bits_zero(&c, len))
		return -EINVAL;
	*ret_cidr = c;
	return 0;
}

int ww_cidr_parse_network(struct ww_slice text, struct ww_cidr *ret_cidr)
{
	return ww_slice_find(text, 0, '/') < text.n ? ww_cidr_parse(text, ret_cidr) : -EINVAL;
}

void ww_cidr_text(const struct ww_cidr *c, char *out)
{
	inet_ntop(c->family, c->addr, out, WW_CIDR_TEXT_MAX);
	ww_put_dec(ww_put_text(out + strlen(out), "/"), c->bits);
}

bool ww_cidr_has(const struct ww_cidr *c, const struct ww_endpoint *e)
{
	bool mapped = e->family == AF_INET6 && ww_cidr_mapped(e->addr);
	uint8_t family = mapped ? AF_INET : (uint8_t)e->family;

	return family == c->family && prefix_eq(c->addr, e->addr + (mapped ? 12 : 0), c->bits);
}

bool ww_cidr_loopback(const struct ww_cidr *c)
{
	static const uint8_t one[16] = {[15] = 1};

	if (c->family == AF_INET)
		return c->bits >= 8 && c->addr[0] == 127;
	return c->bits == 128 && memcmp(c->addr, one, 16) == 0;
}

bool ww_cidr_endpoint_loopback(const struct ww_endpoint *e)
{
	static const struct ww_cidr four = {.addr = {127}, .bits = 8, .family = AF_INET};
	static const struct ww_cidr six = {.addr = {[15] = 1}, .bits = 128, .family = AF_INET6};

	return ww_cidr_has(&four, e) || ww_cidr_has(&six, e);
}
