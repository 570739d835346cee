/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans of GnuTLS over small functions in the shapes that compilers gave its own, and over shapes
 * that must be refused. The numbers are the invariants of site_gnutls.c that a test attacks.
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

#include "shapes.h"

#if !defined(__x86_64__)
int main(void)
{
	puts("probe sites are planned for x86-64 only");
	return 77;
}
#else

/* send2 as it is: a switch over the state; one case hands the caller's bytes on, one hands own
 * ones to the same function, one only keeps them. */
#define SEND_HEAD                                                                   \
	"push %r12\n\tpush %rbp\n\tmov %rsi,%r12\n\tpush %rbx\n\tmov %rdx,%rbp\n\t" \
	"mov %rdi,%rbx\n\tcmpl $2,0x548(%rbx)\n\tja 4f\n\tmov 0x548(%rbx),%eax\n\t" \
	"lea 65f(%rip),%rdx\n\tmovslq (%rdx,%rax,4),%rax\n\tadd %rdx,%rax\n\tjmp *%rax\n\t"
#define SEND_TAIL                                                                      \
	"3: pop %rbx\n\tpop %rbp\n\tpop %r12\n\tret\n\t4: mov $-59,%rax\n\tjmp 3b\n\t" \
	"7: mov %rbp,%rdx\n\tmov %r12,%rsi\n\tlea 0x570(%rbx),%rdi\n\tcall 67f\n\t"    \
	"mov %rbp,%rax\n\tjmp 3b\n\t"
#define SEND_CALL(type)                                                                     \
	"push $1\n\tmov $0x11171,%ecx\n\tmov $" type ",%esi\n\tmov %rbp,%r9\n\tpush $0\n\t" \
	"mov %r12,%r8\n\tmov $-1,%edx\n\tmov %rbx,%rdi\n\t"
#define TABLE "\n65: .long 5b-65b, 6b-65b, 7b-65b\n\t.long 0x7fffffff\n\t"

SHAPE(send2,
      SEND_HEAD "5: " SEND_CALL("23") ENTRY(send2) "call 66f\n\tpop %rcx\n\tpop %rsi\n\t" RESULT(
	      send2) "jmp 3f\n\t6: push $1\n\tmov 0x568(%rbx),%r9\n\tmov $23,%esi\n\t"
		     "mov 0x558(%rbx),%r8\n\tpush $0\n\tmov %rbx,%rdi\n\tcall 66f\n\t"
		     "mov %rax,%rbp\n\tlea 0x550(%rbx),%rdi\n\tcall 67f\n\tpop %rax\n\tpop %rdx\n\t"
		     "movslq %ebp,%rax\n\t" SEND_TAIL,
      LOCAL_INTERNAL ".p2align 4\n\t" STUB TABLE);
SHAPE(send_alert, /* 1: not application data */
      SEND_HEAD "5: " SEND_CALL("21")
	      ENTRY(send_alert) "call 66f\n\tpop %rcx\n\tpop "
				"%rsi\n\t" RESULT(send_alert) "jmp 3f\n\t"
							      "6: " SEND_TAIL,
      LOCAL_INTERNAL STUB TABLE);
SHAPE(send_odd, /* 2: the buffer goes where no known function has it */
      SEND_HEAD "5: " SEND_CALL("23") ENTRY(send_odd) "call 66f\n\tpop %rcx\n\tpop %rsi\n\t" RESULT(
	      send_odd) "jmp 3f\n\t6: mov %rbx,%rdi\n\tmov $23,%esi\n\tmov %r12,%rcx\n\t"
			"call 64f\n\tjmp 3f\n\t" SEND_TAIL,
      "64: push %rbx\n\tpop %rbx\n\tret\n\t" LOCAL_INTERNAL STUB TABLE);
SHAPE(send_lost, /* 3: rax is something else when the call comes back */
      SEND_HEAD "5: " SEND_CALL("23") ENTRY(send_lost)
	      RESULT(send_lost) "call 66f\n\t4: mov %rbp,%rax\n\tpop %rcx\n\tpop %rsi\n\tjmp 3f\n\t"
				"6: " SEND_TAIL,
      LOCAL_INTERNAL STUB TABLE);
SHAPE(send_behind, /* 3: it is lost later */
      SEND_HEAD "5: " SEND_CALL("23") ENTRY(send_behind) "call 66f\n\t" RESULT(
	      send_behind) "pop %rcx\n\tpop %rsi\n\tmov %rbp,%rax\n\tjmp 3f\n\t"
			   "6: " SEND_TAIL,
      LOCAL_INTERNAL STUB TABLE);
SHAPE(send_again, /* 4: it may be made again */
      SEND_HEAD "5: " SEND_CALL("23")
	      ENTRY(send_again) "call 66f\n\tpop %rcx\n\tpop "
				"%rsi\n\t" RESULT(send_again) "js 5b\n\tjmp 3f\n\t"
							      "6: " SEND_TAIL,
      LOCAL_INTERNAL STUB TABLE);
SHAPE(send_no_table, /* where it goes cannot be told */
      "push %r12\n\tmov 8(%rdi),%rax\n\t" ENTRY(send_no_table)
	      RESULT(send_no_table) "jmp *%rax\n\tpop %r12\n\tret",
      "nop");
SHAPE(send_empty_table, /* its first entry leads out of the function */
      SEND_HEAD ENTRY(send_empty_table) RESULT(send_empty_table) "5: 6: " SEND_TAIL,
      LOCAL_INTERNAL STUB "\n65: .long 0x7fffffff\n\t");

/* recv and recv_seq as they are: both go on with a function that hands the caller's buffer on. */
#define RECEIVE                                                                          \
	"63: push %r15\n\tmov %esi,%r15d\n\tpush %r13\n\tmov %rdx,%r13\n\tpush %r12\n\t" \
	"mov %rcx,%r12\n\tpush %rbx\n\tmov %rdi,%rbx\n\tmov %r9d,%esi\n\tcall 62f\n\t"   \
	"test %eax,%eax\n\tjle 8f\n\t"
#define TAKE "mov %r12d,%ecx\n\tmov %r13,%rdx\n\tmov %r15d,%esi\n\tmov %rbx,%rdi\n\t"
#define RECEIVED                                                             \
	"8: cltq\n\tpop %rbx\n\tpop %r12\n\tpop %r13\n\tpop %r15\n\tret\n\t" \
	"62: push %rbx\n\tpop %rbx\n\tret\n\t61: push %rbx\n\tpop %rbx\n\tret\n\t"

SHAPE(recv,
      "sub $8,%rsp\n\tmov %rdx,%rcx\n\tmov 0x770(%rdi),%r9d\n\tmov %rsi,%rdx\n\tmov $23,%esi\n\t"
      "add $8,%rsp\n\tjmp 63f\n\t",
      RECEIVE TAKE ENTRY(recv) "call 61f\n\ttest %eax,%eax\n\t" RESULT(
	      recv) "jne 8f\n\t" TAKE "call 61f\n\tjmp 8f\n\t" RECEIVED);
SHAPE(recv_swapped, /* 2: another order of arguments */
      "mov %rdx,%rcx\n\tmov %rsi,%r8\n\tmov $23,%esi\n\t" ENTRY(recv_swapped)
	      RESULT(recv_swapped) "jmp 63f\n\t",
      RECEIVE TAKE "call 61f\n\tjmp 8f\n\t" RECEIVED);
SHAPE(recv_two_ways, /* which one is it? */
      "mov %rdx,%rcx\n\tmov %rsi,%rdx\n\tmov $23,%esi\n\ttest %eax,%eax\n\t" ENTRY(recv_two_ways)
	      RESULT(recv_two_ways) "je 1f\n\tjmp 60f\n\t1: jmp 63f\n\t",
      "60: push %rbx\n\tpop %rbx\n\tret\n\t" RECEIVE TAKE "call 61f\n\tjmp 8f\n\t" RECEIVED);
SHAPE(recv_nothing, /* the function that it goes on with takes nothing */
      "mov %rdx,%rcx\n\tmov %rsi,%rdx\n\tmov $23,%esi\n\t" ENTRY(recv_nothing)
	      RESULT(recv_nothing) "jmp 63f\n\t",
      "63: push %rbx\n\tpop %rbx\n\tret\n\t");
SHAPE(recv_in_circles,
      "62: mov %rdx,%rcx\n\tmov %rsi,%rdx\n\tmov $23,%esi\n\t" ENTRY(recv_in_circles)
	      RESULT(recv_in_circles) "jmp 63f\n\t",
      ".skip 9000\n\t63: mov %rdx,%rdx\n\tjmp shape_recv_in_circles\n\t");

#define RANDOM(name, code) SHAPE(name, ENTRY(name) RESULT(name) code "\n\tret", "nop")
RANDOM(random_as_is, "test %rsi,%rsi\n\tje 1f\n\tlea 0x50(%rdi),%rax\n\tmovl $32,8(%rsi)\n\t"
		     "mov %rax,(%rsi)\n\t1: test %rdx,%rdx\n\tje 2f\n\tadd $0x70,%rdi\n\t"
		     "movl $32,8(%rdx)\n\tmov %rdi,(%rdx)\n\t2: ");
RANDOM(random_apart, "lea 0x50(%rdi),%rax\n\tmov %rax,(%rsi)\n\tadd $0x80,%rdi\n\tmov %rdi,(%rdx)");
RANDOM(random_loaded, "mov 8(%rdi),%rax\n\tmov %rax,(%rsi)\n\tadd $0x70,%rdi\n\tmov %rdi,(%rdx)");
RANDOM(random_twice, "lea 0x50(%rdi),%rax\n\tmov %rax,(%rsi)\n\tlea 0x70(%rdi),%rax\n\t"
		     "mov %rax,(%rdx)\n\tlea 0x90(%rdi),%rax\n\tmov %rax,(%rsi)");
RANDOM(random_half, "lea 0x50(%rdi),%rax\n\tmov %rax,(%rsi)");

#define SEND "gnutls_record_send2"
#define RECV "gnutls_record_recv"

/* The stub's slot stands before the table. */
static int plan_send(struct plan_of *t, const struct shape *s, unsigned table_bytes)
{
	image_init(&t->m);
	t->at = add_block(t, SEND, s);
	image_import(&t->m, t->at + (uint64_t)(s->rest_end - s->start) - table_bytes - 8,
		     "gnutls_buffer_append_data");
	return make_plan(t);
}

static void test_send(void **state)
{
	const struct ww_site *entry, *result;
	struct plan_of t;

	assert_int_equal(plan_send(&t, &send2, 16), 0);
	assert_int_equal(t.plan.stack, WW_TLS_GNUTLS);
	assert_int_equal(t.plan.site_count, 4);
	assert_sites(&t, SEND, &send2);
	for (unsigned i = 0; i < 4; i += 2) {
		entry = &t.plan.sites[i];
		result = &t.plan.sites[i + 1];
		assert_int_equal(entry->kind, WW_SITE_ENTRY);
		assert_int_equal(result->kind, WW_SITE_RESULT);
		assert_int_equal(entry->form, WW_FORM_QUEUE);
		assert_int_equal(result->form, WW_FORM_QUEUE);
		assert_int_equal(entry->dir, WW_DIR_OUT);
		assert_true(entry->emulated && result->emulated);
		assert_false(entry->len32);
	}
	assert_int_equal(t.plan.sites[0].sp_bytes, -40);
	assert_int_equal(t.plan.sites[1].sp_bytes, -24);
}

static void refused(const char *name, const struct shape *s, unsigned table_bytes)
{
	struct plan_of t;

	print_message("%s\n", name);
	memset(&t.plan, 0x5a, sizeof(t.plan));
	assert_int_equal(plan_send(&t, s, table_bytes), -ENOTSUP);
	assert_int_equal(t.plan.site_count, 0x5a5a5a5a);
}

static void test_send_refused(void **state)
{
	refused("send_alert", &send_alert, 16);
	refused("send_odd", &send_odd, 16);
	refused("send_lost", &send_lost, 16);
	refused("send_again", &send_again, 16);
	refused("send_no_table", &send_no_table, 0);
	refused("send_empty_table", &send_empty_table, 4);
}

/* A result that is lost at the next emulated instruction is there at the one behind the call. */
static void test_behind_the_call(void **state)
{
	struct plan_of t;

	assert_int_equal(plan_send(&t, &send_behind, 16), 0);
	assert_int_equal(t.plan.site_count, 2);
	assert_sites(&t, SEND, &send_behind);
	assert_false(site(&t, SEND, WW_SITE_RESULT)->emulated);
}

static void test_receive(void **state)
{
	struct plan_of t;

	assert_int_equal(plan_one(&t, RECV, &recv), 0);
	assert_int_equal(t.plan.site_count, 4);
	assert_sites(&t, RECV, &recv);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(t.plan.sites[i].form, WW_FORM_TYPED);
		assert_int_equal(t.plan.sites[i].dir, WW_DIR_IN);
		assert_int_equal(t.plan.sites[i].sp_bytes, -32);
		assert_true(t.plan.sites[i].emulated);
		assert_int_equal(t.plan.sites[i].len32, i % 2 == 0);
	}
}

/* The same code for both: its sites stand once. */
static void test_shared(void **state)
{
	struct plan_of t;

	image_init(&t.m);
	t.at = add_block(&t, RECV, &recv);
	image_symbol(&t.m, "gnutls_record_recv_seq", t.at, (uint64_t)(recv.end - recv.start));
	assert_int_equal(make_plan(&t), 0);
	assert_int_equal(t.plan.site_count, 4);
	assert_string_equal(t.plan.refused, "");
}

static void test_receive_refused(void **state)
{
	static const struct {
		const char *name;
		const struct shape *s;
	} all[] = {
		{"recv_swapped", &recv_swapped},
		{"recv_two_ways", &recv_two_ways},
		{"recv_nothing", &recv_nothing},
		{"recv_in_circles", &recv_in_circles},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(all); i++) {
		struct plan_of t;

		print_message("%s\n", all[i].name);
		assert_int_equal(plan_one(&t, RECV, all[i].s), -ENOTSUP);
	}
}

/* One direction is understood, the other is not: the plan says so. */
static void test_refused_is_named(void **state)
{
	struct plan_of t;

	image_init(&t.m);
	add_block(&t, RECV, &recv_nothing);
	t.at = add_block(&t, SEND, &send2);
	assert_int_equal(make_plan(&t), 0);
	assert_string_equal(t.plan.refused, RECV);
	assert_int_equal(t.plan.site_count, 4);
}

static void assert_random(const struct shape *s, enum ww_random_mode mode, uint32_t off)
{
	struct plan_of t;

	image_init(&t.m);
	add_block(&t, "gnutls_session_get_random", s);
	t.at = add_block(&t, RECV, &recv);
	assert_int_equal(make_plan(&t), 0);
	assert_int_equal(t.plan.random_mode, mode);
	assert_int_equal(t.plan.random_off1, off);
}

static void test_random(void **state)
{
	assert_random(&random_as_is, WW_RANDOM_DIRECT, 0x50);
	assert_random(&random_apart, WW_RANDOM_NONE, 0);
	assert_random(&random_loaded, WW_RANDOM_NONE, 0);
	assert_random(&random_twice, WW_RANDOM_NONE, 0);
	assert_random(&random_half, WW_RANDOM_NONE, 0);
}

static void test_system_library(void **state)
{
	static const char *const paths[] = {"/usr/lib/x86_64-linux-gnu/libgnutls.so.30",
					    "/usr/lib64/libgnutls.so.30",
					    "/usr/lib/libgnutls.so.30"};
	struct plan_of t;
	int fd = -1;

	for (size_t i = 0; i < WW_ARRAY_SIZE(paths) && fd < 0; i++)
		fd = open(paths[i], O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ww_site_plan(fd, &t.plan), 0);
	close(fd);
	assert_int_equal(t.plan.stack, WW_TLS_GNUTLS);
	assert_string_equal(t.plan.refused, "");
	assert_int_equal(t.plan.random_mode, WW_RANDOM_DIRECT);
	for (unsigned i = 0; i < t.plan.site_count; i++)
		if (t.plan.sites[i].kind == WW_SITE_ENTRY)
			assert_true(t.plan.sites[i].emulated);
	assert_non_null(site(&t, SEND, WW_SITE_RESULT));
	assert_non_null(site(&t, RECV, WW_SITE_RESULT));
	assert_non_null(site(&t, "gnutls_deinit", WW_SITE_FREE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_send_refused),
		cmocka_unit_test(test_behind_the_call),
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_receive_refused),
		cmocka_unit_test(test_refused_is_named),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_system_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
