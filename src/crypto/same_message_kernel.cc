#include "crypto/same_message_kernel.h"

#include <cstdlib>

#include "crypto/field_blst.h"

namespace cc::crypto {
namespace same_message {
namespace {

bool machine_has_ifma() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512ifma") != 0;
#else
  return false;
#endif
}

}  // namespace

const Kernel* kernel(SigningKernel which) {
  static const Kernel portable = kernel_of<BlstField>();
  switch (which) {
    case SigningKernel::portable:
      return &portable;
    case SigningKernel::ifma:
      return machine_has_ifma() ? kIfmaKernel : nullptr;
    case SigningKernel::emulated_ifma:
      return kEmulatedIfmaKernel;
  }
  std::abort();
}

}  // namespace same_message

std::string_view name(SigningKernel kernel) {
  switch (kernel) {
    case SigningKernel::portable:
      return "portable";
    case SigningKernel::ifma:
      return "ifma";
    case SigningKernel::emulated_ifma:
      return "emulated_ifma";
  }
  return "?";
}

bool available(SigningKernel which) { return same_message::kernel(which) != nullptr; }

}  // namespace cc::crypto
