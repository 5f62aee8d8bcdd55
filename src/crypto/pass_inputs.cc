#include "crypto/pass_inputs.h"

#include <array>
#include <cstring>

#include "crypto/bls.h"

namespace cc::crypto {
namespace {

constexpr std::size_t kFieldBytes = kBlindBytes / 2;

blst_fp random_field_element(std::uint8_t* bytes) {
  bytes[kFieldBytes - 1] &= 0x0F;
  blst_fp out;
  blst_fp_from_lendian(&out, bytes);
  return out;
}

}  // namespace

void draw_blinds(std::span<blst_fp2> blinds, std::span<std::uint8_t> bytes, Random& random) {
  random.fill(bytes.first(blinds.size() * kBlindBytes));
  for (std::size_t i = 0; i < blinds.size(); ++i) {
    std::uint8_t* const own = bytes.data() + i * kBlindBytes;
    blinds[i] = {{random_field_element(own), random_field_element(own + kFieldBytes)}};
  }
}

void read_key(std::uint64_t* digits, std::size_t stride, std::uint64_t& flip, const BlsSecretKey& secret,
              const RecodedKey& recoded) {
  std::array<std::uint64_t, 4> own;
  static_assert(sizeof(own) == Secret<32>::kSize);
  std::memcpy(own.data(), expose_secret_bytes(recoded.digits()).data(), sizeof(own));
  for (std::size_t part = 0; part < own.size(); ++part) {
    digits[part * stride] = own[part];
  }
  flip = ~std::uint64_t{expose_secret_bytes(secret.bytes())[31]} & 1;
  wipe({reinterpret_cast<std::uint8_t*>(own.data()), sizeof(own)});
}

}  // namespace cc::crypto
