#!/bin/sh
# toolchain.sh - build x86_64-elf binutils and a C-only gcc from Debian's source packages.
#
# usage: tools/toolchain.sh PREFIX WORKDIR
# PREFIX is where it is installed, WORKDIR where it is built; WORKDIR is removed at the end.  No
# headers and no libgcc: the kernel uses neither.  Run again after an interruption, it goes on with
# the first step that is not finished.  docs/toolchain.md has the figures.
set -eu

TARGET=x86_64-elf
SOURCES=${TOOLCHAIN_SOURCES:-/usr/src}	# the tests put other sources here
WORK_MIB=850				# measured: 730 at the end, 58 installed
PREFIX_MIB=70
MINUTES=10				# on 2 idle cores

die() {
	echo "toolchain: $*" >&2
	exit 1
}

say() {
	echo "toolchain: $*"
}

# --- before anything is built ---------------------------------------------------------------------
# Folder $1 as an absolute path; it need not exist.  configure takes no blank in either path.
absolute() {
	case $1 in
	/*) path=$1 ;;
	*) path=$PWD/$1 ;;
	esac
	case $path in
	*[!A-Za-z0-9/._+@-]*) die "gcc cannot be built with such characters in a path: $path" ;;
	esac
	echo "$path"
}

# The folder itself, or the nearest one above that exists.
existing() {
	path=$1
	while [ ! -d "$path" ]; do path=$(dirname "$path"); done
	echo "$path"
}

free_mib() {
	df -Pk "$(existing "$1")" | awk 'NR == 2 { print int($4 / 1024) }'
}

device_of() {
	df -Pk "$(existing "$1")" | awk 'NR == 2 { print $1 }'
}

need_space() {
	free=$(free_mib "$1")
	[ "$free" -ge "$2" ] || die "$1 has $free MiB free; $2 MiB are needed"
}

# What an interrupted build left in the work folder is room that it has already.
check_space() {
	work_mib=$((WORK_MIB - $(du -sm "$work" | cut -f1)))
	if [ "$(device_of "$work")" = "$(device_of "$prefix")" ]; then
		need_space "$work" $((work_mib + PREFIX_MIB))
	else
		need_space "$work" $work_mib
		need_space "$prefix" $PREFIX_MIB
	fi
}

check_writable() {
	mkdir -p "$1" 2> /dev/null && probe=$(mktemp "$1/.probe.XXXXXX" 2> /dev/null) ||
		die "$1 cannot be written to; choose another folder with PREFIX=, or become root"
	rm -f "$probe"
}

# --- the steps ------------------------------------------------------------------------------------
# logged LOG COMMAND...: run it; when it fails, show the first error and the end of the log.
logged() {
	log=$work/$1
	shift
	if "$@" > "$log" 2>&1; then return 0; fi
	grep -m 1 -n -E '(^|[ :])(error|Error)[: ]' "$log" >&2 || true
	echo "..." >&2
	tail -n 20 "$log" >&2
	die "failed: $*; the whole log: $log"
}

# step NAME TEXT COMMAND...: run it once; the stamp WORKDIR/NAME.done says that it is finished.
step() {
	stamp=$work/$1.done
	if [ -e "$stamp" ]; then
		say "$2: done before"
		return
	fi
	say "$2 ..."
	begin=$(date +%s)
	shift 2
	"$@"
	touch "$stamp"
	say "    $(($(date +%s) - begin)) s, $(du -sm "$work" | cut -f1) MiB in $work"
}

# Test suites, other languages and run-time libraries are half of the bytes, most of the files.
unpack() {
	rm -rf "$work/$1" "$work/build-$1"
	mkdir "$work/$1" "$work/build-$1"
	logged "unpack-$1.log" tar -xf "$2" -C "$work/$1" --strip-components=1 \
		--exclude='*/testsuite/*/*' --exclude='gcc-*/gcc/ada' --exclude='gcc-*/gcc/d/dmd' \
		--exclude='gcc-*/libstdc++-v3' --exclude='gcc-*/libgo' --exclude='gcc-*/libphobos' \
		--exclude='gcc-*/libsanitizer' --exclude='gcc-*/libgfortran' --exclude='gcc-*/libada'
	[ "$1" != gcc ] || provide_tm_texi
}

# The -dfsg tarball lacks the documents that this rule would compare with: it becomes empty.
provide_tm_texi() {
	sed -i 's/^s-tm-texi: .*/s-tm-texi:/; /^s-tm-texi:$/,/^$/{/^\t/d}' "$work/gcc/gcc/Makefile.in"
}

# configure NAME OPTION...
configure() {
	name=$1
	shift
	cd "$work/build-$name"
	logged "configure-$name.log" "../$name/configure" --target=$TARGET --prefix="$prefix" \
		--disable-nls --disable-plugin --without-zstd CFLAGS=-O2 CXXFLAGS=-O2 MAKEINFO=true "$@"
}

build_binutils() {
	configure binutils --disable-werror --disable-gdb --disable-gdbserver --disable-sim \
		--disable-gprof --disable-gprofng --with-sysroot
	logged make-binutils.log make -j"$jobs" MAKEINFO=true all
	logged install-binutils.log make MAKEINFO=true install-strip
}

build_gcc() {
	configure gcc --enable-languages=c --without-headers --without-isl --disable-lto \
		--disable-bootstrap --disable-libcc1
	logged make-gcc.log make -j"$jobs" MAKEINFO=true all-gcc
	logged install-gcc.log make MAKEINFO=true install-strip-gcc
}

# What the kernel and the loader need: 64 and 32-bit freestanding code, linked without a library.
check_result() {
	gcc=$prefix/bin/$TARGET-gcc
	dir=$(mktemp -d)
	printf '%s\n' '#include <stdint.h>' '#include <stdarg.h>' 'uint64_t square(uint64_t x);' \
		'uint64_t square(uint64_t x) { return x * x; }' > "$dir/a.c"
	for mode in 64:elf_x86_64 32:elf_i386; do
		"$gcc" -m${mode%:*} -O2 -Wall -Werror -ffreestanding -c "$dir/a.c" -o "$dir/a.o" &&
			"$prefix/bin/$TARGET-ld" -m ${mode#*:} -nostdlib -e square "$dir/a.o" -o "$dir/a" &&
			"$prefix/bin/$TARGET-nm" "$dir/a" | grep -q ' T square$' || {
			rm -rf "$dir"
			return 1
		}
	done
	rm -rf "$dir"
}

# --- all of it ------------------------------------------------------------------------------------
hint() {
	version=$("$prefix/bin/$TARGET-gcc" --version | head -n 1)
	say "$version: $(du -sm "$prefix" | cut -f1) MiB in $prefix"
	say "make takes it when it is in the path:"
	echo "    export PATH=$prefix/bin:\$PATH"
}

interrupted() {
	echo
	say "interrupted; the same command goes on from here.  To give up: rm -r $work"
	exit 130
}

# All that can be found before something is built.
check_first() {
	if [ -e "$work" ] && [ ! -e "$work/key" ] && [ -n "$(ls -A "$work")" ]; then
		die "$work is not a folder of this script's; it would be removed at the end"
	fi
	check_writable "$prefix"
	check_writable "$work"
	check_space
	[ -n "${TOOLCHAIN_SOURCES-}" ] || "$tools/setup" toolchain || exit 1
	for source in binutils/binutils gcc-12/gcc-12; do
		ls "$SOURCES/$source"*.tar.xz > /dev/null 2>&1 ||
			die "$SOURCES/$source*.tar.xz is missing; the packages binutils-source and" \
				"gcc-12-source of Debian and Ubuntu bring it"
	done
}

# A changed script, source or target makes what was built before useless.
prepare_work() {
	key="$prefix $(cksum < "$tools/toolchain.sh") \
		$(cksum "$SOURCES"/binutils/*.tar.xz "$SOURCES"/gcc-12/*.tar.xz)"
	if [ "$(cat "$work/key" 2> /dev/null)" != "$key" ]; then
		rm -rf "$work"
		mkdir -p "$work"
		echo "$key" > "$work/key"
	fi
	[ -x "$prefix/bin/$TARGET-ld" ] || rm -f "$work/binutils.done"
}

usage="usage: tools/toolchain.sh PREFIX WORKDIR"
[ "${1-x}" ] || die "PREFIX is empty: give a folder, or leave PREFIX= out"
prefix=$(absolute "${1:?$usage}")
work=$(absolute "${2:?$usage}")
jobs=$(getconf _NPROCESSORS_ONLN)
tools=$(cd "$(dirname "$0")" && pwd)
finished=$prefix/$TARGET/built-by-minos
# What `make` hands down is about the kernel, not about building a compiler.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL BUILD CC CFLAGS CXXFLAGS CPPFLAGS LDFLAGS DEBUG T V

say "$TARGET binutils and gcc from Debian's sources: about $MINUTES minutes on 2 idle cores,"
say "$WORK_MIB MiB in $work while building, $PREFIX_MIB MiB in $prefix for good"
if [ -e "$finished" ] && check_result; then
	say "it is there already; remove $prefix to build it again"
	hint
	exit 0
fi
check_first
prepare_work
trap interrupted INT TERM
start=$(date +%s)
PATH=$prefix/bin:$PATH
step unpack-binutils "unpacking binutils" unpack binutils "$SOURCES"/binutils/binutils-*.tar.xz
step binutils "building binutils" build_binutils
step unpack-gcc "unpacking gcc" unpack gcc "$SOURCES"/gcc-12/gcc-12*.tar.xz
step gcc "building gcc" build_gcc
check_result || die "$prefix/bin/$TARGET-gcc does not compile and link a small program; see above"
touch "$finished"
cd /
rm -rf "$work"
say "done in $((($(date +%s) - start + 30) / 60)) minutes; $work is removed"
hint
