#include "crypto/distinct_messages.h"

#include <blst.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "crypto/distinct_pass.h"
#include "crypto/field_blst.h"
#include "crypto/odd_multiples.h"
#include "crypto/pass_inputs.h"

namespace cc::crypto {
namespace {

using distinct::kInversions;
using distinct::kPassMessages;
using Pass = distinct::Pass<same_message::BlstField>;

// What one call keeps in locked memory, beside the pass's own.
struct Held {
  std::uint64_t digits[distinct::kParts][kPassMessages];
  std::uint64_t flips[kPassMessages];
  blst_fp2 blinds[kInversions];
  std::uint8_t random[kInversions * kBlindBytes];
  blst_scalar key;
};

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kHeldBytes = (sizeof(Held) + kCacheLine - 1) / kCacheLine * kCacheLine;

void sign_pass(std::span<const MessageAndKey> entries, std::span<blst_p2_affine> points, LockedScratch& scratch,
               Held& held, Random& random, Declassified declassified) {
  static const same_message::Windows windows = same_message::windows_of(WindowLayout::w5);
  std::vector<blst_p2> messages;
  messages.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    messages.push_back(same_message::point_of(*entries[i].message));
    read_key(held.digits[0] + i, kPassMessages, held.flips[i], *entries[i].secret, *entries[i].recoded);
  }
  const std::vector<blst_p2_affine> tables = same_message::odd_multiples(messages, distinct::kWindowBits);
  draw_blinds(held.blinds, held.random, random);
  distinct::PassOrder order;
  order.windows = &windows;
  order.messages = entries.size();
  order.tables = tables.data();
  order.digits = held.digits[0];
  order.flips = held.flips;
  order.blinds = held.blinds;
  order.memory = scratch.data() + kHeldBytes;
  order.out = points.data();
  order.declassified = declassified;
  Pass(order).run();
}

bool made_by_blst_too(const MessageAndKey& entry, const blst_p2_affine& point, Held& held, Declassified declassified) {
  blst_scalar_from_bendian(&held.key, expose_secret_bytes(entry.secret->bytes()).data());
  const blst_p2 message = same_message::point_of(*entry.message);
  blst_p2 expected;
  blst_sign_pk_in_g1(&expected, &message, &held.key);
  if (declassified != nullptr) {
    declassified(&expected, sizeof(expected));
  }
  blst_p2 made;
  blst_p2_from_affine(&made, &point);
  return blst_p2_is_equal(&made, &expected);
}

bool on_the_curve(const blst_p2_affine& point) {
  return blst_p2_affine_on_curve(&point) && !blst_p2_affine_is_inf(&point);
}

std::size_t any_below(std::size_t count, Random& random) {
  std::uint64_t number = 0;
  const auto bytes = random.array<sizeof(number)>();
  std::memcpy(&number, bytes.data(), sizeof(number));
  return static_cast<std::size_t>(number % count);
}

}  // namespace

DistinctScratch::DistinctScratch() : LockedScratch(kHeldBytes + Pass::kMemory) {}

bool sign_distinct(std::span<const MessageAndKey> entries, std::span<BlsSignature> signatures, DistinctScratch& scratch,
                   Random& random, Declassified declassified) {
  if (entries.empty()) {
    return true;
  }
  Held& held = *new (scratch.data()) Held;
  std::vector<blst_p2_affine> points(entries.size());
  // Passes of one size as nearly as can be.
  const std::size_t passes = (entries.size() + kPassMessages - 1) / kPassMessages;
  for (std::size_t pass = 0; pass < passes; ++pass) {
    const std::size_t begin = entries.size() * pass / passes;
    const std::size_t count = entries.size() * (pass + 1) / passes - begin;
    sign_pass(entries.subspan(begin, count), std::span(points).subspan(begin, count), scratch, held, random,
              declassified);
  }
  // From here on the points are signatures.
  if (declassified != nullptr) {
    declassified(points.data(), points.size() * sizeof(points[0]));
  }
  const std::size_t again = any_below(points.size(), random);
  const bool held_good =
      std::ranges::all_of(points, on_the_curve) && made_by_blst_too(entries[again], points[again], held, declassified);
  for (std::size_t i = 0; held_good && i < points.size(); ++i) {
    blst_p2_affine_compress(signatures[i].data(), &points[i]);
  }
  wipe({reinterpret_cast<std::uint8_t*>(points.data()), points.size() * sizeof(points[0])});
  scratch.scrub();
  return held_good;
}

}  // namespace cc::crypto
