/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small machine code functions for tests of probe plans: assembled into the test, copied into an
 * ELF image, never run. Include it after cmocka.
 */
#pragma once

#include "sense/site.h"

#include "elf_image.h"

/* A function, the callees behind it, and the instructions on which a test expects its sites. */
struct shape {
	const uint8_t *start, *end, *rest_end, *entry, *result;
};

/* fn: the function's body, with ENTRY(name) and RESULT(name) in it; rest: what lies behind it. */
#define SHAPE(name, fn, rest)                                                                    \
	__asm__(".pushsection .text\n\t.p2align 4\n"                                             \
		"shape_" #name ":\n\t" fn "\nshape_" #name "_end:\n\t" rest "\nshape_" #name     \
		"_rest:\n\t.popsection\n"                                                        \
		".globl shape_" #name ", shape_" #name "_end, shape_" #name "_rest\n");          \
	extern const uint8_t shape_##name[], shape_##name##_end[], shape_##name##_rest[];        \
	extern const uint8_t name##_entry[], name##_result[];                                    \
	static const struct shape name = {shape_##name, shape_##name##_end, shape_##name##_rest, \
					  name##_entry, name##_result}

#define ENTRY(name)    #name "_entry: .globl " #name "_entry\n\t"
#define RESULT(name)   #name "_result: .globl " #name "_result\n\t"
#define LOCAL_INTERNAL "66: push %rbx\n\tpop %rbx\n\tret\n\t"
/* A PLT stub and its slot: the slot is the last 8 bytes of the shape. */
#define STUB "67: jmp *68f(%rip)\n\t.p2align 4\n\t.zero 16\n68: .quad 0\n\t"

struct plan_of {
	struct image m;
	struct ww_tls_plan plan;
	uint64_t at;
};

static inline uint64_t add_block(struct plan_of *t, const char *name, const struct shape *s)
{
	uint64_t at = image_code(&t->m, s->start, s->rest_end);

	image_symbol(&t->m, name, at, (uint64_t)(s->end - s->start));
	return at;
}

static inline int make_plan(struct plan_of *t)
{
	int fd = image_file(&t->m);
	int r;

	assert_true(fd >= 0);
	r = ww_site_plan(fd, &t->plan);
	close(fd);
	return r;
}

/* Plans a file that defines one function of this shape; its stub, if any, imports ERR_new. */
static inline int plan_one(struct plan_of *t, const char *name, const struct shape *s)
{
	image_init(&t->m);
	t->at = add_block(t, name, s);
	image_import(&t->m, t->at + (uint64_t)(s->rest_end - s->start) - 8, "ERR_new");
	return make_plan(t);
}

static inline const struct ww_site *site(const struct plan_of *t, const char *symbol,
					 enum ww_site_kind kind)
{
	for (unsigned i = 0; i < t->plan.site_count; i++)
		if (t->plan.sites[i].kind == kind && strcmp(t->plan.sites[i].symbol, symbol) == 0)
			return &t->plan.sites[i];
	return NULL;
}

static inline uint64_t offset_of(const struct plan_of *t, const struct shape *s,
				 const uint8_t *label)
{
	return t->at - IMAGE_VADDR + (uint64_t)(label - s->start);
}

static inline void assert_sites(const struct plan_of *t, const char *name, const struct shape *s)
{
	const struct ww_site *entry = site(t, name, WW_SITE_ENTRY);
	const struct ww_site *result = site(t, name, WW_SITE_RESULT);

	assert_non_null(entry);
	assert_non_null(result);
	assert_int_equal(entry->offset, offset_of(t, s, s->entry));
	assert_int_equal(result->offset, offset_of(t, s, s->result));
}
