#include "crypto/password.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <bit>
#include <string>

namespace cc::crypto {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::size_t kLongestOutput = 1024;
constexpr std::size_t kLongestPassword = std::size_t{1} << 20;
// n·r·p, 16 times the work that EIP-2335 prescribes (n = 2^18, r = 8, p = 1).
constexpr std::uint64_t kMostScryptWork = 1ULL << 25;

// libsodium picks its fast code paths here; a failure means that it must not be used.
bool sodium_ready() {
  static const bool ready = sodium_init() >= 0;
  return ready;
}

// The libraries want a pointer that is not null, also for nothing.
constexpr std::uint8_t kNothing = 0;
const std::uint8_t* pointer(ByteView bytes) { return bytes.empty() ? &kNothing : bytes.data(); }

Result<void> check_sizes(const SecretBytes& password, ByteView salt, std::size_t size) {
  if (size == 0 || size > kLongestOutput) {
    return fail(ErrorKind::keystore_invalid,
                "the derived key length must be 1 to " + std::to_string(kLongestOutput) + " bytes");
  }
  if (password.size() > kLongestPassword || salt.size() > kLongestPassword) {
    return fail(ErrorKind::keystore_invalid, "the password and the salt may be at most 1 MiB long");
  }
  return {};
}

Result<SecretBytes> pbkdf2(const EVP_MD* digest, const SecretBytes& password, ByteView salt, std::uint32_t iterations,
                           std::size_t size) {
  constexpr std::uint32_t kMostIterations = 10'000'000;
  CC_TRY(check_sizes(password, salt, size));
  if (iterations == 0 || iterations > kMostIterations) {
    return fail(ErrorKind::keystore_invalid, "PBKDF2 iterations must be 1 to " + std::to_string(kMostIterations));
  }
  SecretBytes out(size);
  const auto password_bytes = expose_secret_bytes(password);
  if (PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(pointer(password_bytes)), static_cast<int>(password_bytes.size()),
                        pointer(salt), static_cast<int>(salt.size()), static_cast<int>(iterations), digest,
                        static_cast<int>(size), expose_secret_bytes(out).data()) != 1) {
    return fail(ErrorKind::internal, "PBKDF2 could not run: the machine is out of memory");
  }
  return out;
}

}  // namespace

Result<Secret<64>> argon2id(const SecretBytes& password, ByteView salt16, const Argon2Params& params) {
  constexpr std::uint32_t kLeastKib = 8 * 1024;
  constexpr std::uint32_t kMostKib = 1024 * 1024;
  constexpr std::uint32_t kMostPasses = 16;
  if (salt16.size() != crypto_pwhash_argon2id_SALTBYTES) {
    return fail(ErrorKind::record_malformed, "the Argon2id salt must be 16 bytes");
  }
  if (params.memory_kib < kLeastKib || params.memory_kib > kMostKib || params.passes == 0 ||
      params.passes > kMostPasses || params.lanes != 1) {
    return fail(ErrorKind::record_malformed,
                "the Argon2id parameters are out of range (8 MiB to 1 GiB, 1 to 16 passes, 1 lane): " +
                    std::to_string(params.memory_kib) + " KiB, " + std::to_string(params.passes) + " passes, " +
                    std::to_string(params.lanes) + " lanes");
  }
  Secret<64> out;
  const auto password_bytes = expose_secret_bytes(password);
  if (!sodium_ready() ||
      crypto_pwhash_argon2id(expose_secret_bytes(out).data(), 64,
                             reinterpret_cast<const char*>(pointer(password_bytes)), password_bytes.size(),
                             salt16.data(), params.passes, std::size_t{params.memory_kib} * 1024,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return fail(ErrorKind::internal, "Argon2id could not get " + std::to_string(params.memory_kib) +
                                         " KiB of memory: give the process more, then try again");
  }
  return out;
}

Result<SecretBytes> scrypt(const SecretBytes& password, ByteView salt, std::uint64_t n, std::uint32_t r,
                           std::uint32_t p, std::size_t size) {
  CC_TRY(check_sizes(password, salt, size));
  const bool n_valid = std::has_single_bit(n) && n >= 2 && n <= (1ULL << 20);
  if (!n_valid || r == 0 || p == 0 || 128 * n * r > kGiB || std::uint64_t{r} * p > kMostScryptWork / n) {
    return fail(
        ErrorKind::keystore_invalid,
        "the scrypt parameters are out of range: n must be a power of two from 2 to 2^20, 128*n*r at most 1 GiB, "
        "n*r*p at most 2^25");
  }
  SecretBytes out(size);
  const auto password_bytes = expose_secret_bytes(password);
  if (!sodium_ready() ||
      crypto_pwhash_scryptsalsa208sha256_ll(pointer(password_bytes), password_bytes.size(), pointer(salt), salt.size(),
                                            n, r, p, expose_secret_bytes(out).data(), size) != 0) {
    return fail(ErrorKind::internal, "scrypt could not get its memory: give the process more, then try again");
  }
  return out;
}

Result<SecretBytes> pbkdf2_sha256(const SecretBytes& password, ByteView salt, std::uint32_t iterations,
                                  std::size_t size) {
  return pbkdf2(EVP_sha256(), password, salt, iterations, size);
}

Result<SecretBytes> pbkdf2_sha512(const SecretBytes& password, ByteView salt, std::uint32_t iterations,
                                  std::size_t size) {
  return pbkdf2(EVP_sha512(), password, salt, iterations, size);
}

}  // namespace cc::crypto
