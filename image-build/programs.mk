# Our own programs: what they are made of, for the target and for this machine.
#
# A folder's *.c make a library of that folder; main.c and NAME-main.c are left out of it, they make
# the program. The linker takes from a library only the objects that are asked for.

# $(call folder,FOLDER,FOLDERS IT MAY INCLUDE,LIBRARIES)
# The layering test (tests/lint) reads these lines, so that they say who may include whom.
$(call folder,init/base,,)
$(call folder,init/pid1,init/base,)
$(call folder,init/pid1/console,init/base init/pid1,)
$(call folder,init/download,init/base,)
$(call folder,init/download/program,init/base,curl mbedtls mbedx509 mbedcrypto)
$(call folder,init/bootcfg,init/base init/download,yaml yyjson z)
$(call folder,init/netboot,init/base,)
$(call folder,init/netup,init/base,yyjson)
$(call folder,init/logsend,init/base,yyjson)
$(call folder,init/update,init/base init/download,yyjson sodium zstd)
$(call folder,runtime/spec,init/base,yyjson)
$(call folder,runtime/image,init/base,yyjson)
$(call folder,runtime/net,init/base,yyjson)
$(call folder,runtime/dns,init/base,)
$(call folder,runtime/oci,init/base runtime/spec,yyjson seccomp cap)
$(call folder,runtime/init,,)
$(call folder,runtime/shim,init/base runtime/image,)
$(call folder,runtime/unpack,init/base runtime/image,archive zstd z yyjson)
$(call folder,runtime/fetch,init/base,yyjson)
$(call folder,runtime/fetch/program,init/base runtime/image runtime/fetch,curl mbedtls mbedx509 \
	mbedcrypto)
$(call folder,runtime/tls,init/base,yyjson mbedtls mbedx509 mbedcrypto)
$(call folder,runtime/engine,init/base runtime/spec runtime/image runtime/net,yyjson)
$(call folder,runtime/api,init/base runtime/engine,yyjson microhttpd)
$(call folder,runtime/cli,init/base,yyjson)

# $(call program,NAME,FOLDER OF ITS MAIN,PATH IN THE IMAGE)
$(call program,init,init/pid1,usr/bin/init)
$(call program,console,init/pid1/console,usr/lib/berth/console)
$(call program,datavol,init/update,usr/lib/berth/datavol)
$(call program,disks,init/update,usr/lib/berth/disks)
$(call program,update,init/update,usr/lib/berth/update)
$(call program,install,init/update,usr/lib/berth/install)
$(call program,download,init/download/program,usr/lib/berth/download)
$(call program,bootcfg,init/bootcfg,usr/lib/berth/bootcfg)
$(call program,netup,init/netup,usr/lib/berth/netup)
$(call program,logsend,init/logsend,usr/lib/berth/logsend)
$(call program,engine,runtime/api,usr/lib/berth/engine)
$(call program,api-tls,runtime/tls,usr/lib/berth/api-tls)
$(call program,store,runtime/unpack,usr/lib/berth/store)
$(call program,fetch,runtime/fetch/program,usr/lib/berth/fetch)
$(call program,shim,runtime/shim,usr/lib/berth/shim)
$(call program,container-init,runtime/init,usr/lib/berth/container-init)
$(call program,dns,runtime/dns,usr/lib/berth/dns)
$(call program,berth-oci,runtime/oci,usr/bin/berth-oci)
$(call program,berth,runtime/cli,usr/bin/berth)

# $(call host_program,NAME,FOLDER OF ITS MAIN): what the build, or a person at a build machine, runs
$(call host_program,bootcfg,init/bootcfg)
$(call host_program,unpack,runtime/unpack)

# $(call boot_program,NAME,FOLDER OF ITS MAIN): for the target, but not in its root
$(call boot_program,netboot,init/netboot)
