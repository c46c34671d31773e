# editor.mk - what editors read: build/compile_commands.json for clangd, .vscode/ for VS Code.
#
# clangd looks for compile_commands.json in the folders above a source and in their build/.  Plain
# `make` keeps it current: it depends on the flags and on the list of sources, not on what is in
# them, save for the host tests, whose first lines hold flags.

COMPDB := $(BUILD)/compile_commands.json
HOST_C := $(sort $(wildcard tests/host/*.c))

# What its contents follow from; rewritten only when that changes.
$(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CURDIR)' $(KSRC) - $(S2SRC) - $(HOST_C) > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

.PHONY: compile_commands.json
all: $(COMPDB)
compile_commands.json: $(COMPDB) ## for clangd, in build/ (`make` does it, too)
$(COMPDB): $(FLAGS) $(BUILD)/sources tools/compdb.py tools/mk/editor.mk $(HOST_C)
	$(Q)$(PYTHON) tools/compdb.py $@ \
		'$(BUILD)/{}.o' '$(CFLAGS64) -c' $(filter-out $(SMALL),$(filter %.c,$(KSRC))) \
		-- '$(BUILD)/{}.o' '$(CFLAGS64) -Os -c' $(SMALL) \
		-- '$(BUILD)/offsets.s' '$(CFLAGS64) -S' tools/offsets.c \
		-- '$(BUILD)/vdso.o' '$(VDSO_CFLAGS) -c' kernel/x86/vdso/vdso.c \
		-- '$(BUILD)/s2/{}.o' '$(CFLAGS32) $(S2DEFS) -Iboot/stage2 -c' $(filter-out $(S2_FAST),$(filter %.c,$(S2SRC))) \
		-- '$(BUILD)/s2/{}.o' '$(CFLAGS32) -O2 $(S2DEFS) -Iboot/stage2 -c' $(S2_FAST) \
		$(foreach f,$(HOST_C),-- '$(BUILD)/host/$(basename $(notdir $f)).o/{}.o' \
			'$(HOST_CC) $(HOST_CFLAGS) $(call host_field,$(basename $(notdir $f)),CFLAGS) -c' $f)

.PHONY: vscode
vscode: ## .vscode/ with tasks and launch configurations; leaves changed files alone
	@$(PYTHON) tools/vscode.py $(BUILD)
