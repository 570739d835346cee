# SPDX-License-Identifier: Apache-2.0
# The whole build, one file. `make help` lists the targets; V=1 shows commands; SAN=address,undefined and WERROR=1 are the variants.

comma  := ,
O      ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
# One spelling of each file: what one run of make writes down of an object's headers, the next must find.
override O := $(patsubst $(CURDIR)/%,%,$(O))
CC     := gcc
CLANG  ?= clang
BPFTOOL ?= /usr/sbin/bpftool
q      := $(if $(V),,@)
say     = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

# The pipeline in order: a module includes itself and those before it (make lint checks it).
MODULES := base rt policy sense actor flow proto action claim join judge ledger store out daemon

VERSION := 0.1.0
LLHTTP_DIR ?= /usr/share/llhttp
LLHTTP_INC ?= /usr/share/include/llhttp
# llhttp ships both grammars in one file; the loose one takes "Content-Length : 5".
LLHTTP_DEF := -DLLHTTP_STRICT_MODE=1
ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
PREFIX ?= /usr/local
PKGS := libbpf zlib libzstd libbrotlidec libuv libmicrohttpd yaml-0.1 libcrypto sqlite3 libcurl libpcre2-8 libmaxminddb

CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wimplicit-fallthrough -Wno-unused-parameter $(if $(WERROR),-Werror)
HARDEN  := $(if $(SAN),,-D_FORTIFY_SOURCE=3) -ftrivial-auto-var-init=zero -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection -fPIE
# Doubles come out the same on every machine: one rounding for each operation; the square root without a library.
SAME    := -ffp-contract=off -fno-math-errno
INC     := -Iinclude -Iuser -I$(O)/gen -I$(LLHTTP_INC) $(LLHTTP_DEF)
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -DWW_VERSION='"$(VERSION)"' $(INC) $(WARN) $(CFLAGS) $(HARDEN) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined) $(SAME) -ffile-prefix-map=$(CURDIR)=.
OWN_CFLAGS = -include base/banned.h
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(if $(SAN),-fsanitize=$(SAN))
LIBS    := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lZydis -lpthread

USER_C  := $(filter-out user/daemon/main.c,$(foreach m,$(MODULES),$(wildcard user/$(m)/*.c user/$(m)/*/*.c)))
USER_O  := $(USER_C:%.c=$(O)/%.o)
LLHTTP_O := $(O)/llhttp/llhttp.o $(O)/llhttp/api.o $(O)/llhttp/http.o
LIB     := $(O)/libwirewitness.a
CLI_O   := $(patsubst %.c,$(O)/%.o,$(wildcard tools/wirewitness/*.c))
VERIFY_O := $(patsubst %.c,$(O)/%.o,$(wildcard tools/wirewitness-verify/*.c))
WITNESS_O := $(patsubst %.c,$(O)/%.o,$(wildcard tools/wirewitness-witness/*.c))
DEV     := $(patsubst tools/dev/%.c,$(O)/dev/%,$(wildcard tools/dev/*.c))
UNIT    := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/unit/*/test_*.c tests/sim/test_*.c tests/bpf/test_*.c))
FUZZ    := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_REPLAY := $(patsubst tests/fuzz/%.c,$(O)/fuzz-replay/%,$(wildcard tests/fuzz/fuzz_*.c))
# Objects of their own.
BPF_ALONE := calib guard
BPF_C   := $(filter-out $(BPF_ALONE:%=bpf/%.bpf.c),$(wildcard bpf/*.bpf.c))
BPF_O   := $(BPF_C:bpf/%.bpf.c=$(O)/bpf/%.bpf.o)
SKELS   := $(O)/gen/wirewitness.skel.h $(BPF_ALONE:%=$(O)/gen/%.skel.h)
PROGRAMS := $(O)/wirewitnessd $(O)/wirewitness $(O)/wirewitness-verify $(O)/wirewitness-witness

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all programs static-verify help deps demo test check system lint check-headers format asan bench truth golden install uninstall clean fuzz units

programs: $(PROGRAMS) ## the default: build the four programs

all: $(PROGRAMS) $(DEV) $(O)/compile_commands.json ## build the four programs and the developer tools under build/

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 26

# --- kernel side --------------------------------------------------------------------------------

BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -Iinclude -Ibpf -Ivmlinux/$(ARCH) \
	-Wall -Wextra -Wno-unused-parameter -Wno-missing-declarations $(if $(WERROR),-Werror)

$(O)/bpf/%.bpf.o: bpf/%.bpf.c
	$(if $(shell command -v $(CLANG)),,$(error $(CLANG) is not installed: `make deps`, as root, installs what the build needs))
	$(call say,BPF,$<)
	$(q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -c $< -o $@

$(O)/gen/wirewitness.bpf.o: $(BPF_O)
	$(call say,LINK,$@)
	$(q)mkdir -p $(@D) && $(BPFTOOL) gen object $@ $^

$(BPF_ALONE:%=$(O)/gen/%.bpf.o): $(O)/gen/%.bpf.o: $(O)/bpf/%.bpf.o
	$(q)mkdir -p $(@D) && $(BPFTOOL) gen object $@ $^

$(O)/gen/%.skel.h: $(O)/gen/%.bpf.o
	$(call say,SKEL,$@)
	$(q)$(BPFTOOL) gen skeleton $< name ww_$* > $@

# --- user side ----------------------------------------------------------------------------------

$(O)/llhttp/%.o: $(LLHTTP_DIR)/%.c
	$(call say,CC,$<)
	$(q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(HARDEN) -I$(LLHTTP_INC) $(LLHTTP_DEF) -c $< -o $@

$(O)/%.o: %.c | $(SKELS)
	$(call say,CC,$<)
	$(q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(OWN_CFLAGS) -MMD -MP -c $< -o $@

# Linked in as they are.
$(O)/user/policy/phrases_default.o $(O)/fuzzobj/user/policy/phrases_default.o: user/policy/phrases.yaml
$(O)/user/policy/earth_outlines.o $(O)/fuzzobj/user/policy/earth_outlines.o: user/policy/earth_outlines.txt

$(LIB): $(USER_O) $(LLHTTP_O)
	$(call say,AR,$@)
	$(q)rm -f $@ && ar Drc $@ $^

$(O)/wirewitnessd: $(O)/user/daemon/main.o $(LIB)
	$(call say,LD,$@)
	$(q)$(CC) $(LDFLAGS_ALL) $^ $(LIBS) -o $@

$(O)/wirewitness: $(CLI_O) $(LIB)
	$(call say,LD,$@)
	$(q)$(CC) $(LDFLAGS_ALL) $^ $(LIBS) -o $@

# The auditor's verifier: base, ledger, the judge's rules and libcrypto, nothing else.
$(O)/wirewitness-verify: $(VERIFY_O) $(LIB)
	$(call say,LD,$@)
	$(q)$(CC) $(LDFLAGS_ALL) $^ -lcrypto -o $@

# The same in one file that needs no library and no loader, to be carried to any machine.
$(O)/static/wirewitness-verify: $(VERIFY_O) $(LIB)
	$(call say,LD,$@)
	$(q)mkdir -p $(@D) && $(CC) $(filter-out -pie,$(LDFLAGS_ALL)) -static-pie $^ -lcrypto -o $@ 2>$@.log || { cat $@.log >&2; false; }

static-verify: $(O)/static/wirewitness-verify ## the auditor's verifier as one static binary, build/static/wirewitness-verify

# The witness: base, rt, ledger, an HTTP server, libcrypto.
$(O)/wirewitness-witness: $(WITNESS_O) $(LIB)
	$(call say,LD,$@)
	$(q)$(CC) $(LDFLAGS_ALL) $^ -lmicrohttpd -lcrypto -o $@

$(O)/dev/%: $(O)/tools/dev/%.o $(LIB)
	$(call say,LD,$@)
	$(q)mkdir -p $(@D) && $(CC) $(LDFLAGS_ALL) $^ $(LIBS) -lssl -lpcap -lnghttp2 -o $@

# --- tests --------------------------------------------------------------------------------------

$(O)/tests/%: $(O)/tests/%.o $(LIB)
	$(call say,LD,$@)
	$(q)mkdir -p $(@D) && $(CC) $(LDFLAGS_ALL) $(filter-out Makefile,$^) $(LIBS) -lcmocka -ljansson -lnghttp2 -lbrotlienc -lm -o $@

# Where memory runs out on demand; where a thread rests.
$(O)/tests/unit/daemon/test_pipeline: LDFLAGS_ALL += $(foreach f,malloc calloc realloc strdup,-Wl$(comma)--wrap=$f)
$(O)/tests/unit/daemon/test_follower: LDFLAGS_ALL += -Wl$(comma)--wrap=uv_cond_timedwait

# Each fuzz target twice: with libFuzzer, and with a main that replays the corpus in `make check`.
FUZZ_CC := $(CLANG) -std=gnu17 -D_GNU_SOURCE -DWW_VERSION='"$(VERSION)"' $(INC) $(SAME) -g -O1 -w -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
FUZZ_O  := $(USER_C:%.c=$(O)/fuzzobj/%.o) $(patsubst $(LLHTTP_DIR)/%.c,$(O)/fuzzobj/llhttp/%.o,$(wildcard $(LLHTTP_DIR)/*.c))

$(O)/fuzzobj/llhttp/%.o: $(LLHTTP_DIR)/%.c
	$(q)mkdir -p $(@D) && $(FUZZ_CC) -fsanitize=fuzzer-no-link -c $< -o $@

$(O)/fuzzobj/%.o: %.c | $(SKELS)
	$(q)mkdir -p $(@D) && $(FUZZ_CC) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(O)/fuzz/%: tests/fuzz/%.c $(FUZZ_O)
	$(call say,FUZZ,$@)
	$(q)mkdir -p $(@D) && $(FUZZ_CC) -fsanitize=fuzzer $^ $(LIBS) -lnghttp2 -lm -o $@

$(O)/fuzz-replay/%: $(O)/tests/fuzz/%.o $(O)/tests/lib/fuzz_replay.o $(LIB)
	$(q)mkdir -p $(@D) && $(CC) $(LDFLAGS_ALL) $^ $(LIBS) -lnghttp2 -lm -o $@

units: $(UNIT) $(FUZZ_REPLAY)

check: all units ## unit tests, fuzz corpora, replay goldens: no privileges, under a minute
	$(q)tests/lib/run-check $(O)

golden: all ## rewrite the expected records of the golden tapes; review the difference
	$(q)tests/golden/tapes/make $(O) records
	$(q)tests/golden/stdio/make $(O) records

fuzz: $(FUZZ) ## every fuzz target for FUZZ_TIME seconds (default 20)
	$(q)tests/lib/run-fuzz $(O) $(or $(FUZZ_TIME),20)

# --- what people run ------------------------------------------------------------------------------

deps: ## install what building, testing and the demo need (Debian packages, pinned npm packages)
	$(q)tests/lib/deps.sh $(O)

demo: ## the main job on real input: three turns, three columns, a signed report
	$(q)tests/lib/deps.sh --demo $(O)
	$(q)$(MAKE) --no-print-directory -j$$(nproc) programs
	$(q)tools/dev/demo $(O)

test: deps ## everything: build with warnings as errors, lint, unit, sanitizers, fuzz, live kernel
	$(q)tests/lib/run-all $(O)

system: all ## tests on the live kernel, in their own cgroups and network namespaces (root)
	$(q)tests/lib/run-system $(O)

truth: all ## thousands of drawn situations, real agents, against the servers' own logs (root; RUNS=3000 SEED=)
	$(q)tests/truth/run $(O) --runs $(or $(RUNS),3000) $(if $(SEED),--seed $(SEED))

asan: ## unit tests and corpora under address and undefined-behaviour sanitizers
	$(q)$(MAKE) --no-print-directory SAN=address,undefined check

bench: all ## the numbers of docs/performance.md, and build/bench.json
	$(q)tests/bench/run $(O)

lint: ## format, static analysis, include direction, banned functions, sizes
	$(q)tests/lib/lint.sh $(O)

check-headers: | $(SKELS) ## every header compiles alone, with gcc and clang
	$(q)tests/lib/check-headers.sh $(O) "$(INC)"

format: ## rewrite the sources in the project's format
	$(q)git ls-files '*.c' '*.h' ':!vmlinux' | xargs clang-format -i

$(O)/compile_commands.json: Makefile
	$(q)mkdir -p $(O) && tools/dev/compile-commands $(O) "$(CC) $(subst ",\",$(ALL_CFLAGS) $(OWN_CFLAGS))" $(USER_C) $(wildcard tools/*/*.c) > $@

DOC := $(DESTDIR)$(PREFIX)/share/doc/wirewitness
DOCS := $(addprefix docs/,examples/contracts.yaml examples/phrases.yaml examples/policy.yaml examples/policy-clouds.yaml examples/tables.yaml agents.md attestations.md bounds.md evidence.md guard.md keys.md paths.md policy.md records.md reports.md tables.md)
install: programs ## install programs, unit, manual pages and the contract example (DESTDIR, PREFIX)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)/lib/systemd/system $(DOC)
	install -m 755 $(O)/wirewitnessd $(DESTDIR)$(PREFIX)/sbin/
	install -m 755 $(O)/wirewitness $(O)/wirewitness-verify $(O)/wirewitness-witness $(DESTDIR)$(PREFIX)/bin/
	install -m 644 tools/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 tools/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 $(DOCS) $(DOC)/
	sed 's|@PREFIX@|$(PREFIX)|g' tools/pkg/wirewitnessd.service > $(DESTDIR)/lib/systemd/system/wirewitnessd.service

uninstall: ## remove what install put there; state stays
	rm -f $(DESTDIR)$(PREFIX)/sbin/wirewitnessd $(addprefix $(DESTDIR)$(PREFIX)/bin/,wirewitness wirewitness-verify wirewitness-witness)
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/man/,$(patsubst tools/man/%.1,man1/%.1,$(wildcard tools/man/*.1)) $(patsubst tools/man/%.8,man8/%.8,$(wildcard tools/man/*.8)))
	rm -f $(DESTDIR)/lib/systemd/system/wirewitnessd.service
	rm -f $(addprefix $(DOC)/,$(notdir $(DOCS)))
	-rmdir $(DOC) 2>/dev/null

-include $(shell find $(O) -name '*.d' 2>/dev/null)

clean: ## remove build folders
	rm -rf build build-*
