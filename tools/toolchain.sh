#!/bin/sh
# toolchain.sh - build x86_64-elf binutils and a C-only gcc from Debian's source packages.
#
# usage: tools/toolchain.sh PREFIX [WORKDIR]
# Needs the packages binutils-source, gcc-12-source, libgmp-dev, libmpfr-dev, libmpc-dev, flex,
# bison, texinfo (tools/setup --toolchain).  Takes about 10 minutes on 2 idle cores, 2 GiB of disk
# while building and 350 MiB afterwards.  No headers and no libgcc: the kernel uses neither.
set -eu

prefix=${1:?usage: tools/toolchain.sh PREFIX [WORKDIR]}
work=${2:-build/toolchain}
jobs=$(nproc)
target=x86_64-elf

case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
for tar in /usr/src/binutils/binutils-*.tar.xz /usr/src/gcc-12/gcc-12*.tar.xz; do
	if [ ! -f "$tar" ]; then
		echo "toolchain: $tar is missing; run tools/setup --toolchain first" >&2
		exit 1
	fi
done
echo "toolchain: building $target binutils and gcc into $prefix (about 10 minutes on 2 idle" \
	"cores, 2 GiB in $work, 350 MiB installed)"

mkdir -p "$work"
work=$(cd "$work" && pwd)
cd "$work"
rm -rf binutils gcc && mkdir binutils gcc
tar -xf /usr/src/binutils/binutils-*.tar.xz -C binutils --strip-components=1
tar -xf /usr/src/gcc-12/gcc-12*.tar.xz -C gcc --strip-components=1

# The -dfsg tarball lacks the GFDL documents that this rule would compare with: provide its stamp.
sed -i 's/^s-tm-texi: .*/s-tm-texi:/; /^s-tm-texi:$/,/^$/{/^\t/d}' gcc/gcc/Makefile.in

mkdir -p build-binutils build-gcc
(cd build-binutils && ../binutils/configure --target=$target --prefix="$prefix" --disable-nls \
	--disable-werror --disable-gdb --disable-gprofng --with-sysroot --quiet &&
	make -j"$jobs" MAKEINFO=true >make.log 2>&1 && make install MAKEINFO=true >>make.log 2>&1)
PATH=$prefix/bin:$PATH
export PATH
(cd build-gcc && ../gcc/configure --target=$target --prefix="$prefix" --disable-nls \
	--enable-languages=c --without-headers --disable-lto --disable-bootstrap --quiet \
	--disable-plugin --disable-libcc1 &&
	make -j"$jobs" MAKEINFO=true all-gcc >make.log 2>&1 && make install-gcc MAKEINFO=true >>make.log 2>&1)
echo "toolchain: done: $("$prefix/bin/$target-gcc" --version | head -n 1)"
echo "toolchain: use it with:  PATH=$prefix/bin:\$PATH make"
