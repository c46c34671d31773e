# user.mk - the programs that come with the image: ours (user/), built with musl, and those of Debian's packages.
#
# They run under Linux as well.  Without musl-gcc or a static busybox the initrd has what there is; INITRD=folder packs
# that folder instead.

MUSL_CC ?= musl-gcc
USER_SRC := $(if $(shell command -v $(MUSL_CC) 2>/dev/null),$(sort $(wildcard user/*.c)))
USER_BIN := $(USER_SRC:user/%.c=$(BUILD)/user/%)
USER_CFLAGS := -static -O2 -s -std=gnu11 -Wall -Wextra -Wshadow $(WERROR) "-ffile-prefix-map=$(CURDIR)=."

$(BUILD)/user/%: user/%.c $(FLAGS)
	@mkdir -p $(@D)
	$(call say,MUSL,$<)
	$(Q)$(MUSL_CC) $(USER_CFLAGS) -MMD -MP -MF $@.d $< -o $@
-include $(USER_BIN:%=%.d)

# The folder itself is looked at each time, since packages come and go; it is packed anew only when something changed.
ROOT_STAMP := $(BUILD)/root.stamp
$(ROOT_STAMP): FORCE $(USER_BIN) tools/mkuserland.py
	$(Q)$(PYTHON) tools/mkuserland.py --if-changed $@ $(BUILD)/root $(USER_BIN)
