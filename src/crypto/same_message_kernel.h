// The arithmetic behind a table, chosen at run time. Internal to crypto.
#pragma once

#include <cstddef>

#include "crypto/same_message.h"
#include "crypto/same_message_pass.h"

namespace cc::crypto::same_message {

struct Kernel {
  std::size_t entry_bytes;  // of one table entry
  std::size_t memory;       // that a pass needs
  // The entries of one window, from blst's points in the kernel's own form.
  void (*convert)(const blst_p2_affine* points, std::size_t count, std::byte* out);
  void (*run)(const PassOrder& order, const std::byte* table);
};

// Null when this build has no such kernel, or this machine cannot run it.
const Kernel* kernel(SigningKernel which);

template <class Field>
constexpr Kernel kernel_of() {
  using Entry = typename Field::Entry;
  return {sizeof(Entry), Pass<Field>::kMemory,
          [](const blst_p2_affine* points, std::size_t count, std::byte* out) {
            Field::convert(points, count, reinterpret_cast<Entry*>(out));
          },
          [](const PassOrder& order, const std::byte* table) {
            Pass<Field>(order, reinterpret_cast<const Entry*>(table)).run();
          }};
}

// In a file compiled for its instructions; null where the compiler has none of them. And the same over integers.
extern const Kernel* const kIfmaKernel;
extern const Kernel* const kEmulatedIfmaKernel;

}  // namespace cc::crypto::same_message
