/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of Go programs over small functions in the shape of its compiler's, and over others. */
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

#define CHECK(name)  "cmp 0x10(%r14),%rsp\n\t" ENTRY(name) "jbe 2f\n\t"
#define BODY         "sub $24,%rsp\n\tmov %rax,32(%rsp)\n\tcall 66f\n\tadd $24,%rsp\n\t"
#define MORE(name)   "2: mov %rax,8(%rsp)\n\tcall 66f\n\tmov 8(%rsp),%rax\n\tjmp shape_" #name "\n\t"
#define RETURN(name) RESULT(name) "ret\n\t"

SHAPE(plain, CHECK(plain) BODY RETURN(plain) MORE(plain), LOCAL_INTERNAL);
SHAPE(large_frame,
      "lea -0x160(%rsp),%r12\n\tcmp 0x10(%r14),%r12\n\t" ENTRY(
	      large_frame) "jbe 2f\n\t" BODY RETURN(large_frame)
	      MORE(large_frame) "int3\n\tint3\n\t",
      LOCAL_INTERNAL);
SHAPE(frame_pointer, /* since Go 1.21 */
      CHECK(frame_pointer) "push %rbp\n\tmov %rsp,%rbp\n\tadd $-128,%rsp\n\tmov "
			   "%rbx,152(%rsp)\n\tmov %rax,144(%rsp)\n\tcall 66f\n\tsub "
			   "$-128,%rsp\n\tpop %rbp\n\t" RETURN(frame_pointer) MORE(frame_pointer),
      LOCAL_INTERNAL);
SHAPE(two_returns,
      CHECK(two_returns) "mov %rax,8(%rsp)\n\ttest %eax,%eax\n\tje 1f\n\tret\n\t1: " BODY RETURN(
	      two_returns) MORE(two_returns),
      LOCAL_INTERNAL);

/* --- must be refused --- */

SHAPE(no_check, ENTRY(no_check) BODY RETURN(no_check), LOCAL_INTERNAL);
SHAPE(stack_abi, /* Go 1.16: arguments are on the stack */
      "mov %fs:-8,%rcx\n\tcmp 0x10(%rcx),%rsp\n\t" ENTRY(stack_abi) "jbe 2f\n\t" BODY RETURN(
	      stack_abi) MORE(stack_abi),
      LOCAL_INTERNAL);
SHAPE(other_limit,
      "cmp 0x18(%r14),%rsp\n\t" ENTRY(other_limit) "jbe 2f\n\t" BODY RETURN(other_limit)
	      MORE(other_limit),
      LOCAL_INTERNAL);
SHAPE(other_jump,
      "cmp 0x10(%r14),%rsp\n\t" ENTRY(other_jump) "ja 2f\n\t" BODY RETURN(other_jump)
	      MORE(other_jump),
      LOCAL_INTERNAL);
SHAPE(argument_lost,
      "mov %rbx,%rax\n\t" CHECK(argument_lost) BODY RETURN(argument_lost) MORE(argument_lost),
      LOCAL_INTERNAL);
SHAPE(stack_used, "push %rbx\n\t" CHECK(stack_used) BODY RETURN(stack_used) MORE(stack_used),
      LOCAL_INTERNAL);
SHAPE(checked_late,
      "nop\n\tnop\n\tnop\n\tnop\n\t" CHECK(checked_late) BODY RETURN(checked_late)
	      MORE(checked_late),
      LOCAL_INTERNAL);
SHAPE(jumps_out, CHECK(jumps_out) BODY RETURN(jumps_out) "2: jmp 66f\n\t", LOCAL_INTERNAL);
SHAPE(jumps_inside,
      CHECK(jumps_inside) "jmp 4f+1\n\t4: mov $0x90909090,%eax\n\t" RETURN(jumps_inside)
	      MORE(jumps_inside),
      LOCAL_INTERNAL);
SHAPE(jumps_anywhere,
      CHECK(jumps_anywhere) "jmp *%rax\n\t" RETURN(jumps_anywhere) MORE(jumps_anywhere),
      LOCAL_INTERNAL);
SHAPE(data_inside,
      CHECK(data_inside) BODY RETURN(data_inside) MORE(data_inside) ".byte 0x06,0x06\n\t",
      LOCAL_INTERNAL);
SHAPE(cut_short, CHECK(cut_short) BODY RETURN(cut_short) MORE(cut_short) ".byte 0x48,0xb8\n\t",
      LOCAL_INTERNAL);
SHAPE(no_return, CHECK(no_return) RESULT(no_return) BODY MORE(no_return), LOCAL_INTERNAL);
#define KEEPS(how)   "sub $24,%rsp\n\t" how "\n\tcall 66f\n\tadd $24,%rsp\n\t"
SHAPE(keeps_nothing, CHECK(keeps_nothing) KEEPS("nop") RETURN(keeps_nothing) MORE(keeps_nothing),
      LOCAL_INTERNAL);
SHAPE(keeps_elsewhere,
      CHECK(keeps_elsewhere) KEEPS("mov %rax,24(%rsp)") RETURN(keeps_elsewhere)
	      MORE(keeps_elsewhere),
      LOCAL_INTERNAL);
SHAPE(keeps_half, CHECK(keeps_half) KEEPS("mov %eax,32(%rsp)") RETURN(keeps_half) MORE(keeps_half),
      LOCAL_INTERNAL);
SHAPE(keeps_other,
      CHECK(keeps_other) KEEPS("mov %rbx,%rax\n\tmov %rax,32(%rsp)") RETURN(keeps_other)
	      MORE(keeps_other),
      LOCAL_INTERNAL);
SHAPE(keeps_late,
      CHECK(keeps_late) KEEPS("call 66f\n\tmov %rax,32(%rsp)") RETURN(keeps_late) MORE(keeps_late),
      LOCAL_INTERNAL);
SHAPE(many_returns,
      CHECK(many_returns) ".rept 25\n\tret\n\t.endr\n\t" RETURN(many_returns) MORE(many_returns),
      LOCAL_INTERNAL);

#define ENCRYPT "crypto/tls.(*halfConn).encrypt"
#define WRITE   "crypto/tls.(*Conn).write"
#define READ    "crypto/tls.(*Conn).Read"
#define CLOSE   "crypto/tls.(*Conn).Close"

/* In place of ".shstrtab", the last name. */
static void begin(struct plan_of *t)
{
	image_init(&t->m);
	memcpy(t->m.bytes + IMAGE_NAMES + image_section(&t->m, IMAGE_S_NAMES)->sh_name,
	       ".go.buildinfo", sizeof(".go.buildinfo"));
	image_section(&t->m, IMAGE_S_NAMES)->sh_size += 4;
}

static int plan_read(struct plan_of *t, const struct shape *s)
{
	begin(t);
	add_block(t, ENCRYPT, &plain);
	add_block(t, WRITE, &plain);
	t->at = add_block(t, READ, s);
	add_block(t, CLOSE, &plain);
	return make_plan(t);
}

static void test_plan(void **state)
{
	struct plan_of t;

	assert_int_equal(plan_read(&t, &plain), 0);
	assert_int_equal(t.plan.stack, WW_TLS_GO);
	assert_int_equal(t.plan.random_mode, WW_RANDOM_NONE);
	assert_string_equal(t.plan.refused, "");
	assert_int_equal(t.plan.site_count, 6);
	assert_sites(&t, "(*Conn).Read", &plain);
	assert_non_null(site(&t, "(*halfConn).encrypt", WW_SITE_PAYLOAD));
	assert_non_null(site(&t, "(*Conn).write", WW_SITE_RECORD));
	assert_non_null(site(&t, "(*Conn).write", WW_SITE_RESULT));
	assert_non_null(site(&t, "(*Conn).Close", WW_SITE_FREE));
	for (unsigned i = 0; i < t.plan.site_count; i++) {
		const struct ww_site *s = &t.plan.sites[i];

		assert_int_equal(s->emulated, s->kind != WW_SITE_RESULT);
		assert_int_equal(s->sp_bytes, 0);
		assert_int_equal(s->dir,
				 strcmp(s->symbol, "(*Conn).Read") == 0 ? WW_DIR_IN : WW_DIR_OUT);
	}
}

static void test_shapes(void **state)
{
	struct plan_of t;

	assert_int_equal(plan_read(&t, &large_frame), 0);
	assert_sites(&t, "(*Conn).Read", &large_frame);
	assert_int_equal(plan_read(&t, &frame_pointer), 0);
	assert_sites(&t, "(*Conn).Read", &frame_pointer);
	assert_int_equal(plan_read(&t, &two_returns), 0);
	assert_int_equal(t.plan.site_count, 7);
}

static void test_refused(void **state)
{
	static const struct {
		const char *name;
		const struct shape *s;
	} all[] = {
		{"no_check", &no_check},
		{"stack_abi", &stack_abi},
		{"other_limit", &other_limit},
		{"other_jump", &other_jump},
		{"argument_lost", &argument_lost},
		{"stack_used", &stack_used},
		{"checked_late", &checked_late},
		{"jumps_out", &jumps_out},
		{"jumps_inside", &jumps_inside},
		{"jumps_anywhere", &jumps_anywhere},
		{"data_inside", &data_inside},
		{"cut_short", &cut_short},
		{"no_return", &no_return},
		{"keeps_nothing", &keeps_nothing},
		{"keeps_elsewhere", &keeps_elsewhere},
		{"keeps_half", &keeps_half},
		{"keeps_other", &keeps_other},
		{"keeps_late", &keeps_late},
		{"many_returns", &many_returns},
	};

	for (size_t i = 0; i < WW_ARRAY_SIZE(all); i++) {
		struct plan_of t;

		print_message("%s\n", all[i].name);
		memset(&t.plan, 0x5a, sizeof(t.plan));
		assert_int_equal(plan_read(&t, all[i].s), -ENOTSUP);
		assert_int_equal(t.plan.site_count, 0x5a5a5a5a);
	}
}

/* With its symbols, but not all of them: half a stack is none. */
static void test_incomplete(void **state)
{
	struct plan_of t;

	begin(&t);
	add_block(&t, WRITE, &plain);
	add_block(&t, READ, &plain);
	assert_int_equal(make_plan(&t), -ENOTSUP);
}

/* Symbols without Go's mark are no Go program. */
static void test_not_go(void **state)
{
	struct plan_of t;

	image_init(&t.m);
	add_block(&t, READ, &plain);
	assert_int_equal(make_plan(&t), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),    cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_not_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
