/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans over small machine code functions, the shapes that must be refused first. The code is
 * assembled into this program, copied into an ELF image and never run here. The numbers at the
 * tests are the invariants of site.c that they attack.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sense/site.h"

#include "shapes.h"

#if !defined(__x86_64__)
int main(void)
{
	puts("probe sites are planned for x86-64 only");
	return 77;
}
#else

/* --- shape A, as compiled in OpenSSL 3.0, 1.1.1 and 3.5 --- */

#define HEAD                                                                           \
	"sub $0x18,%rsp\n\tmov %fs:0x28,%rax\n\tmov %rax,8(%rsp)\n\txor %eax,%eax\n\t" \
	"test %edx,%edx\n\tjs 1f\n\t"
#define TAIL                                                                              \
	"2: mov 8(%rsp),%rdx\n\tsub %fs:0x28,%rdx\n\tjne 3f\n\tadd $0x18,%rsp\n\tret\n\t" \
	"1: call 67f\n\tmov $-1,%eax\n\tjmp 2b\n\t3: call 67f\n\t"

SHAPE(like30,
      HEAD
      "mov %rsp,%rcx\n\tmovslq %edx,%rdx\n\t" ENTRY(like30) "call 66f\n\ttest %eax,%eax\n\t" RESULT(
	      like30) "jle 2f\n\tmov (%rsp),%eax\n\t" TAIL,
      LOCAL_INTERNAL STUB);
SHAPE(like111,
      HEAD "mov %rsp,%rcx\n\tmovslq %edx,%rdx\n\t" ENTRY(
	      like111) "call 66f\n\ttest %eax,%eax\n\t"
		       "cmovg (%rsp),%eax\n\t2: mov 8(%rsp),%rdx\n\tsub %fs:0x28,%rdx\n\t" RESULT(
			       like111) "jne 3f\n\tadd $0x18,%rsp\n\tret\n\t1: call 67f\n\tmov "
					"$-1,%eax\n\tjmp 2b\n\t3: call 67f",
      LOCAL_INTERNAL STUB);
SHAPE(like35,
      "endbr64\n\t" HEAD "xor %ecx,%ecx\n\tmov %edx,%edx\n\tmov %rsp,%r8\n\t" ENTRY(
	      like35) "call 66f\n\ttest %eax,%eax\n\t" RESULT(like35) "jle 2f\n\tmov "
								      "(%rsp),%eax\n\t" TAIL,
      LOCAL_INTERNAL STUB);
/* The ex function: nothing emulated between the call and the return. */
SHAPE(like_ex,
      "sub $8,%rsp\n\t" ENTRY(like_ex) "call 66f\n\txor %edx,%edx\n\ttest %eax,%eax\n\t"
				       "cmovs %edx,%eax\n\tadd $8,%rsp\n\t" RESULT(like_ex) "ret",
      LOCAL_INTERNAL);
/* Everything inlined, as in Node. */
SHAPE(like_node,
      ENTRY(like_node) "push %rbp\n\tmov %rsp,%rbp\n\tsub $0x20,%rsp\n\tmov 8(%rdi),%rax\n\t"
		       "lea -8(%rbp),%rcx\n\tcall *0x48(%rax)\n\tleave\n\t" RESULT(like_node) "ret",
      "nop");

/* --- must not be taken for shape A --- */

#define FIRST(name) "sub $0x18,%rsp\n\ttest %edx,%edx\n\t" ENTRY(name) "js 1f\n\tmov %rsp,%rcx\n\t"
#define LAST(name)  "add $0x18,%rsp\n\t" RESULT(name) "ret\n\t"
#define EXIT        "1: mov $-1,%eax\n\tjmp 2b\n\t"

SHAPE(jumped_into, /* 1: a jump leads to the call */
      FIRST(jumped_into) "movslq %edx,%rdx\n\tcmpl $0,(%rdi)\n\tje 4f\n\tnop\n\t4: call 66f\n\t"
			 "test %eax,%eax\n\tjle 2f\n\tmov (%rsp),%eax\n\t2: " LAST(jumped_into)
				 EXIT,
      LOCAL_INTERNAL);
SHAPE(clobbered, /* 1: rdx is something else */
      FIRST(clobbered) "mov 8(%rdi),%rdx\n\tcall 66f\n\ttest %eax,%eax\n\tjle 2f\n\t"
		       "mov (%rsp),%eax\n\t2: " LAST(clobbered) EXIT,
      LOCAL_INTERNAL);
SHAPE(clobbered_once, /* 3: on one of two paths */
      FIRST(clobbered_once) "movslq %edx,%rdx\n\tcmpl $0,(%rdi)\n\tje 4f\n\tmov %rcx,%rsi\n\t"
			    "4: nopl (%rax)\n\tcall 66f\n\ttest %eax,%eax\n\tjle 2f\n\tmov "
			    "(%rsp),%eax\n\t2: " LAST(clobbered_once) EXIT,
      LOCAL_INTERNAL);
SHAPE(part_clobbered, /* 3: a byte of the buffer's address */
      FIRST(part_clobbered) "movslq %edx,%rdx\n\tmov $0,%sil\n\tcall 66f\n\ttest %eax,%eax\n\t"
			    "jle 2f\n\tmov (%rsp),%eax\n\t2: " LAST(part_clobbered) EXIT,
      LOCAL_INTERNAL);
SHAPE(in_loop, /* 1: the call may run again; the arguments live in saved registers */
      ENTRY(in_loop) "push %rbx\n\tpush %r12\n\tpush %r13\n\tsub $16,%rsp\n\tmov %rdi,%rbx\n\t"
		     "mov %rsi,%r12\n\tmovslq %edx,%r13\n\t4: mov %rbx,%rdi\n\tmov %r12,%rsi\n\t"
		     "mov %r13,%rdx\n\tmov %rsp,%rcx\n\tcall 66f\n\ttest %eax,%eax\n\tjle 4b\n\t"
		     "add $16,%rsp\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\t" RESULT(in_loop) "ret",
      LOCAL_INTERNAL);
SHAPE(no_branch, /* 2: no emulated instruction after the call */
      FIRST(no_branch) "movslq %edx,%rdx\n\tcall 66f\n\t2: add $0x18,%rsp\n\t" RESULT(
	      no_branch) "ret\n\t1: mov $-1,%eax\n\tjmp 2b",
      LOCAL_INTERNAL);
SHAPE(result_lost, /* 3: eax is something else at the branch */
      FIRST(result_lost) "movslq %edx,%rdx\n\tcall 66f\n\ttest %eax,%eax\n\tmov (%rsp),%eax\n\t"
			 "jle 2f\n\tnop\n\t2: " LAST(result_lost) EXIT,
      LOCAL_INTERNAL);
SHAPE(other_slot, /* 3: eax becomes a word that is not the count */
      FIRST(other_slot) "movslq %edx,%rdx\n\tcall 66f\n\ttest %eax,%eax\n\tcmovg 8(%rsp),%eax\n\t"
			"jle 2f\n\tnop\n\t2: " LAST(other_slot) EXIT,
      LOCAL_INTERNAL);
SHAPE(other_flags, /* 3: the condition is not the result's sign */
      FIRST(other_flags) "movslq %edx,%rdx\n\tcall 66f\n\ttest %ebx,%ebx\n\tcmovg (%rsp),%eax\n\t"
			 "jle 2f\n\tnop\n\t2: " LAST(other_flags) EXIT,
      LOCAL_INTERNAL);
SHAPE(two_calls, /* 2: which one is it? */
      FIRST(two_calls) "movslq %edx,%rdx\n\tcmpl $0,(%rdi)\n\tje 4f\n\tcall 66f\n\t"
		       "test %eax,%eax\n\tjle 2f\n\tmov (%rsp),%eax\n\tjmp 2f\n\t4: mov "
		       "%edx,%edx\n\tcall 66f\n\t"
		       "test %eax,%eax\n\tjle 2f\n\tmov (%rsp),%eax\n\t2: " LAST(two_calls) EXIT,
      LOCAL_INTERNAL);
SHAPE(around, /* 2: another path hands the object to somebody */
      FIRST(around) "movslq %edx,%rdx\n\tcmpl $0,(%rdi)\n\tje 4f\n\tcall 66f\n\t"
		    "test %eax,%eax\n\tjle 2f\n\tmov (%rsp),%eax\n\tjmp 2f\n\t4: mov %rsp,%rsi\n\t"
		    "call 66f\n\t2: " LAST(around) EXIT,
      LOCAL_INTERNAL);

SHAPE(two_in_a_row, /* 2: the first is a check of the same arguments */
      ENTRY(two_in_a_row) "push %rbx\n\tpush %r12\n\tpush %r13\n\tsub $16,%rsp\n\tmov %rdi,%rbx\n\t"
			  "mov %rsi,%r12\n\tmovslq %edx,%r13\n\tmov %edx,%edx\n\tmov "
			  "%rsp,%rcx\n\tcall 66f\n\t"
			  "test %eax,%eax\n\tjle 2f\n\tmov %rbx,%rdi\n\tmov %r12,%rsi\n\tmov "
			  "%r13,%rdx\n\t"
			  "mov %rsp,%rcx\n\tcall 66f\n\ttest %eax,%eax\n\tjle 2f\n\tnop\n\t"
			  "2: add $16,%rsp\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\t" RESULT(
				  two_in_a_row) "ret",
      LOCAL_INTERNAL);
SHAPE(after_error, /* 3: a call loses the argument registers */
      FIRST(after_error) "movslq %edx,%rdx\n\tcall 67f\n\tmov %rsp,%rcx\n\tcall 66f\n\t"
			 "test %eax,%eax\n\tjle 2f\n\tmov (%rsp),%eax\n\t2: " LAST(after_error)
				 EXIT,
      LOCAL_INTERNAL STUB);

SHAPE(call_first, /* 3: the call is the first instruction, eax anything at the branch */
      ENTRY(call_first) "call 66f\n\tmov (%rsi),%eax\n\ttest %eax,%eax\n\tjle 2f\n\tnop\n\t"
			"2: " RESULT(call_first) "ret",
      LOCAL_INTERNAL);

/* --- must be refused altogether --- */

SHAPE(computed_once,
      ENTRY(computed_once) "push %rbx\n\ttest %edx,%edx\n\tjs 1f\n\tjmp *8(%rdi)\n\t1: pop "
			   "%rbx\n\t" RESULT(computed_once) "ret",
      "nop");
SHAPE(push_return, ENTRY(push_return) "push %rbx\n\t" RESULT(push_return) "ret", "nop");

SHAPE(computed_jump,
      ENTRY(computed_jump) "push %rbx\n\tjmp *8(%rdi)\n\t" RESULT(computed_jump) "ret", "nop");
SHAPE(tail_call, "sub $8,%rsp\n\tadd $8,%rsp\n\t" ENTRY(tail_call) RESULT(tail_call) "jmp 66f",
      LOCAL_INTERNAL);
SHAPE(loop_entry,
      ENTRY(loop_entry) "push %rbx\n\tpop %rbx\n\ttest %eax,%eax\n\tjne "
			"shape_loop_entry\n\t" RESULT(loop_entry) "ret",
      "nop");
SHAPE(overlap,
      ENTRY(overlap) "push %rbx\n\tjne 4f+1\n\t4: mov $0x90909090,%eax\n\tpop %rbx\n\t" RESULT(
	      overlap) "ret",
      "nop");
SHAPE(runs_off, ENTRY(runs_off) RESULT(runs_off) "push %rbx\n\tpop %rbx\n\tnop", "ret");
SHAPE(no_return, ENTRY(no_return) RESULT(no_return) "push %rbx\n\tud2", "nop");
SHAPE(bad_bytes, ENTRY(bad_bytes) RESULT(bad_bytes) "push %rbx\n\t.byte 0x06,0x06\n\tret", "nop");
SHAPE(lost_frame, /* rsp is not known at the return */
      ENTRY(lost_frame) "push %rbx\n\tand $-32,%rsp\n\tmov (%rsp),%rsp\n\t" RESULT(
	      lost_frame) "ret",
      "nop");

/* --- passing on --- */

SHAPE(to_ex2_jump,
      "mov %rcx,%r8\n\txor %ecx,%ecx\n\t" ENTRY(to_ex2_jump)
	      RESULT(to_ex2_jump) "jmp shape_like_ex2",
      "nop");
SHAPE(like_ex2,
      "sub $8,%rsp\n\t" ENTRY(like_ex2) "call 66f\n\ttest %eax,%eax\n\tcmovs %edx,%eax\n\t"
					"add $8,%rsp\n\t" RESULT(like_ex2) "ret",
      LOCAL_INTERNAL);
SHAPE(to_ex2_stub,
      "mov %rcx,%r8\n\txor %ecx,%ecx\n\t" ENTRY(to_ex2_stub) RESULT(to_ex2_stub) "jmp 67f", STUB);
SHAPE(to_ex2_slot,
      "mov %rcx,%r8\n\txor %ecx,%ecx\n\t" ENTRY(to_ex2_slot) RESULT(to_ex2_slot) "jmp *68f(%rip)",
      STUB);

/* --- single sites and randoms --- */

SHAPE(bio_write,
      "sub $8,%rsp\n\ttest %edx,%edx\n\t" ENTRY(bio_write)
	      RESULT(bio_write) "jle 1f\n\tmov %rdi,%rsi\n\tnop\n\t1: add $8,%rsp\n\tret",
      "nop");
SHAPE(bio_plain,
      ENTRY(bio_plain)
	      RESULT(bio_plain) "xor %eax,%eax\n\tmov %rdi,%rsi\n\tpush %rbx\n\tpop %rbx\n\tret",
      "nop");
SHAPE(ssl_free,
      "test %rdi,%rdi\n\t" ENTRY(ssl_free)
	      RESULT(ssl_free) "je 1f\n\tpush %rbx\n\tpop %rbx\n\t1: ret",
      "nop");

#define RANDOM(name, code) \
	SHAPE(name, ENTRY(name) RESULT(name) "test %rdx,%rdx\n\tje 1f\n\t" code "\n\t1: ret", "nop")
RANDOM(direct_client, "lea 0x160(%rdi),%rcx\n\tmov 0x160(%rdi),%rdx\n\tmov %rdx,(%rsi)");
RANDOM(direct_server, "lea 0x140(%rdi),%rcx\n\tmov 0x140(%rdi),%rdx\n\tmov %rdx,(%rsi)");
RANDOM(deref_client, "mov 0xa8(%rdi),%rdi\n\tlea 0xb8(%rdi),%rcx\n\tmovdqu "
		     "0xb8(%rdi),%xmm0\n\tmovdqu 0xc8(%rdi),%xmm1");
RANDOM(deref_server, "mov 0xa8(%rdi),%rdi\n\tlea 0x98(%rdi),%rcx\n\tmovdqu "
		     "0x98(%rdi),%xmm0\n\tmovdqu 0xa8(%rdi),%xmm1");
RANDOM(quic_client, "mov (%rdi),%eax\n\ttest %eax,%eax\n\tje 2f\n\tcall 1f\n\tmov %rax,%rdi\n\t2: "
		    "lea 0x188(%rdi),%rcx");
RANDOM(quic_server, "mov (%rdi),%eax\n\ttest %eax,%eax\n\tje 2f\n\tcall 1f\n\tmov %rax,%rdi\n\t2: "
		    "lea 0x168(%rdi),%rcx");
RANDOM(far_server, "lea 0x120(%rdi),%rcx");
RANDOM(both_client, "lea 0x160(%rdi),%rcx\n\tmov 8(%rdi),%rdi\n\tlea 0x40(%rdi),%rdx");
RANDOM(both_server, "lea 0x140(%rdi),%rcx\n\tmov 8(%rdi),%rdi\n\tlea 0x20(%rdi),%rdx");
RANDOM(more_client, "lea 0x160(%rdi),%rcx\n\tlea 0x150(%rdi),%rcx");
RANDOM(called_client, "call 1f\n\tlea 0x160(%rdi),%rcx");

/* --- the harness --- */

/* The plan has this ENTRY and this RESULT, and nothing else. */
static void assert_pair(const struct plan_of *t, const char *name, const struct shape *s)
{
	assert_sites(t, name, s);
	assert_int_equal(t->plan.site_count, 2);
}

/* --- must not be taken for shape A, but have shape B --- */

static void falls_back(const char *name, const struct shape *s)
{
	struct plan_of t;

	if (plan_one(&t, "SSL_write", s) != 0)
		fail_msg("%s: refused", name);
	print_message("%s\n", name);
	assert_pair(&t, "SSL_write", s);
	assert_true(site(&t, "SSL_write", WW_SITE_ENTRY)->emulated);
	assert_false(site(&t, "SSL_write", WW_SITE_ENTRY)->has_done);
	assert_false(site(&t, "SSL_write", WW_SITE_RESULT)->has_done);
	assert_false(site(&t, "SSL_write", WW_SITE_RESULT)->emulated);
	assert_int_equal(site(&t, "SSL_write", WW_SITE_RESULT)->sp_bytes, 0);
}

static void test_fall_back(void **state)
{
	falls_back("jumped_into", &jumped_into);
	falls_back("clobbered", &clobbered);
	falls_back("clobbered_once", &clobbered_once);
	falls_back("part_clobbered", &part_clobbered);
	falls_back("in_loop", &in_loop);
	falls_back("no_branch", &no_branch);
	falls_back("result_lost", &result_lost);
	falls_back("other_slot", &other_slot);
	falls_back("other_flags", &other_flags);
	falls_back("two_calls", &two_calls);
	falls_back("around", &around);
	falls_back("two_in_a_row", &two_in_a_row);
	falls_back("after_error", &after_error);
}

static void test_fall_back_ex(void **state)
{
	struct plan_of t;

	assert_int_equal(plan_one(&t, "SSL_read_ex", &call_first), 0);
	assert_pair(&t, "SSL_read_ex", &call_first);
}

static void refused(const char *name, const struct shape *s)
{
	struct plan_of t;

	memset(&t.plan, 0x5a, sizeof(t.plan));
	print_message("%s\n", name);
	assert_int_equal(plan_one(&t, "SSL_read", s), -ENOTSUP);
	assert_int_equal(t.plan.site_count, 0x5a5a5a5a);
}

static void test_refused(void **state)
{
	refused("computed_jump", &computed_jump);
	refused("computed_once", &computed_once);
	refused("push_return", &push_return);
	refused("tail_call", &tail_call);
	refused("loop_entry", &loop_entry);
	refused("overlap", &overlap);
	refused("runs_off", &runs_off);
	refused("no_return", &no_return);
	refused("bad_bytes", &bad_bytes);
	refused("lost_frame", &lost_frame);
}

/* One function refused, the other planned: the plan says so. */
static void test_refused_is_named(void **state)
{
	struct plan_of t;

	image_init(&t.m);
	add_block(&t, "SSL_write", &tail_call);
	t.at = add_block(&t, "SSL_read", &like_node);
	assert_int_equal(make_plan(&t), 0);
	assert_pair(&t, "SSL_read", &like_node);
	assert_string_equal(t.plan.refused, "SSL_write");
}

static void test_sizes(void **state)
{
	struct plan_of t;
	uint64_t at;

	image_init(&t.m);
	at = image_code(&t.m, like_node.start, like_node.end);
	image_symbol(&t.m, "SSL_write", at, 0);   /* how long is it? */
	image_symbol(&t.m, "SSL_read", at, 9000); /* longer than the ceiling */
	assert_int_equal(make_plan(&t), -ENOTSUP);
	image_symbol(&t.m, "SSL_read_ex", 0x1000, 16); /* not in the file */
	assert_int_equal(make_plan(&t), -ENOTSUP);
}

static void test_not_ours(void **state)
{
	struct plan_of t;
	int fd;

	image_init(&t.m);
	assert_int_equal(make_plan(&t), -ENOENT);
	t.m.ehdr.e_machine = EM_AARCH64;
	assert_int_equal(make_plan(&t), -ENOENT);
	add_block(&t, "SSL_read", &like_node);
	assert_int_equal(make_plan(&t), -ENOTSUP);
	t.m.ehdr.e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(make_plan(&t), -EINVAL);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(ww_site_plan(fd, &t.plan), -EINVAL);
	close(fd);
}

/* An error function that is not one: a name of the file's own choice does not start with ERR_. */
static void test_not_an_error_exit(void **state)
{
	struct plan_of t;

	image_init(&t.m);
	t.at = add_block(&t, "SSL_write", &like30);
	image_import(&t.m, t.at + (uint64_t)(like30.rest_end - like30.start) - 8, "transfer");
	assert_int_equal(make_plan(&t), 0);
	assert_int_not_equal(site(&t, "SSL_write", WW_SITE_ENTRY)->offset,
			     offset_of(&t, &like30, like30.entry));
}

/* --- accepted --- */

static void test_openssl30(void **state)
{
	struct plan_of t;
	const struct ww_site *s;

	assert_int_equal(plan_one(&t, "SSL_write", &like30), 0);
	assert_pair(&t, "SSL_write", &like30);
	s = site(&t, "SSL_write", WW_SITE_ENTRY);
	assert_int_equal(s->dir, WW_DIR_OUT);
	assert_true(s->has_done && s->len32 && s->same_sp && s->emulated && !s->done_r8);
	assert_int_equal(s->sp_bytes, -0x18);
	s = site(&t, "SSL_write", WW_SITE_RESULT);
	assert_true(s->has_done && s->same_sp && s->emulated);
	assert_int_equal(s->sp_bytes, -0x18);
	assert_string_equal(t.plan.refused, "");
}

static void test_openssl111(void **state)
{
	struct plan_of t;

	assert_int_equal(plan_one(&t, "SSL_read", &like111), 0);
	assert_pair(&t, "SSL_read", &like111);
	assert_int_equal(site(&t, "SSL_read", WW_SITE_ENTRY)->dir, WW_DIR_IN);
	assert_true(site(&t, "SSL_read", WW_SITE_ENTRY)->has_done);
	assert_false(site(&t, "SSL_read", WW_SITE_RESULT)->has_done); /* eax is the count */
	assert_true(site(&t, "SSL_read", WW_SITE_RESULT)->same_sp);
}

static void test_openssl35(void **state)
{
	struct plan_of t;

	assert_int_equal(plan_one(&t, "SSL_write", &like35), 0);
	assert_pair(&t, "SSL_write", &like35);
	assert_true(site(&t, "SSL_write", WW_SITE_ENTRY)->done_r8);
}

static void test_ex(void **state)
{
	struct plan_of t;
	const struct ww_site *s;

	assert_int_equal(plan_one(&t, "SSL_read_ex", &like_ex), 0);
	assert_pair(&t, "SSL_read_ex", &like_ex);
	s = site(&t, "SSL_read_ex", WW_SITE_ENTRY);
	assert_true(s->emulated && s->has_done && !s->done_r8 && !s->len32 && !s->same_sp);
	assert_int_equal(s->sp_bytes, -8);
	s = site(&t, "SSL_read_ex", WW_SITE_RESULT);
	assert_true(!s->emulated && s->has_done && s->sp_bytes == 0);
}

static void test_node(void **state)
{
	struct plan_of t;

	assert_int_equal(plan_one(&t, "SSL_write", &like_node), 0);
	assert_pair(&t, "SSL_write", &like_node);
	assert_true(site(&t, "SSL_write", WW_SITE_ENTRY)->same_sp);
	assert_true(site(&t, "SSL_write", WW_SITE_ENTRY)->emulated);
	assert_true(site(&t, "SSL_write", WW_SITE_ENTRY)->len32);
}

/* SSL_write_ex only passes on, whichever way; without a planned target it is refused. */
static void test_passes_on(void **state)
{
	static const struct shape *const ways[] = {&to_ex2_stub, &to_ex2_slot};
	struct plan_of t;
	uint64_t at;

	for (size_t i = 0; i < WW_ARRAY_SIZE(ways); i++) {
		image_init(&t.m);
		at = add_block(&t, "SSL_write_ex", ways[i]);
		image_import(&t.m, at + (uint64_t)(ways[i]->rest_end - ways[i]->start) - 8,
			     "SSL_write_ex2");
		assert_int_equal(make_plan(&t), -ENOTSUP);
		add_block(&t, "SSL_read", &like_node);
		assert_int_equal(make_plan(&t), 0);
		assert_string_equal(t.plan.refused, "SSL_write_ex");
		t.at = image_code(&t.m, like_ex2.start, like_ex2.rest_end);
		image_symbol(&t.m, "SSL_write_ex2", t.at,
			     (uint64_t)(like_ex2.end - like_ex2.start));
		assert_int_equal(make_plan(&t), 0);
		assert_sites(&t, "SSL_write_ex2", &like_ex2);
		assert_true(site(&t, "SSL_write_ex2", WW_SITE_ENTRY)->done_r8);
		assert_string_equal(t.plan.refused, "");
	}
	image_init(&t.m);
	at = image_code(&t.m, to_ex2_jump.start, like_ex2.rest_end); /* lie one behind the other */
	image_symbol(&t.m, "SSL_write_ex", at, (uint64_t)(to_ex2_jump.end - to_ex2_jump.start));
	t.at = at + (uint64_t)(like_ex2.start - to_ex2_jump.start);
	image_symbol(&t.m, "SSL_write_ex2", t.at, (uint64_t)(like_ex2.end - like_ex2.start));
	assert_int_equal(make_plan(&t), 0);
	assert_pair(&t, "SSL_write_ex2", &like_ex2);
}

static void test_single(void **state)
{
	struct plan_of t;
	const struct ww_site *s;

	assert_int_equal(plan_one(&t, "BIO_write", &bio_write), 0);
	assert_int_equal(t.plan.site_count, 1);
	s = site(&t, "BIO_write", WW_SITE_PREFIX);
	assert_non_null(s);
	assert_int_equal(s->offset, offset_of(&t, &bio_write, bio_write.entry));
	assert_true(s->emulated && s->len32);
	assert_int_equal(s->sp_bytes, -8);

	assert_int_equal(plan_one(&t, "BIO_write", &bio_plain), 0); /* push comes too late */
	s = site(&t, "BIO_write", WW_SITE_PREFIX);
	assert_int_equal(s->offset, offset_of(&t, &bio_plain, bio_plain.entry));
	assert_false(s->emulated);

	image_init(&t.m);
	add_block(&t, "SSL_read", &like_node);
	t.at = add_block(&t, "SSL_free", &ssl_free);
	assert_int_equal(make_plan(&t), 0);
	s = site(&t, "SSL_free", WW_SITE_FREE);
	assert_non_null(s);
	assert_int_equal(s->offset, offset_of(&t, &ssl_free, ssl_free.entry));
}

/* --- client random --- */

static void assert_random(const struct shape *client, const struct shape *server,
			  enum ww_random_mode mode, uint32_t off1, uint32_t off2)
{
	struct plan_of t;

	image_init(&t.m);
	add_block(&t, "SSL_read", &like_node);
	if (client)
		add_block(&t, "SSL_get_client_random", client);
	if (server)
		add_block(&t, "SSL_get_server_random", server);
	assert_int_equal(make_plan(&t), 0);
	assert_int_equal(t.plan.random_mode, mode);
	assert_int_equal(t.plan.random_off1, off1);
	assert_int_equal(t.plan.random_off2, off2);
}

static void test_random(void **state)
{
	assert_random(&direct_client, NULL, WW_RANDOM_NONE, 0, 0);
	assert_random(NULL, &direct_server, WW_RANDOM_NONE, 0, 0);
	assert_random(&direct_client, &direct_client, WW_RANDOM_NONE, 0, 0);
	assert_random(&direct_client, &far_server, WW_RANDOM_NONE, 0, 0);
	assert_random(&direct_client, &deref_server, WW_RANDOM_NONE, 0, 0);
	assert_random(&both_client, &both_server, WW_RANDOM_NONE, 0, 0);
	assert_random(&more_client, &direct_server, WW_RANDOM_NONE, 0, 0);
	assert_random(&called_client, &direct_server, WW_RANDOM_NONE, 0, 0);
	assert_random(&direct_client, &direct_server, WW_RANDOM_DIRECT, 0x160, 0);
	assert_random(&deref_client, &deref_server, WW_RANDOM_DEREF, 0xa8, 0xb8);
	assert_random(&quic_client, &quic_server, WW_RANDOM_DIRECT, 0x188, 0);
}

/* --- the library of this machine --- */

static void test_system_library(void **state)
{
	static const char *const paths[] = {"/usr/lib/x86_64-linux-gnu/libssl.so.3",
					    "/usr/lib64/libssl.so.3", "/usr/lib/libssl.so.3"};
	struct plan_of t;
	int fd = -1;

	for (size_t i = 0; i < WW_ARRAY_SIZE(paths) && fd < 0; i++)
		fd = open(paths[i], O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		print_message("no libssl.so.3 here\n");
		skip();
	}
	assert_int_equal(ww_site_plan(fd, &t.plan), 0);
	close(fd);
	assert_string_equal(t.plan.refused, "");
	assert_int_not_equal(t.plan.random_mode, WW_RANDOM_NONE);
	for (unsigned i = 0; i < t.plan.site_count; i++)
		if (t.plan.sites[i].kind == WW_SITE_ENTRY)
			assert_true(t.plan.sites[i].emulated);
	assert_non_null(site(&t, "SSL_write", WW_SITE_RESULT));
	assert_non_null(site(&t, "SSL_read", WW_SITE_RESULT));
	assert_non_null(site(&t, "SSL_free", WW_SITE_FREE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fall_back),
		cmocka_unit_test(test_fall_back_ex),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_is_named),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_not_an_error_exit),
		cmocka_unit_test(test_openssl30),
		cmocka_unit_test(test_openssl111),
		cmocka_unit_test(test_openssl35),
		cmocka_unit_test(test_ex),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_passes_on),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_system_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
