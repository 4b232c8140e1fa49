# Anchorite.  `make demo` and `make test` do all that they need, from a bare
# Debian on; see README.md.  Variables:
#
#   CC=clang                     another compiler
#   SAN=address,undefined        sanitizers, in a build folder of their own;
#                                `make thread` does all that SAN=thread is for
#   B=build                      where everything that is built goes
#   SUITE="csv json"             only these unit test suites

CC  ?= gcc
ifeq ($(origin CC),default)
CC  := gcc
endif
SAN ?=
COVER ?=
comma := ,
variant := $(subst $() ,-,$(strip $(subst $(comma),-,$(SAN)) $(if $(COVER),cover)))
ifneq ($(variant),)
B   ?= build/$(variant)-$(CC)
else ifneq ($(CC),gcc)
B   ?= build/$(CC)
else
B   ?= build
endif

# ---- flags ------------------------------------------------------------------

warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wvla -Wformat=2 -Werror
hardening := -fstack-protector-strong -D_FORTIFY_SOURCE=2
CFLAGS  ?= -O2 -g
override CFLAGS += -std=c11 -D_GNU_SOURCE -I. -include common/banned.h \
                   $(warnings) -pthread -MMD -MP
override LDFLAGS += -pthread
ifneq ($(SAN),)
override CFLAGS += -fsanitize=$(SAN) -fno-sanitize-recover=all \
                   -fno-omit-frame-pointer
override LDFLAGS += -fsanitize=$(SAN)
else
override CFLAGS += $(hardening)
endif
ifneq ($(COVER),)
override CFLAGS += --coverage -O0
override LDFLAGS += --coverage
endif

# pkg-config is asked once, and only when something is compiled: on a fresh
# machine it is not there before `make deps`.
libraries := libcrypto libssl libcjson libzmq libuv raft sqlite3
package_cflags = $(eval package_cflags := $$(shell pkg-config --cflags $(libraries)))$(package_cflags)
package_libs = $(eval package_libs := $$(shell pkg-config --libs $(libraries)))$(package_libs)

# How many times longer than usual the tests wait before they give up: what is
# built to be watched is slower, and what it does in that time stays the same.
patience := $(if $(findstring thread,$(SAN)),10,$(if $(SAN),4,1))
export PATIENCE ?= $(patience)

# ---- what there is ----------------------------------------------------------
# A folder is a program or a library: its modules go into lib<folder>.a, its
# main.c, where it has one, is linked with them.  The anonymizer's are two: the
# engine with the vault, and the worker, the service around it.

modules = $(filter-out $(1)/main.c anonymizer/worker%,$(wildcard $(1)/*.c))
objects = $(patsubst %.c,$(B)/%.o,$(1))

# In the order in which the linker wants them: users first.
archives := $(B)/libcli.a $(B)/libdatasets.a $(B)/libworker.a \
            $(B)/libanonymizer.a $(B)/libbroker.a $(B)/libledger.a \
            $(B)/libcommon.a
programs := $(B)/anchorite $(B)/anchorite-ledger $(B)/anchorite-broker \
            $(B)/anchorite-anonymizer $(B)/anchorite-hospital
test_objects := $(call objects,$(wildcard tests/lib/*.c))
unit_objects := $(call objects,$(wildcard tests/unit/*.c))
property_objects := $(call objects,$(wildcard tests/property/*.c) \
                    $(wildcard tests/lib/oracle*.c))
fault_objects := $(call objects,$(wildcard tests/fault/*.c))
cluster_objects := $(call objects,$(wildcard tests/cluster/*.c))

all: $(programs)

.PHONY: all deps demo test check unit property cluster golden fault e2e fuzz \
        fuzz-replay thread valgrind cover eval eval-ledger eval-release eval-search \
        eval-scale eval-vault \
        format reformat directions headers \
        tidy clean print-bin install

$(B)/anchorite: $(B)/cli/main.o $(B)/libcli.a $(B)/libanonymizer.a \
                $(B)/libbroker.a $(B)/libcommon.a
$(B)/anchorite-ledger: $(B)/ledger/main.o $(B)/libledger.a $(B)/libcommon.a
$(B)/anchorite-broker: $(B)/broker/main.o $(B)/libbroker.a $(B)/libcommon.a
$(B)/anchorite-anonymizer: $(B)/anonymizer/main.o $(B)/libworker.a \
                           $(B)/libanonymizer.a $(B)/libcommon.a
$(B)/anchorite-hospital: $(B)/datasets/main.o $(B)/libdatasets.a $(B)/libcommon.a
$(programs):
	$(CC) $(LDFLAGS) -o $@ $^ $(package_libs) -lm

define library
$(B)/lib$(1).a: $(call objects,$(call modules,$(1)))
endef
$(foreach folder,common anonymizer broker cli datasets ledger,$(eval $(call library,$(folder))))
$(B)/libworker.a: $(call objects,$(wildcard anonymizer/worker*.c))
$(archives):
	rm -f $@
	ar rcs $@ $^

$(B)/%.o: %.c | $(B)/.deps
	@mkdir -p $(@D)
	@echo "CC $<"
	@$(CC) $(CFLAGS) $(package_cflags) -c -o $@ $<

-include $(shell find $(B) -name '*.d' 2>/dev/null)

print-bin:
	@echo $(B)/anchorite

clean:
	rm -rf build

# ---- what it needs ----------------------------------------------------------
# Installed before the first file is compiled, and looked at again whenever
# .ci/deps changes.

deps:
	.ci/deps

$(B)/.deps: .ci/deps
	@mkdir -p $(@D)
	@.ci/deps build $(if $(filter clang%,$(notdir $(CC))),check)
	@touch $@

# ---- tests ------------------------------------------------------------------

$(B)/unit: $(unit_objects) $(test_objects) $(archives)
$(B)/fault: $(fault_objects) $(test_objects) $(archives)
$(B)/unit $(B)/fault:
	$(CC) $(LDFLAGS) $(LDEXTRA) -o $@ $^ $(package_libs) -lcunit -lm

# Calls that tests/fault/fault.c can let fail.
fault_calls := malloc calloc realloc reallocarray free strdup strndup read \
               pread write pwrite lseek fstat openat access fsync fdatasync linkat renameat \
               unlink getrandom pthread_create
$(B)/fault: LDEXTRA := $(addprefix -Wl$(comma)--wrap=,$(fault_calls))

# All of it.  Every part says how it went; the first that fails ends it.
test: all
	$(MAKE) unit
	$(MAKE) fault
	$(MAKE) fuzz-replay
	$(MAKE) golden
	$(MAKE) property
	$(MAKE) cluster
	$(MAKE) e2e
	@echo "test: passed"

# KEEP=yes leaves its network running.
demo: all
	@eval/demo.sh $(if $(KEEP),--keep) $(B)

# What three nodes bear on this machine; a few minutes for each of RUNS.
eval-ledger: all $(B)/anchorite-ledger
	@eval/ledger/run.sh $(B) $(RESULTS)

# What a table takes that grows from 30 thousand to 30 million rows.
eval-scale: all $(B)/tests/survey
	@eval/search/scale.sh $(B) $(or $(RESULTS),eval/search/scale.md)

# What a vault of a million rows takes.
eval-vault: $(B)/tests/vault_load $(B)/tests/events_load
	@eval/vault/run.sh $(B) $(RESULTS)

# How long the search takes, and how good it is: eval/search/run.sh.
eval-search: $(B)/anchorite
	@eval/search/run.sh $(B) $(or $(RESULTS),eval/search)

# What the road from a request to a release takes, with a million patients.
eval-release: all $(B)/tests/fetch_often
	@eval/release/run.sh $(B) $(or $(RESULTS),eval/release/results.md)

# The list of suites follows the files: tests/unit/test_<module>.c and
# tests/fault/fault_<module>.c hold suite <module>.
suite_files = $(wildcard tests/$(1)/$(2)_*.c)
suite_all = $(patsubst tests/$(1)/$(2)_%.c,%,$(suite_files))
# These fork: before another suite has started threads that a child lacks.
suite_forks := service program
suite_names = $(filter $(suite_forks),$(suite_all)) \
              $(filter-out $(suite_forks),$(suite_all))
define suite_list
$(B)/tests/$(1)/suites.def: $(suite_files) Makefile
	@mkdir -p $$(@D)
	@printf 'X(%s)\n' $(suite_names) >$$@
$(B)/tests/$(1)/main.o: $(B)/tests/$(1)/suites.def
$(B)/tests/$(1)/main.o: override CFLAGS += -I$(B)/tests/$(1)
endef
$(eval $(call suite_list,unit,test))
$(eval $(call suite_list,fault,fault))

# Some tests start threads in a child that was forked beside others.
unit: export TSAN_OPTIONS ?= suppressions=$(CURDIR)/.ci/thread.supp:die_after_fork=0
unit: $(B)/unit
	$(B)/unit $(SUITE)

# Random tables against brute force; SEED, CASES, or SEED and CASE of one that
# differed.
$(B)/property: $(property_objects) $(archives)
	$(CC) $(LDFLAGS) -o $@ $^ $(package_libs) -lm
property: $(B)/property $(B)/anchorite
	$(B)/property --command $(B)/anchorite $(if $(SEED),--seed $(SEED)) \
	    $(if $(CASES),--cases $(CASES)) $(if $(CASE),--case $(CASE))

# Random faults over several nodes in virtual time; SEED, CASES, or SEED and
# CASE of one that failed.
$(B)/cluster: $(cluster_objects) $(archives)
	$(CC) $(LDFLAGS) -o $@ $^ $(package_libs) -lm
cluster: $(B)/cluster
	$(B)/cluster $(if $(SEED),--seed $(SEED)) $(if $(CASES),--cases $(CASES)) \
	    $(if $(CASE),--case $(CASE))

golden: $(B)/anchorite
	tests/golden/run.sh $(B)/anchorite

fault: $(B)/fault
	$(B)/fault $(SUITE)

# What end-to-end tests need besides the programs.
tools := $(patsubst tests/tools/%.c,$(B)/tests/%,$(wildcard tests/tools/*.c))
$(B)/tests/%: $(B)/tests/tools/%.o $(B)/libcli.a $(B)/libanonymizer.a \
              $(B)/libbroker.a $(B)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $^ $(package_libs) -lm
$(B)/tests/events_load: $(B)/tests/tools/events_load.o $(archives)
	$(CC) $(LDFLAGS) -o $@ $^ $(package_libs) -lm
# This one makes up a whole network.
$(B)/tests/certify: $(B)/tests/tools/certify.o $(B)/tests/lib/released.o \
                    $(B)/tests/lib/federation.o $(archives)
	$(CC) $(LDFLAGS) -o $@ $^ $(package_libs) -lm

# The programs once more, with every message in a file: tests/tap/tap.c.
tapped := $(programs:$(B)/%=$(B)/tapped/%)
$(B)/tapped/%: $(B)/% $(B)/tests/tap/tap.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -Wl,--wrap=message_encode,--wrap=message_decode -o $@ \
	    $(main) $(B)/tests/tap/tap.o $(filter %.a,$(archives)) $(package_libs) -lm
$(B)/tapped/anchorite: main = $(B)/cli/main.o
$(B)/tapped/anchorite-ledger: main = $(B)/ledger/main.o
$(B)/tapped/anchorite-broker: main = $(B)/broker/main.o
$(B)/tapped/anchorite-anonymizer: main = $(B)/anonymizer/main.o
$(B)/tapped/anchorite-hospital: main = $(B)/datasets/main.o

e2e: $(programs) $(tools) $(tapped)
# And this one a permit that no broker would give.
$(B)/tests/lying_broker: $(B)/tests/tools/lying_broker.o \
                         $(B)/tests/lib/forged_permit.o $(B)/libcli.a \
                         $(B)/libanonymizer.a $(B)/libbroker.a $(B)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $^ $(package_libs) -lm

e2e: $(programs) $(tools)
	@BIN=$(B) .ci/e2e $(E2E)

# Every tests/fuzz/fuzz_<name>.c is a fuzzer, tests/fuzz/corpus/<name> holds its
# seeds and what was found.  `fuzz` lets each search for FUZZ_SECONDS, with clang
# and sanitizers; `fuzz-replay` runs them over the corpus, with any compiler.
FUZZ ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 120

# Objects are worth keeping, whichever rule wanted them.
.SECONDARY:
fuzz_lib := $(B)/tests/lib/scratch.o $(B)/tests/lib/tree_oracle.o
$(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(fuzz_lib) $(archives)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(package_libs) -lm
$(B)/replay_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o \
               $(fuzz_lib) $(archives)
	$(CC) $(LDFLAGS) -o $@ $^ $(package_libs) -lm

fuzz:
	@.ci/deps check
	$(MAKE) CC=clang SAN=fuzzer-no-link,address,undefined \
	    $(addprefix fuzz-run-,$(FUZZ))
fuzz-run-%: $(B)/fuzz_%
	@mkdir -p $(B)/corpus/$*
	$(B)/fuzz_$* -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
	    -rss_limit_mb=2048 -print_final_stats=1 \
	    -artifact_prefix=$(B)/found-$*- $(B)/corpus/$* tests/fuzz/corpus/$*

fuzz-replay: $(addprefix fuzz-replay-,$(FUZZ))
fuzz-replay-%: $(B)/replay_%
	$(B)/replay_$* tests/fuzz/corpus/$*

# Data races: the unit tests, the engine with several threads over random tables,
# and networks of three nodes, under ThreadSanitizer.  Anything that it reports,
# in whichever process, is a failure; .ci/thread.supp says what it cannot know.
thread_e2e := 40-network 41-roles 42-ledger-load 46-kill-rounds
thread: export TSAN_OPTIONS := suppressions=$(CURDIR)/.ci/thread.supp:die_after_fork=0
thread:
	$(MAKE) SAN=thread all
	$(MAKE) SAN=thread unit
	$(MAKE) SAN=thread property CASES=$(or $(CASES),500)
	ROUNDS=$(or $(ROUNDS),3) $(MAKE) SAN=thread e2e E2E="$(thread_e2e)"
	@echo "thread: passed"

# Memory errors and leaks, in the tests' own code as well.
valgrind: export PATIENCE := 20
valgrind: export UNDER_VALGRIND := yes
valgrind: $(B)/unit
	@.ci/deps valgrind
	valgrind --quiet --error-exitcode=1 --leak-check=full \
	    --errors-for-leak-kinds=definite,indirect,possible \
	    --suppressions=.ci/valgrind.supp $(B)/unit $(SUITE)

cover:
	find build/cover-$(CC) -name '*.gcda' -delete 2>/dev/null || true
	$(MAKE) COVER=1 unit
	@.ci/cover build/cover-$(CC)

# ---- what a change has to pass ------------------------------------------------

sources := $(sort $(wildcard $(foreach folder,anonymizer broker cli common \
             datasets ledger tests/*,$(folder)/*.c)))
headers := $(sort $(wildcard $(foreach folder,anonymizer broker cli common \
             datasets ledger tests/*,$(folder)/*.h)))

check: format directions headers tidy
	$(MAKE) CC=gcc all test
	@.ci/symbols build/libanonymizer.a
	$(MAKE) CC=clang all unit
	@echo "check: passed"

directions:
	@.ci/directions

headers:
	@.ci/deps check
	@.ci/headers

format:
	@.ci/deps check
	@clang-format --dry-run -Werror $(sources) $(headers)

reformat:
	@.ci/deps check
	@clang-format -i $(sources) $(headers)

# A file is looked at again when it or a header has changed.
tidied := $(sources:%.c=$(B)/%.tidy)
tidy: $(tidied)
$(B)/%.tidy: include = $(if $(filter %common/error.tidy,$@),,-include .ci/analyzer.h)
$(B)/%.tidy: %.c .clang-tidy tests/.clang-tidy .ci/analyzer.h $(headers) \
             | $(B)/.deps $(B)/tests/unit/suites.def $(B)/tests/fault/suites.def
	@mkdir -p $(@D)
	@.ci/deps check
	@echo tidy $<
	@clang-tidy --quiet --warnings-as-errors='*' $< -- \
	    $(filter-out -W% -M%,$(CFLAGS)) $(include) -I$(B)/$(<D) \
	    $(package_cflags) 2>$@.log || \
	    { cat $@.log; exit 1; }
	@rm -f $@.log
	@touch $@

# ---- where it goes ----------------------------------------------------------

PREFIX ?= /usr/local
manuals := $(sort $(wildcard docs/man/*.1))

installed := anchorite anchorite-ledger anchorite-broker anchorite-anonymizer

install: $(addprefix $(B)/,$(installed))
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $^ $(DESTDIR)$(PREFIX)/bin
	$(if $(manuals),install -d $(DESTDIR)$(PREFIX)/share/man/man1)
	$(if $(manuals),install -m 644 $(manuals) $(DESTDIR)$(PREFIX)/share/man/man1)
