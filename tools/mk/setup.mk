# setup.mk - asks tools/setup for what is missing, before anything else is looked at.
#
# A target that people type as their first command installs what it needs; plain `make` only says
# what is missing.  Both looks are a few `command -v`, and single files (helpers of an editor, a
# bisecting script) skip them.

SETUP_GOALS_run  := run run-serial run-kernel screenshot bench bench-check debug debug-kernel record replay bochs smoke
SETUP_GOALS_test := test lint host-test reproducible exercise-check
SETUP_NEED := $(strip \
	$(if $(filter $(SETUP_GOALS_test),$(MAKECMDGOALS)),test, \
	$(if $(filter $(SETUP_GOALS_run),$(MAKECMDGOALS)),run, \
	$(if $(filter-out help clean toolchain,$(or $(MAKECMDGOALS),all)),$(if $(filter all iso floppy usb,$(or $(MAKECMDGOALS),all)),build)))))
SETUP_NEED += $(if $(filter bochs,$(MAKECMDGOALS)),bochs) $(if $(filter debug debug-kernel record replay,$(MAKECMDGOALS)),debug) \
	$(if $(filter iso-grub,$(MAKECMDGOALS)),build grub)

ifneq ($(strip $(SETUP_NEED)),)
SETUP_MISSING := $(shell CC='$(if $(filter-out default,$(origin CC)),$(CC))' tools/setup --check $(SETUP_NEED))
ifneq ($(SETUP_MISSING),)
ifeq ($(strip $(SETUP_NEED)),build)
  $(error missing: $(SETUP_MISSING).  tools/setup installs it, or `make run` does)
endif
# An included file that is remade makes make start again, and then it finds what was installed.
include $(BUILD)/setup-done.mk
$(BUILD)/setup-done.mk: FORCE
	@mkdir -p $(@D)
	@tools/setup $(SETUP_NEED)
	@touch $@
endif
endif
