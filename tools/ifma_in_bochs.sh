#!/usr/bin/env bash
# Runs the tests of the AVX-512 IFMA signing kernel, with its real instructions, on a processor that Bochs emulates.
# usage: tools/ifma_in_bochs.sh TEST_CRYPTO [GTEST_FILTER]; works in build/ifma; holds if every ifma case ran and passed.
# IFMA_SECONDS: the longest it may take (default 7200; all cases take half an hour or more).
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=$(realpath "$1")
filter=${2:-SigningKernel.*:SameMessage/EveryWay.*/ifma_*}
work=$here/build/ifma
model=corei3_cnl  # the first of its models with AVX512_IFMA52
# Bochs 2.7 leaves CPUID.0DH sub-leaf 9 (protection keys) empty and sizes compacted XSAVE wrongly; Linux then switches XSAVE
# off, and AVX-512 with it. These are Linux's numbers for xsavec, xsaves, pku, ospke.
without=321,323,515,516

kernel_image() {  # prints the path of Debian's kernel, taken from its package, not installed
  local name
  name=$(apt-cache depends linux-image-cloud-amd64 | sed -nE 's/.*Depends: (linux-image-[0-9].*)/\1/p' | head -n 1)
  if [ ! -d "$work/$name" ]; then
    (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$name" >&2) || {
      echo "cannot fetch $name; apt-get update may help" >&2
      return 1
    }
    dpkg-deb -x "$work/$name"_*.deb "$work/$name.part"
    mv "$work/$name.part" "$work/$name"
    rm "$work/$name"_*.deb
  fi
  ls "$work/$name"/boot/vmlinuz-*
}

# ADOX of Bochs 2.7 carries wrongly, and blst uses it where CPUID has ADX: the copy of the program keeps to blst's code
# for machines without ADX. blst's question is a constructor; here it returns at once (xor eax, eax; ret).
blst_without_adx() {  # blst_without_adx FROM TO
  python3 - "$1" "$2" <<'PY'
import subprocess, sys
source, target = sys.argv[1:]
lines = lambda *command: [l.split() for l in subprocess.check_output(command, text=True).splitlines()]
(address,) = [int(l[0], 16) for l in lines("nm", source) if l[-1:] == ["__blst_cpuid"]]
loads = [[int(word, 16) for word in l[1:5]] for l in lines("readelf", "-lW", source) if l[:1] == ["LOAD"]]
(place,) = [address - start + offset for offset, start, _, size in loads if start <= address < start + size]
data = bytearray(open(source, "rb").read())
data[place:place + 3] = b"\x31\xc0\xc3"
open(target, "wb").write(data)
PY
}

make_disk() {  # a compact disc that boots straight into the tests
  local root=$work/root disc=$work/disc kernel
  kernel=$(kernel_image)
  rm -rf "$root" "$disc"
  mkdir -p "$root"/{bin,dev,proc} "$root$here/tests/vectors" "$disc/isolinux"
  blst_without_adx "$program" "$root/bin/test_crypto"
  strip "$root/bin/test_crypto"
  chmod 755 "$root/bin/test_crypto"
  cp /bin/busybox "$root/bin/busybox"
  cp -r "$here/tests/vectors/crypto" "$root$here/tests/vectors/"
  ldd "$program" | grep -oE '/[^ ]+' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done
  cat >"$root/init" <<TXT
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
exec </dev/null >/dev/ttyS0 2>&1
/bin/busybox grep -m 1 '^model name' /proc/cpuinfo
/bin/busybox grep -m 1 '^flags' /proc/cpuinfo
LD_BIND_NOW=1 /bin/test_crypto --gtest_color=no --gtest_filter='Bls.SignsAsOtherClientsDo:$filter'
echo "test_crypto ended with \$?"
/bin/busybox sleep 1  # until the serial line has sent it all
/bin/busybox poweroff -f
TXT
  chmod 755 "$root/init"
  (cd "$root" && find . | cpio -o -H newc --quiet) >"$disc/initrd"
  cp "$kernel" "$disc/vmlinuz"
  cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$disc/isolinux/"
  cat >"$disc/isolinux/isolinux.cfg" <<TXT
default tests
prompt 0
label tests
  kernel /vmlinuz
  append initrd=/initrd console=ttyS0,115200 quiet loglevel=1 mitigations=off nokaslr clearcpuid=$without
TXT
  genisoimage -quiet -J -R -o "$work/disc.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat \
    -no-emul-boot -boot-load-size 4 -boot-info-table "$disc"
}

run_bochs() {  # until the machine powers itself off; its screen needs a terminal, and nothing listens on a port
  cat >"$work/bochsrc" <<TXT
config_interface: textconfig
display_library: term
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
megs: 512
cpu: model=$model, count=1, ips=100000000, reset_on_triple_fault=0
clock: sync=none
sound: driver=dummy
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=$work/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/serial.log
log: $work/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
TXT
  echo continue >"$work/debugger"  # Debian's build starts in its debugger
  rm -f "$work/serial.log"
  TERM=vt100 script -qec "timeout --foreground ${IFMA_SECONDS:-7200} bochs -q -f $work/bochsrc -rc $work/debugger" \
    /dev/null </dev/null >"$work/screen.log" 2>&1 || true  # powering off is an error to it
}

mkdir -p "$work"
make_disk
started=$SECONDS
run_bochs
tr -d '\r' <"$work/serial.log" >"$work/output.log"
grep -E '^(model name|\[ |test_crypto ended)' "$work/output.log" || true
# The list of cases is the one of the kernel over plain integers, which every machine has.
wanted=$("$program" --gtest_list_tests --gtest_filter="${filter//\/ifma_/\/emulated_ifma_}" | grep -c '^  .*/emulated_ifma_' || true)
ran=$(grep -cE '^\[ +OK \] .*/ifma_[0-9]' "$work/output.log" || true)
echo "$ran of $wanted cases of the ifma kernel passed, $((SECONDS - started)) s; the whole output: ${work#"$here"/}/output.log"
grep -q '^flags.* avx512ifma' "$work/output.log" || { echo "the emulated processor has no AVX-512 IFMA"; exit 1; }
grep -qx 'test_crypto ended with 0' "$work/output.log" && [ "$ran" -gt 0 ] && [ "$ran" -eq "$wanted" ]
