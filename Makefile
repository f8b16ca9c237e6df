# lapel: one graph for every program, library and test. `make help` lists the targets.
#
# A folder describes itself in its module.mk, three lines per program:
#
#     PROGS += tools/lapel
#     SRC.tools/lapel  := tools/lapel.c tools/cmd_inspect.c
#     USES.tools/lapel := client/liblapel manifests/liblsuit
#
#   PROGS       programs, to $(B)/bin; all but those of tests/ are installed
#   LIBS        static libraries, to $(B)/lib
#   TESTS       programs that `make check` runs, in release and under asan
#   SLOW_TESTS  the same, in release only
#   TEST_TOOLS  programs that a test or a benchmark starts; built, not run
#   TEST_SHIMS  shared objects for LD_PRELOAD in a test
#   FUZZ        fuzz targets tests/fuzz/fuzz_<noun>; `make check` replays tests/fuzz/corpus/<noun>
#
# SRC.x is x.c when not given; a source that is not C is embedded (see below). USES.x are libraries
# of ours in link order, PKG.x the names of LINK.* that x needs beside those of its libraries.
# TIMEOUT.x is the time limit of a test in seconds.

VERSION := 0.1.0
VARIANT ?= release
PREFIX  ?= /usr/local
SECONDS ?= 60
JOBS    ?= $(shell nproc)
COVER   ?= manifests/src
SEED    ?= 1
MUTANTS ?= 200

ifeq ($(filter $(VARIANT),release debug asan tsan fuzz coverage m32),)
$(error VARIANT=$(VARIANT): there are release, debug, asan, tsan, fuzz, coverage and m32)
endif
ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(VARIANT)),clang,gcc)
endif

QUIET := $(if $(V),,@)

variant_dir = $(if $(filter release,$(1)),build,build/$(1))
B := $(call variant_dir,$(VARIANT))

# --- Third-party libraries. Plain names: Debian 12 has no mbedtls.pc, and the rest needs no flags.

LINK.microhttpd := -lmicrohttpd
LINK.gnutls     := -lgnutls
LINK.sqlite3    := -lsqlite3
LINK.mbedcrypto := -lmbedcrypto
LINK.mbedtls    := -lmbedtls -lmbedx509 -lmbedcrypto
LINK.cbor       := -lcbor
LINK.jansson    := -ljansson
LINK.curl       := -lcurl
LINK.inih       := -linih
LINK.m          := -lm
LINK.dl         := -ldl
LINK.pthread    := -pthread

# --- Flags.

WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
        -Wformat=2 -Wundef -Werror
HARDEN := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
          -fstack-clash-protection
MACHINE := $(shell uname -m)
HARDEN += $(if $(filter x86_64 i%86,$(MACHINE)),-fcf-protection)
HARDEN += $(if $(filter aarch64,$(MACHINE)),-mbranch-protection=standard)

FLAGS.release  := $(HARDEN)
FLAGS.debug    := -Og
FLAGS.asan     := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
                  -fno-sanitize-recover=undefined
FLAGS.tsan     := -O1 -fno-omit-frame-pointer -fsanitize=thread
FLAGS.fuzz     := -O1 -fno-omit-frame-pointer -fno-sanitize-recover=undefined \
                  -fsanitize=fuzzer-no-link,address,undefined
FLAGS.coverage := -O0 --coverage
FLAGS.m32      := -m32 -O1 -fsanitize=undefined -fno-sanitize-recover=undefined

COMPILE = $(CC) -std=c11 -g $(WARN) $(FLAGS.$(VARIANT)) -fPIE $(CPPFLAGS) $(CFLAGS)
LINK    = $(CC) -g $(FLAGS.$(VARIANT)) $(CFLAGS) -pie \
          -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(LDFLAGS)

# What a folder may see. manifests/ and client/core stay plain C11, without an operating system.
HOSTED := -D_GNU_SOURCE -DLAPEL_VERSION='"$(VERSION)"'
SEES.manifests := -Imanifests/include
SEES.client    := $(SEES.manifests) -Iclient/include
SEES.posix     := $(SEES.client) $(HOSTED)
SEES.server    := $(SEES.manifests) -Iserver $(HOSTED)
SEES.tools     := $(SEES.client) $(HOSTED)
SEES.fleet     := $(SEES.tools) -Iserver -Iclient
SEES.tests     := $(SEES.tools) -Itests/harness -Itests/harness/platform -Iserver -Iclient -Imanifests -I.
kind = $(if $(filter client/ports/posix/%,$(1)),posix,$(if $(filter tools/fleet%,$(1)),fleet,$(firstword $(subst /, ,$(1)))))
sees = $(SEES.$(call kind,$(1)))

# --- What there is.

MODULES := $(sort $(wildcard */module.mk))
include $(MODULES)

sources = $(or $(SRC.$(1)),$(wildcard $(1).c))
present = $(foreach x,$(1),$(if $(call sources,$(x)),$(x)))
$(foreach list,LIBS PROGS TESTS SLOW_TESTS TEST_TOOLS FUZZ,$(eval $(list) := $(call present,$($(list)))))

object   = $(patsubst %.c,$(B)/obj/%.o,$(filter %.c,$(1))) \
           $(patsubst %,$(B)/obj/%.o,$(filter-out %.c,$(1)))
uses     = $(filter $(LIBS),$(USES.$(1)))
archive  = $(patsubst %,$(B)/lib/%.a,$(notdir $(1)))
packages = $(sort $(PKG.$(1)) $(foreach l,$(call uses,$(1)),$(PKG.$(l))))
prog_out = $(patsubst %,$(B)/bin/%,$(notdir $(1)))
test_out = $(patsubst tests/%,$(B)/test/%,$(1))

PROG_OUT := $(call prog_out,$(PROGS))
LIB_OUT  := $(call archive,$(LIBS))
TEST_OUT := $(call test_out,$(TESTS) $(SLOW_TESTS) $(TEST_TOOLS) $(FUZZ)) \
            $(patsubst %,%.so,$(call test_out,$(TEST_SHIMS)))
ALL_OBJ  := $(sort $(foreach x,$(LIBS) $(PROGS) $(TESTS) $(SLOW_TESTS) $(TEST_TOOLS) $(FUZZ), \
              $(call object,$(call sources,$(x)))))

## build every program and library into build/bin and build/lib (the default)
all: $(PROG_OUT) $(LIB_OUT)

test-programs: $(TEST_OUT)

# --- Rules.

# Changes whenever the compiler or a flag does, so that no object of other flags is left over.
$(B)/obj/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(COMPILE) $(HOSTED))' | cmp -s - $@ || \
	  printf '%s\n' '$(subst ','\'',$(COMPILE) $(HOSTED))' >$@

$(B)/obj/%.o: %.c $(B)/obj/flags
	@mkdir -p $(@D)
	$(QUIET)$(COMPILE) $(call sees,$<) -MMD -MP -c $< -o $@

# A source that is not C becomes bytes: web/page.css is `extern const unsigned char
# embed_page_css[], embed_page_css_end[];`, with a zero byte after the end.
symbol = embed_$(subst -,_,$(subst .,_,$(notdir $(1))))
$(B)/obj/%.o: % $(B)/obj/flags
	@mkdir -p $(@D)
	$(QUIET)printf '.section .rodata\n.global %s\n%s:\n.incbin "%s"\n.global %s_end\n%s_end:\n.byte 0\n.section .note.GNU-stack,"",%%progbits\n' \
	  $(call symbol,$<) $(call symbol,$<) $< $(call symbol,$<) $(call symbol,$<) | \
	  $(CC) -c -x assembler - -o $@

define lib_rule
$(call archive,$(1)): $(call object,$(call sources,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(QUIET)$(AR) rcs $$@ $$^
endef

# $(1) the name, $(2) the file to make, $(3) objects beside its sources, $(4) more flags
define link_rule
$(2): $(call object,$(call sources,$(1))) $(3) $(call archive,$(call uses,$(1)))
	@mkdir -p $$(@D)
	$(QUIET)$$(LINK) $(4) $$^ $(foreach p,$(call packages,$(1)),$(LINK.$(p))) $$(LDLIBS) -o $$@
endef

define shim_rule
$(call test_out,$(1)).so: $(call sources,$(1))
	@mkdir -p $$(@D)
	$(QUIET)$$(CC) -std=c11 -g -O2 $$(WARN) $$(call sees,$(1)) -fPIC -shared $$^ -ldl -o $$@
endef

FUZZ_OBJ := $(if $(filter fuzz,$(VARIANT)),,$(B)/obj/tests/fuzz/replay.o)
$(foreach l,$(LIBS),$(eval $(call lib_rule,$(l))))
$(foreach p,$(PROGS),$(eval $(call link_rule,$(p),$(call prog_out,$(p)))))
$(foreach t,$(TESTS) $(SLOW_TESTS) $(TEST_TOOLS),$(eval $(call link_rule,$(t),$(call test_out,$(t)))))
$(foreach f,$(FUZZ),$(eval $(call link_rule,$(f),$(call test_out,$(f)),$(FUZZ_OBJ),\
  $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer))))
$(foreach s,$(TEST_SHIMS),$(eval $(call shim_rule,$(s))))

-include $(patsubst %.o,%.d,$(ALL_OBJ) $(FUZZ_OBJ))

# --- Targets that install what is missing and start again, so that a bare machine is enough.

PACKAGES := tests/harness/packages.sh
# Build on all cores unless the caller says how many.
AGAIN = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))

CHECK_VARIANTS := $(if $(filter release,$(VARIANT)),release asan,$(VARIANT))
limit = $(if $(TIMEOUT.$(1)),@$(TIMEOUT.$(1)))
checks_of = $(foreach t,$(2),$(patsubst tests/%,$(call variant_dir,$(1))/test/%,$(t))$(call limit,$(t)))
SCRIPTS := $(sort $(wildcard $(patsubst %,tests/%/*.sh,contract integration powerloss interop)))
LINTS   := $(sort $(wildcard tests/lint/*.sh))

## install what is missing, build, run all tests; closes with "N passed, N failed"; ONLY=word picks
check:
	@$(PACKAGES) build check
	@for v in $(CHECK_VARIANTS); do $(AGAIN) VARIANT=$$v all test-programs || exit 1; done
	@ONLY='$(ONLY)' BUILD=$(B) tests/run.sh $(LINTS) \
	  $(foreach v,$(CHECK_VARIANTS),$(call checks_of,$(v),$(TESTS) $(FUZZ))) \
	  $(call checks_of,$(VARIANT),$(SLOW_TESTS)) $(SCRIPTS)

## install what is missing, build, and watch a fleet update itself
demo:
	@$(PACKAGES) build demo
	@$(AGAIN) all test-programs
	@BUILD=$(B) tests/demo.sh

## measure against bare references in the same run; writes build/bench.json
bench:
	@$(PACKAGES) build bench
	@$(AGAIN) all test-programs
	@BUILD=$(B) tests/bench/bench.sh

## build the images and update a fleet in containers; says so when no engine runs
docker-check:
	@$(PACKAGES) docker
	@tests/docker-check.sh

## code, data and stack of the device side against its budgets; writes build/size.json
size:
	@$(PACKAGES) size
	@tests/size.sh

## simulate every fleet that is promised something, and write the curves to build/fleet
fleet:
	@$(PACKAGES) build
	@$(AGAIN) $(B)/bin/lapel-fleet
	@mkdir -p build/fleet && rm -f build/fleet/*
	@nice $(B)/bin/lapel-fleet storm --svg build/fleet/f
	@nice $(B)/bin/lapel-fleet figure all --csv build/fleet/rollouts.csv --svg build/fleet/f

## run every fuzz target for SECONDS=n seconds
fuzz:
	@$(PACKAGES) build fuzz
	@$(AGAIN) VARIANT=fuzz test-programs
	@tests/fuzz/run.sh $(SECONDS) $(patsubst tests/%,build/fuzz/test/%,$(FUZZ))

## which lines of COVER=manifests/src tests, fuzz corpora and vectors reach; fails below LEAST=95 %
coverage:
	@$(PACKAGES) build
	@$(AGAIN) VARIANT=coverage all test-programs
	@tests/coverage.sh $(COVER) $(call checks_of,coverage,$(TESTS) $(FUZZ))

# In 32 bit a size is as long as on the devices that the codec is for.
TESTS32 := $(filter tests/unit/test_cbor tests/unit/test_cose tests/unit/test_suit% tests/unit/test_run% \
             tests/unit/test_bytes tests/unit/test_uuid,$(TESTS))

## the codec's tests and the SUIT vectors in 32 bit; installs the libraries of i386 that they need
check32:
	@$(PACKAGES) build m32
	@$(AGAIN) VARIANT=m32 build/m32/bin/suit-cases $(patsubst tests/%,build/m32/test/%,$(TESTS32))
	@tests/run.sh $(call checks_of,m32,$(TESTS32))
	@build/m32/bin/suit-cases tests/interop/vectors/exec tests/interop/vectors/negative

# The tests that need the codec alone, each with its sources: name:source:source.
space := $(subst ,, )
CODEC_TESTS = $(foreach t,$(TESTS) tests/interop/suit-cases,$(if $(filter manifests/liblsuit,$(USES.$(t))),\
  $(if $(filter-out manifests/liblsuit,$(USES.$(t))),,$(subst $(space),:,$(strip $(notdir $(t)) $(call sources,$(t)))))))

## do the tests bite? change manifests/src in MUTANTS=200 places drawn by SEED=1 (tests/MUTANTS.md)
mutants:
	@$(PACKAGES) build check
	@tests/mutants.py --seed $(SEED) --count $(MUTANTS) $(strip $(CODEC_TESTS))

## check layers, headers, formatting, common mistakes, secrets and documents
lint:
	@$(PACKAGES) build check
	@tests/run.sh $(LINTS)

## format every C file in place
format:
	clang-format -i $$(git ls-files '*.[ch]')

## install what building, testing and the demo need, and do no more
packages:
	@$(PACKAGES) build check demo

# --- Install and clean.

INSTALL_PROGS := $(call prog_out,$(filter-out tests/%,$(PROGS)))
INSTALL_LIBS  := $(call archive,$(filter manifests/liblsuit client/liblapel,$(LIBS)))
UNITS         := $(wildcard server/*.service client/ports/posix/*.service)
install_each = $(foreach f,$(3),install -D -m $(1) $(f) $(DESTDIR)$(PREFIX)/$(2)/$(notdir $(f)) &&) true

## copy programs, libraries, headers, manual pages, documents and units to DESTDIR= PREFIX=
install: all
	@$(call install_each,755,bin,$(INSTALL_PROGS))
	@$(call install_each,644,lib,$(INSTALL_LIBS))
	@$(call install_each,644,include/lsuit,$(wildcard manifests/include/lsuit/*.h))
	@$(call install_each,644,include,$(wildcard client/include/*.h))
	@$(foreach s,1 5 8,$(call install_each,644,share/man/man$(s),$(wildcard */man/*.$(s))) &&) true
	@$(call install_each,644,lib/systemd/system,$(UNITS))
	@sed -i 's|/usr/local/bin|$(PREFIX)/bin|' $(foreach u,$(UNITS),$(DESTDIR)$(PREFIX)/lib/systemd/system/$(notdir $(u)))
	@$(call install_each,644,share/doc/lapel/server/evidence,$(wildcard server/evidence/*.svg))
	@$(call install_each,644,share/doc/lapel/client,client/ports/posix/agent.conf.example)
	@$(call install_each,644,share/doc/lapel,$(wildcard README.md SECURITY.md CHANGES.md LICENSE))
	@for d in manifests client server tools; do for f in $$d/*.md; do [ ! -f "$$f" ] || \
	  install -D -m 644 "$$f" "$(DESTDIR)$(PREFIX)/share/doc/lapel/$$f" || exit 1; done; done

## remove build/
clean:
	rm -rf build

## list these targets
help:
	@awk '/^## / { said = substr($$0, 4); next } \
	  /^[a-z-]+:/ && said { sub(/:.*/, ""); printf "  %-14s %s\n", $$0, said } { said = "" }' Makefile

.PHONY: all test-programs check demo bench docker-check size fleet fuzz coverage mutants check32 lint format \
        packages install clean help FORCE
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
