#include "adapters/localkek/local_kek.h"

#include <algorithm>

#include "adapters/localkek/kek_file.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

namespace cc::localkek {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kIdBytes = 8;

struct Keys {
  Secret<32> wrapping;
  std::array<std::uint8_t, kIdBytes> id{};
};

Keys keys_of(const Secret<32>& kek) {
  const auto ikm = expose_secret_bytes(kek);
  const Secret<32> id = crypto::hkdf_sha256(ikm, {}, bytes_of("cc/v1/local-kek-id"));
  return {crypto::hkdf_sha256(ikm, {}, bytes_of("cc/v1/local-kek")), to_array<kIdBytes>(expose_secret_bytes(id))};
}

// Every key and value with its length, in the order of the keys: one context has one encoding.
Bytes encode_context(const seal::KekContext& context) {
  Bytes out;
  append(out, bytes_of("cc/v1/local-kek-context"));
  append_u16_be(out, static_cast<std::uint16_t>(context.size()));
  for (const auto& [key, value] : context) {
    append_u16_be(out, static_cast<std::uint16_t>(key.size()));
    append(out, bytes_of(key));
    append_u16_be(out, static_cast<std::uint16_t>(value.size()));
    append(out, bytes_of(value));
  }
  return out;
}

}  // namespace

Result<std::string> LocalKekService::canonical_name(const std::string& name) const {
  CC_ASSIGN(seal::KekName parsed, seal::parse_kek_name(name));
  return std::move(parsed.canonical);
}

Result<std::filesystem::path> LocalKekService::file_of(const std::string& name) const {
  CC_ASSIGN(const seal::KekName parsed, seal::parse_kek_name(name));
  if (parsed.scheme != seal::KekScheme::local) {
    return fail(ErrorKind::unsupported, "this build has no adapter for " + std::string(seal::name(parsed.scheme)) +
                                            " yet; use local://NAME, or a build that has one");
  }
  return directory_ / parsed.local_name;
}

Result<void> LocalKekService::prepare(const std::string& name) {
  CC_ASSIGN(const std::filesystem::path file, file_of(name));
  const std::lock_guard lock(creating_);
  auto found = read_kek_file(file);
  if (found || found.error().kind != ErrorKind::kms_missing) {
    return found ? Result<void>() : Result<void>(fail(found.error()));
  }
  CC_TRY(create(file));
  found = read_kek_file(file);
  return found ? Result<void>() : Result<void>(fail(found.error()));
}

Result<void> LocalKekService::create(const std::filesystem::path& file) {
  CC_TRY(create_kek_directory(directory_));
  return create_kek_file(file, random_);
}

Result<Bytes> LocalKekService::wrap(const std::string& name, const seal::KekContext& context,
                                    const SecretBytes& share) {
  CC_ASSIGN(const std::filesystem::path file, file_of(name));
  CC_ASSIGN(const Secret<32> kek, read_kek_file(file));
  const Keys keys = keys_of(kek);
  Bytes out{kVersion};
  append(out, keys.id);
  append(out, crypto::seal_box(keys.wrapping, encode_context(context), expose_secret_bytes(share), random_));
  return out;
}

Result<SecretBytes> LocalKekService::unwrap(const std::string& name, const seal::KekContext& context,
                                            ByteView wrapped) {
  CC_ASSIGN(const std::filesystem::path file, file_of(name));
  CC_ASSIGN(const Secret<32> kek, read_kek_file(file));
  const Keys keys = keys_of(kek);
  if (wrapped.size() < 1 + kIdBytes || wrapped.front() != kVersion) {
    return fail(ErrorKind::kms_mismatch, "this share was not wrapped by a local KEK");
  }
  if (!std::ranges::equal(wrapped.subspan(1, kIdBytes), keys.id)) {
    return fail(ErrorKind::kms_mismatch,
                "this share was wrapped by another key; restore " + file.string() + " from the backup of that time");
  }
  auto share = crypto::open_box(keys.wrapping, encode_context(context), wrapped.subspan(1 + kIdBytes));
  if (!share) {
    return fail(ErrorKind::kms_mismatch, "this share was wrapped for another place, or was altered");
  }
  return share;
}

}  // namespace cc::localkek
