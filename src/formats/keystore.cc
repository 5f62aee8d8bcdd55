#include "formats/keystore.h"

#include <openssl/evp.h>

#include <boost/json.hpp>
#include <memory>
#include <new>

#include "crypto/hash.h"
#include "crypto/password.h"
#include "formats/json_shape.h"
#include "formats/unicode.h"

namespace cc::keystore {
namespace {

namespace bj = boost::json;

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kIvBytes = 16;
constexpr std::size_t kLongestSalt = 1024;
constexpr json::Limits kShape{.bytes = std::size_t{64} * 1024, .depth = 8};

struct KdfParams {
  Kdf kdf = Kdf::scrypt;
  std::uint64_t cost = 0;  // n, or iterations
  std::uint32_t r = 8;
  std::uint32_t p = 1;
  std::uint32_t dklen = 32;
  Bytes salt;
};

// The `crypto` object, checked.
struct Envelope {
  KdfParams kdf;
  crypto::Digest checksum{};
  std::array<std::uint8_t, kIvBytes> iv{};
  std::array<std::uint8_t, kSecretBytes> ciphertext{};
};

tl::unexpected<Error> invalid(std::string message) {
  return fail(ErrorKind::keystore_invalid, "keystore: " + std::move(message));
}

Result<const bj::object*> object_at(const bj::object& in, std::string_view name) {
  const bj::value* const value = in.if_contains(name);
  if (value == nullptr || !value->is_object()) {
    return invalid("the object \"" + std::string(name) + "\" is missing");
  }
  return &value->get_object();
}

Result<std::string> text_at(const bj::object& in, std::string_view name, bool required) {
  const bj::value* const value = in.if_contains(name);
  if (value == nullptr && !required) {
    return std::string();
  }
  if (value == nullptr || !value->is_string()) {
    return invalid("the text \"" + std::string(name) + "\" is missing");
  }
  return std::string(value->get_string());
}

Result<void> expect_text(const bj::object& in, std::string_view name, std::string_view wanted) {
  CC_ASSIGN(const std::string found, text_at(in, name, true));
  if (found != wanted) {
    return invalid("\"" + std::string(name) + "\" must be " + std::string(wanted));
  }
  return {};
}

template <class Number>
Result<Number> number_at(const bj::object& in, std::string_view name) {
  const bj::value* const value = in.if_contains(name);
  bj::error_code error;
  const Number out = value == nullptr || value->is_double() ? Number{} : value->to_number<Number>(error);
  if (value == nullptr || value->is_double() || error) {
    return invalid("\"" + std::string(name) + "\" must be a whole number in range");
  }
  return out;
}

Result<void> hex_at(const bj::object& in, std::string_view name, std::span<std::uint8_t> out) {
  CC_ASSIGN(const std::string text, text_at(in, name, true));
  if (auto read = from_hex_exact(text, out); !read) {
    return invalid("\"" + std::string(name) + "\": " + read.error().message);
  }
  return {};
}

Result<KdfParams> read_kdf(const bj::object& crypto_object) {
  CC_ASSIGN(const bj::object* const kdf, object_at(crypto_object, "kdf"));
  CC_ASSIGN(const bj::object* const params, object_at(*kdf, "params"));
  CC_ASSIGN(const std::string function, text_at(*kdf, "function", true));
  KdfParams out;
  CC_ASSIGN(out.dklen, number_at<std::uint32_t>(*params, "dklen"));
  if (out.dklen < 32 || out.dklen > 64) {
    return invalid("\"dklen\" must be 32 to 64");
  }
  if (function == "scrypt") {
    CC_ASSIGN(out.cost, number_at<std::uint64_t>(*params, "n"));
    CC_ASSIGN(out.r, number_at<std::uint32_t>(*params, "r"));
    CC_ASSIGN(out.p, number_at<std::uint32_t>(*params, "p"));
  } else if (function == "pbkdf2") {
    out.kdf = Kdf::pbkdf2;
    CC_ASSIGN(out.cost, number_at<std::uint32_t>(*params, "c"));
    CC_TRY(expect_text(*params, "prf", "hmac-sha256"));
  } else {
    return invalid("the key derivation must be scrypt or pbkdf2");
  }
  CC_ASSIGN(const std::string salt, text_at(*params, "salt", true));
  auto salt_bytes = from_hex(salt);
  if (!salt_bytes || salt_bytes->size() > kLongestSalt) {
    return invalid("\"salt\" must be hexadecimal, at most 1024 bytes");
  }
  out.salt = std::move(*salt_bytes);
  return out;
}

Result<Envelope> read_envelope(const bj::object& document) {
  CC_ASSIGN(const bj::object* const crypto_object, object_at(document, "crypto"));
  Envelope out;
  CC_ASSIGN(out.kdf, read_kdf(*crypto_object));
  CC_ASSIGN(const bj::object* const checksum, object_at(*crypto_object, "checksum"));
  CC_TRY(expect_text(*checksum, "function", "sha256"));
  CC_TRY(hex_at(*checksum, "message", out.checksum));
  CC_ASSIGN(const bj::object* const cipher, object_at(*crypto_object, "cipher"));
  CC_TRY(expect_text(*cipher, "function", "aes-128-ctr"));
  CC_TRY(hex_at(*cipher, "message", out.ciphertext));
  CC_ASSIGN(const bj::object* const params, object_at(*cipher, "params"));
  CC_TRY(hex_at(*params, "iv", out.iv));
  return out;
}

Result<bj::object> read_document(std::string_view text) {
  if (auto shape = json::check_shape(text, kShape); !shape) {
    return invalid(shape.error().message);
  }
  bj::error_code error;
  bj::value value = bj::parse(text, error);
  if (error || !value.is_object()) {
    return invalid("the file must hold one JSON object");
  }
  CC_ASSIGN(const std::uint64_t version, number_at<std::uint64_t>(value.get_object(), "version"));
  if (version != 4) {
    return invalid("version " + std::to_string(version) + " is not supported, only 4 (EIP-2335)");
  }
  return std::move(value.get_object());
}

Result<Keystore> read_keystore(std::string_view text) {
  CC_ASSIGN(const bj::object document, read_document(text));
  CC_TRY(read_envelope(document));
  Keystore out;
  CC_ASSIGN(out.path, text_at(document, "path", true));
  CC_ASSIGN(out.description, text_at(document, "description", false));
  CC_ASSIGN(out.uuid, text_at(document, "uuid", true));
  if (document.if_contains("pubkey") != nullptr) {
    BlsPublicKey key{};
    CC_TRY(hex_at(document, "pubkey", key));
    out.public_key = key;
  }
  out.json = std::string(text);
  return out;
}

// The decryption key: the first half of it drives the cipher, the second half the checksum.
Result<SecretBytes> decryption_key(const KdfParams& params, const SecretBytes& password) {
  auto prepared = unicode::eip2335_password(password);
  if (!prepared) {
    return fail(ErrorKind::keystore_password, "the keystore password is not valid UTF-8 text");
  }
  return params.kdf == Kdf::scrypt
             ? crypto::scrypt(*prepared, params.salt, params.cost, params.r, params.p, params.dklen)
             : crypto::pbkdf2_sha256(*prepared, params.salt, static_cast<std::uint32_t>(params.cost), params.dklen);
}

// One direction for both: counter mode adds a key stream.
Result<void> aes128_ctr(std::span<const std::uint8_t> key, ByteView iv, std::span<const std::uint8_t> in,
                        std::span<std::uint8_t> out) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free);
  int written = 0;
  if (context == nullptr || EVP_EncryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, key.data(), iv.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), out.data(), &written, in.data(), static_cast<int>(in.size())) != 1 ||
      static_cast<std::size_t>(written) != in.size()) {
    return fail(ErrorKind::internal, "the AES cipher cannot be used");
  }
  return {};
}

Result<crypto::BlsSecretKey> decrypt(const Envelope& envelope, const SecretBytes& password) {
  CC_ASSIGN(const SecretBytes key, decryption_key(envelope.kdf, password));
  const auto key_bytes = expose_secret_bytes(key);
  const crypto::Digest checksum = crypto::sha256({key_bytes.subspan(16, 16), ByteView(envelope.ciphertext)});
  if (!equal_constant_time(checksum, envelope.checksum)) {
    return fail(ErrorKind::keystore_password, "the password does not open this keystore");
  }
  Secret<kSecretBytes> secret;
  CC_TRY(aes128_ctr(key_bytes.first(16), envelope.iv, envelope.ciphertext, expose_secret_bytes(secret)));
  auto out = crypto::BlsSecretKey::from_bytes(expose_secret_bytes(std::as_const(secret)));
  if (!out) {
    return invalid("it holds no valid BLS private key");
  }
  return out;
}

std::string random_uuid(Random& random) {
  auto raw = random.array<16>();
  raw[6] = static_cast<std::uint8_t>((raw[6] & 0x0fU) | 0x40U);
  raw[8] = static_cast<std::uint8_t>((raw[8] & 0x3fU) | 0x80U);
  std::string out = to_hex(raw);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) {
    out.insert(at, 1, '-');
  }
  return out;
}

bj::object module(std::string_view function, bj::object params, std::string message) {
  return {{"function", function}, {"params", std::move(params)}, {"message", std::move(message)}};
}

bj::object kdf_module(const KdfParams& params) {
  if (params.kdf == Kdf::scrypt) {
    return module(
        "scrypt",
        {{"dklen", params.dklen}, {"n", params.cost}, {"p", params.p}, {"r", params.r}, {"salt", to_hex(params.salt)}},
        "");
  }
  return module("pbkdf2",
                {{"dklen", params.dklen}, {"c", params.cost}, {"prf", "hmac-sha256"}, {"salt", to_hex(params.salt)}},
                "");
}

}  // namespace

Result<Keystore> parse(std::string_view json) {
  try {
    return read_keystore(json);
  } catch (const std::bad_alloc&) {
    return invalid("the file needs too much memory");
  }
}

Result<crypto::BlsSecretKey> open(const Keystore& keystore, const SecretBytes& password) {
  Envelope envelope;
  try {
    CC_ASSIGN(const bj::object document, read_document(keystore.json));
    CC_ASSIGN(envelope, read_envelope(document));
  } catch (const std::bad_alloc&) {
    return invalid("the file needs too much memory");
  }
  CC_ASSIGN(crypto::BlsSecretKey key, decrypt(envelope, password));
  if (keystore.public_key && key.public_key() != *keystore.public_key) {
    return invalid("the private key inside does not belong to the public key it names");
  }
  return key;
}

Result<std::string> write(const crypto::BlsSecretKey& key, const SecretBytes& password, std::string_view path, Kdf kdf,
                          std::uint64_t cost, Random& random) {
  if (kdf == Kdf::pbkdf2 && cost > UINT32_MAX) {
    return invalid("too many PBKDF2 iterations");
  }
  KdfParams params;
  params.kdf = kdf;
  params.cost = cost;
  const auto salt = random.array<32>();
  params.salt.assign(salt.begin(), salt.end());
  const auto iv = random.array<kIvBytes>();
  CC_ASSIGN(const SecretBytes derived, decryption_key(params, password));
  const auto derived_bytes = expose_secret_bytes(derived);
  std::array<std::uint8_t, kSecretBytes> ciphertext{};
  CC_TRY(aes128_ctr(derived_bytes.first(16), iv, expose_secret_bytes(key.bytes()), ciphertext));
  const crypto::Digest checksum = crypto::sha256({derived_bytes.subspan(16, 16), ByteView(ciphertext)});
  try {
    const bj::object document{
        {"crypto", bj::object{{"kdf", kdf_module(params)},
                              {"checksum", module("sha256", {}, to_hex(checksum))},
                              {"cipher", module("aes-128-ctr", {{"iv", to_hex(iv)}}, to_hex(ciphertext))}}},
        {"description", ""},
        {"pubkey", to_hex(key.public_key())},
        {"path", path},
        {"uuid", random_uuid(random)},
        {"version", 4}};
    return bj::serialize(document);
  } catch (const std::bad_alloc&) {
    return invalid("no memory to write it");
  }
}

}  // namespace cc::keystore
