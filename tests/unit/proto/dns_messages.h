/* SPDX-License-Identifier: Apache-2.0 */
/* DNS messages for tests: put together without compression, one record after the other. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dns.h"

struct dns_message {
	size_t n;
	uint8_t bytes[8192];
};

static inline void dns_put16(struct dns_message *m, unsigned v)
{
	m->bytes[m->n++] = (uint8_t)(v >> 8);
	m->bytes[m->n++] = (uint8_t)v;
}

/* "www.test" */
static inline void dns_put_name(struct dns_message *m, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		m->bytes[m->n++] = (uint8_t)n;
		memcpy(m->bytes + m->n, name, n);
		m->n += n;
		name += n + (name[n] == '.');
	}
	m->bytes[m->n++] = 0;
}

static inline struct dns_message dns_make(unsigned id, bool response, const char *name,
					  unsigned type)
{
	struct dns_message m = {0};

	dns_put16(&m, id);
	dns_put16(&m, response ? 0x8180 : 0x0100);
	dns_put16(&m, 1);
	dns_put16(&m, 0);
	dns_put16(&m, 0);
	dns_put16(&m, 0);
	dns_put_name(&m, name);
	dns_put16(&m, type);
	dns_put16(&m, WW_DNS_CLASS_IN);
	return m;
}

static inline void dns_add(struct dns_message *m, const char *name, unsigned type, unsigned ttl,
			   const void *data, size_t n)
{
	m->bytes[7]++;
	dns_put_name(m, name);
	dns_put16(m, type);
	dns_put16(m, WW_DNS_CLASS_IN);
	dns_put16(m, ttl >> 16);
	dns_put16(m, ttl);
	dns_put16(m, (unsigned)n);
	memcpy(m->bytes + m->n, data, n);
	m->n += n;
}

/* "10.1.2.3" */
static inline void dns_add_a(struct dns_message *m, const char *name, unsigned ttl,
			     const char *dotted)
{
	unsigned a, b, c, d;

	if (sscanf(dotted, "%u.%u.%u.%u", &a, &b, &c, &d) != 4)
		abort();
	dns_add(m, name, WW_DNS_A, ttl, (uint8_t[]){(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d},
		4);
}

static inline void dns_add_alias(struct dns_message *m, const char *name, unsigned ttl,
				 const char *target)
{
	struct dns_message data = {0};

	dns_put_name(&data, target);
	dns_add(m, name, WW_DNS_CNAME, ttl, data.bytes, data.n);
}
