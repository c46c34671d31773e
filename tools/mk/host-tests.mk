# host-tests.mk - tests/host/test_*.c: one native binary each, under ASan and UBSan.
#
# A test names the real sources it is linked with in its first 20 lines:
#	/* SOURCES: kernel/lib/bitmap.c kernel/lib/string.c */
# and, where it needs them, more compiler options:
#	/* CFLAGS: -DDEBUG */
# Several such lines add up.  More in tests/host/README.md.

# Where Homebrew and others put cmocka; on most systems it needs no word.
CMOCKA_CFLAGS := $(shell pkg-config --cflags cmocka 2>/dev/null)
CMOCKA_LIBS   := $(or $(shell pkg-config --libs cmocka 2>/dev/null),-lcmocka)

HOST_CC       ?= $(firstword $(foreach c,gcc clang cc,$(shell command -v $(c) 2>/dev/null)) cc)
HOST_TESTS    := $(if $(T),$(T),$(patsubst tests/host/%.c,%,$(sort $(wildcard tests/host/test_*.c))))
HOST_BIN      := $(HOST_TESTS:%=$(BUILD)/host/%)
HOST_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
HOST_CFLAGS   := -std=gnu11 -O1 -g $(HOST_SANITIZE) -MMD -MP -DHOST_TEST -Itests/host -Iinclude -Iboot/stage2 \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wwrite-strings -Wvla -Wno-unused-parameter \
	$(CMOCKA_CFLAGS) $(WERROR)

# The words after "$(2):" in the first lines of test $(1).
host_field = $(shell sed -n '1,20s/^.*$(2): *\([^*]*\).*/\1/p' tests/host/$(1).c)

# $(1) = name of a test.  Objects are per test, since each may want flags of its own.
define HOST_RULES
$(1)_OBJ := $$(patsubst %,$(BUILD)/host/$(1).o/%.o,$$(call host_field,$(1),SOURCES) tests/host/$(1).c)
$(BUILD)/host/$(1): HOST_EXTRA := $$(call host_field,$(1),CFLAGS)
$(BUILD)/host/$(1).o/tests/%.c.o: tests/%.c $(FLAGS)
	@mkdir -p $$(@D)
	$$(Q)$$(HOST_CC) $$(HOST_CFLAGS) $$(HOST_EXTRA) -c $$< -o $$@
$(BUILD)/host/$(1).o/%.c.o: %.c $(FLAGS)
	@mkdir -p $$(@D)
	$$(Q)$$(HOST_CC) $$(HOST_CFLAGS) -ffreestanding -include tests/host/rename.h $$(HOST_EXTRA) -c $$< -o $$@
$(BUILD)/host/$(1): $$($(1)_OBJ)
	$$(if $$(Q),@echo "  HOST  $$@")
	$$(Q)$$(HOST_CC) $$(HOST_SANITIZE) $$^ $$(CMOCKA_LIBS) -o $$@
endef

ifneq ($(filter test host-test host-tests-build $(BUILD)/host/%,$(MAKECMDGOALS)),)
$(foreach t,$(HOST_TESTS),$(eval $(call HOST_RULES,$(t))))
endif

.PHONY: host-test host-tests-build
host-tests-build: $(HOST_BIN)
host-test: ## build and run the tests of tests/host (T=test_x: one)
	@$(MAKE) --no-print-directory -k host-tests-build || true
	@$(PYTHON) tools/run-host-tests.py $(HOST_BIN)
