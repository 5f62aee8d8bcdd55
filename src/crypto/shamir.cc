#include "crypto/shamir.h"

#include <algorithm>
#include <string>

#include "crypto/gf256.h"
#include "crypto/hash.h"

namespace cc::crypto {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kWidth = 64;  // secret ‖ SHA-256(secret)
constexpr std::uint8_t kHashSha256 = 2;
constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kHeaderBytes = kIdBytes + 4;
constexpr std::size_t kShareBytes = 1 + kWidth;
constexpr std::size_t kWireBytes = kHeaderBytes + kShareBytes;

// Each x once, none zero: x = 0 is where the secret lies, and a repeated x has no Lagrange weight.
Result<void> check_indices(std::span<const std::uint8_t> xs) {
  if (xs.empty()) {
    return fail(ErrorKind::members_invalid, "no share was given");
  }
  std::array<bool, 256> seen{};
  for (const std::uint8_t x : xs) {
    if (x == 0) {
      return fail(ErrorKind::members_invalid, "a share carries index 0; indices start at 1");
    }
    if (std::exchange(seen[x], true)) {
      return fail(ErrorKind::members_invalid, "share " + std::to_string(x) + " was given twice");
    }
  }
  return {};
}

tl::unexpected<Error> malformed(const std::string& why) {
  return fail(ErrorKind::malformed_request, "not a share of this signer: " + why);
}

}  // namespace

Result<std::vector<Share>> split(const Secret<32>& secret, unsigned m, unsigned n, Random& random) {
  if (m < 1 || m > n || n > 255) {
    return fail(ErrorKind::threshold_invalid,
                "a threshold needs 1 <= m <= n <= 255, not " + std::to_string(m) + " of " + std::to_string(n));
  }
  SecretBytes coefficients(m * kWidth);
  const auto rows = expose_secret_bytes(coefficients);
  const auto secret_bytes = expose_secret_bytes(secret);
  Digest digest = sha256(secret_bytes);
  std::copy(secret_bytes.begin(), secret_bytes.end(), rows.begin());
  std::copy(digest.begin(), digest.end(), rows.begin() + kSecretBytes);
  wipe(digest);
  if (m > 1) {
    random.fill(rows.subspan(kWidth));
  }
  std::vector<Share> shares(n);
  for (unsigned i = 0; i < n; ++i) {
    shares[i].index = static_cast<std::uint8_t>(i + 1);
    gf256::evaluate(rows, shares[i].index, expose_secret_bytes(shares[i].value));
  }
  return shares;
}

Result<Secret<32>> combine(std::span<const Share> shares) {
  std::vector<std::uint8_t> xs(shares.size());
  std::transform(shares.begin(), shares.end(), xs.begin(), [](const Share& share) { return share.index; });
  CC_TRY(check_indices(xs));
  Secret<kWidth> sum;
  const auto sum_bytes = expose_secret_bytes(sum);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    gf256::add_scaled(sum_bytes, gf256::weight_at_zero(xs, i), expose_secret_bytes(shares[i].value));
  }
  const auto secret_bytes = sum_bytes.first<kSecretBytes>();
  Digest digest = sha256(secret_bytes);
  const bool holds = equal_constant_time(digest, sum_bytes.last<32>());
  wipe(digest);
  if (!holds) {
    return fail(
        ErrorKind::share_mismatch,
        "the shares do not form a secret together: one of them is wrong or of another set, or they are too few");
  }
  return Secret<32>::copy_of(secret_bytes);
}

SecretBytes to_rtss(const Share& share, const ShareId& id, unsigned m) {
  SecretBytes out(kWireBytes);
  const auto bytes = expose_secret_bytes(out);
  const auto value = expose_secret_bytes(share.value);
  const std::array<std::uint8_t, 5> header = {kHashSha256, static_cast<std::uint8_t>(m), 0, kShareBytes, share.index};
  auto at = std::copy(id.begin(), id.end(), bytes.begin());
  at = std::copy(header.begin(), header.end(), at);
  std::copy(value.begin(), value.end(), at);
  return out;
}

Result<RtssShare> from_rtss(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != kWireBytes) {
    return malformed("it has " + std::to_string(bytes.size()) + " bytes instead of " + std::to_string(kWireBytes));
  }
  const auto header = bytes.subspan(kIdBytes, 5);
  if (header[0] != kHashSha256) {
    return malformed("its check is not SHA-256");
  }
  if (header[1] == 0) {
    return malformed("its threshold is 0");
  }
  if (header[2] != 0 || header[3] != kShareBytes) {
    return malformed("it does not carry a 32-byte secret");
  }
  if (header[4] == 0) {
    return malformed("its index is 0");
  }
  return RtssShare{to_array<kIdBytes>(bytes.first(kIdBytes)), header[1],
                   Share{header[4], Secret<kWidth>::copy_of(bytes.subspan(kHeaderBytes + 1).first<kWidth>())}};
}

}  // namespace cc::crypto
