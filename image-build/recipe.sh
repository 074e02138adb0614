# The one recipe of all packages: unpack, patch, configure, build, install. Sourced settings come
# from packages/NAME, which may define functions package_STEP in place of a step's default.
# Runs with: name, top (checkout), record (the source's lock entry), work (private directory with
# sysroot/, source/, root/), cache. Its text is part of every package's key.
here=$top/image-build
needs='' style=autotools kind=target source=$name inputs='' subdir=. optimize=-Os
configure='' make_args='' install_args='' files=''
. "$here/packages/$name"

SYSROOT=$work/sysroot
SRC=$work/source
OBJ=$work/object
DEST=$work/root
export LC_ALL=C TZ=UTC KBUILD_BUILD_USER=berth KBUILD_BUILD_HOST=berth
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1}"
umask 022

# The job server comes from the make above; variables given on its command line do not.
servers=$(printf '%s\n' "${MAKEFLAGS:-}" | tr ' ' '\n' | grep -E '^(-j|--jobserver)' | tr '\n' ' ')
case $servers in
*--jobserver*) export MAKEFLAGS=" $servers" ;;
*) export MAKEFLAGS="-j$(nproc)" ;;
esac
unset MAKEOVERRIDES MFLAGS MAKELEVEL

# Kinds: target (musl, static), base (what the sysroot begins with, and the kernel) and host (tools
# that run on this machine).
export HOSTCC=gcc BUILD_CC=gcc LDFLAGS='' CC=gcc AR=gcc-ar RANLIB=gcc-ranlib
CFLAGS="$optimize -pipe -g0 -ffile-prefix-map=$SRC=/usr/src/$name"
slim="-ffunction-sections -fdata-sections -fstack-protector-strong \
-fno-asynchronous-unwind-tables -fno-unwind-tables"
host_option=''
case $kind in
target)
	export BERTH_SYSROOT="$SYSROOT" CC="$here/toolchain/berth-cc" LDFLAGS=-static
	export PKG_CONFIG_LIBDIR="$SYSROOT/usr/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$SYSROOT"
	CFLAGS="$CFLAGS -ffile-prefix-map=$SYSROOT= $slim"
	host_option=--host=x86_64-linux-musl
	;;
base) CFLAGS="$CFLAGS $slim" ;;
esac
export CFLAGS

step_unpack() {
	file=$(sed -n 's/^File: //p' "$record")
	[ -e "$cache/sources/$file" ] || "$here/fetch" "$source"
	tar -xf "$cache/sources/$file" -C "$SRC" --strip-components=1 --no-same-owner
}

step_patch() {
	for each in "$here/patches/$source"/*.patch; do
		[ ! -e "$each" ] || patch -d "$SRC" -p1 --forward --no-backup-if-mismatch <"$each"
	done
}

step_configure() {
	[ "$style" = autotools ] || return 0
	# shellcheck disable=SC2086 # lists of words
	./configure $host_option --prefix=/usr --disable-shared --enable-static \
		--disable-dependency-tracking --disable-nls $configure
}

step_build() {
	# shellcheck disable=SC2086
	make $make_args
}

step_install() {
	# shellcheck disable=SC2086
	make DESTDIR="$DEST" $make_args $install_args install
}

# libtool's .la files name build paths; manuals and locales have no reader in the image.
step_trim() {
	rm -rf "$DEST/usr/share/man" "$DEST/usr/share/info" "$DEST/usr/share/doc" \
		"$DEST/usr/share/locale"
	find "$DEST" -name '*.la' -delete
	for each in $files; do
		[ ! -f "$DEST/$each" ] || [ -h "$DEST/$each" ] ||
			strip --strip-all -R .comment -R .note "$DEST/$each" || :
	done
}

run_step() {
	echo "== $name: $1"
	if command -v "package_$1" >/dev/null; then "package_$1"; else "step_$1"; fi
}

mkdir -p "$OBJ"
cd "$SRC"
run_step unpack
run_step patch
cd "$SRC/$subdir"
for step in configure build install trim; do run_step "$step"; done
