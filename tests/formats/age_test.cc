// age files are read back here with OpenSSL's X25519, HKDF and ChaCha20-Poly1305, by the specification's words alone;
// tests/e2e/test_backup.py opens them with the age program itself.
#include "formats/age_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>

#include "crypto/hash.h"
#include "support/seeded_random.h"

namespace cc::age {
namespace {

using testing::HasSubstr;
using testing::Not;

// Made by age-keygen 1.1.1.
constexpr const char* kAgeRecipient = "age1prj6ueksk23x6fsl949lqq8k9mt3r9w2yheqj2gjlrjpl399we6s8rg946";
constexpr const char* kAgeIdentity = "AGE-SECRET-KEY-1C2V3EZ566T88SRLR56U0X3V3QLCTDRJ9GM80CSM59AXFAZTA9RPSTNXD4X";

Bytes openssl_hkdf(ByteView ikm, ByteView salt, const std::string& info, std::size_t size) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr), &EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(EVP_KDF_CTX_new(kdf.get()),
                                                                          &EVP_KDF_CTX_free);
  Bytes key(ikm.begin(), ikm.end());
  Bytes salt_bytes(salt.begin(), salt.end());
  std::string info_text = info;
  std::string digest = "SHA256";
  std::vector<OSSL_PARAM> params{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info_text.data(), info_text.size())};
  if (!salt_bytes.empty()) {
    params.push_back(OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt_bytes.data(), salt_bytes.size()));
  }
  params.push_back(OSSL_PARAM_construct_end());
  Bytes out(size);
  EXPECT_EQ(EVP_KDF_derive(context.get(), out.data(), out.size(), params.data()), 1);
  return out;
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
Bytes openssl_x25519(const Bytes& scalar, ByteView point) {
  const Key mine(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, scalar.data(), scalar.size()), &EVP_PKEY_free);
  const Key theirs(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, point.data(), point.size()), &EVP_PKEY_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(mine.get(), nullptr),
                                                                            &EVP_PKEY_CTX_free);
  Bytes out(32);
  std::size_t size = out.size();
  EXPECT_EQ(EVP_PKEY_derive_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), theirs.get()), 1);
  EXPECT_EQ(EVP_PKEY_derive(context.get(), out.data(), &size), 1);
  return out;
}

std::optional<Bytes> openssl_open(const Bytes& key, const Bytes& nonce, ByteView box) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                &EVP_CIPHER_CTX_free);
  Bytes tag(box.end() - 16, box.end());
  Bytes out(box.size() - 16);
  int written = 0;
  EVP_DecryptInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, key.data(), nonce.data());
  if (!out.empty()) {
    EVP_DecryptUpdate(context.get(), out.data(), &written, box.data(), static_cast<int>(out.size()));
  }
  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data());
  std::uint8_t rest = 0;
  return EVP_DecryptFinal_ex(context.get(), &rest, &written) == 1 ? std::optional(out) : std::nullopt;
}

Bytes from_bare_base64(std::string text) {
  text.append((4 - text.size() % 4) % 4, '=');
  return from_base64(text).value();
}

// Opens the file with the identity of stanza `which`; nothing when it does not open.
std::optional<Bytes> open(const Bytes& file, const Bytes& identity, std::size_t which) {
  const std::string text(file.begin(), file.end());
  const std::size_t end = text.find("\n---");
  if (!text.starts_with("age-encryption.org/v1\n-> ") || end == std::string::npos) {
    return std::nullopt;
  }
  std::size_t at = 22;
  for (std::size_t i = 0; i < which; ++i) {
    at = text.find("-> X25519 ", at + 1);
  }
  const std::string share_text = text.substr(at + 10, 43);
  const std::string body_text = text.substr(at + 10 + 44, 43);
  const Bytes share = from_bare_base64(share_text);
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, identity.data(), identity.size()),
                &EVP_PKEY_free);
  Bytes salt = share;
  Bytes mine(32);
  std::size_t size = mine.size();
  EVP_PKEY_get_raw_public_key(key.get(), mine.data(), &size);
  append(salt, mine);
  const Bytes wrap = openssl_hkdf(openssl_x25519(identity, share), salt, "age-encryption.org/v1/X25519", 32);
  const auto file_key = openssl_open(wrap, Bytes(12), from_bare_base64(body_text));
  if (!file_key || file_key->size() != 16) {
    return std::nullopt;
  }
  const Bytes mac_key = openssl_hkdf(*file_key, {}, "header", 32);
  const auto mac = crypto::hmac_sha256(ByteView(mac_key), {bytes_of(text.substr(0, end + 4))});
  if (from_bare_base64(text.substr(end + 5, 43)) != Bytes(mac.begin(), mac.end()) || text[end + 48] != '\n') {
    return std::nullopt;
  }
  ByteView payload = ByteView(file).subspan(end + 49);
  const Bytes payload_key = openssl_hkdf(*file_key, payload.first(16), "payload", 32);
  payload = payload.subspan(16);
  Bytes out;
  for (std::uint8_t counter = 0;; ++counter) {
    const std::size_t here = std::min<std::size_t>(payload.size(), 65536 + 16);
    const bool last = here == payload.size();
    Bytes nonce(12);
    nonce[10] = counter;
    nonce[11] = last ? 1 : 0;
    const auto chunk = openssl_open(payload_key, nonce, payload.first(here));
    if (!chunk) {
      return std::nullopt;
    }
    append(out, *chunk);
    payload = payload.subspan(here);
    if (last) {
      return out;
    }
  }
}

struct Identity {
  Bytes scalar;
  Recipient recipient;
};
Identity identity(std::uint8_t number) {
  Identity out{Bytes(32, number), {}};
  Secret<32> scalar = Secret<32>::copy_of(ByteView(out.scalar).first<32>());
  out.recipient.point = crypto::x25519_public(scalar);
  return out;
}

TEST(AgeFile, EveryRecipientOpensItAndNobodyElse) {
  test::SeededRandom random{3};
  const Identity one = identity(1);
  const Identity two = identity(2);
  for (const std::size_t size : {0U, 1U, 150U, 65535U, 65536U, 65537U, 131072U}) {
    Bytes plaintext(size);
    random.fill(plaintext);
    const auto file = encrypt({one.recipient, two.recipient}, plaintext, random);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(open(*file, one.scalar, 0), plaintext) << size;
    EXPECT_EQ(open(*file, two.scalar, 1), plaintext) << size;
    EXPECT_EQ(open(*file, identity(3).scalar, 0), std::nullopt);
  }
}

TEST(AgeFile, EveryFileHasItsOwnKeys) {
  test::SeededRandom random{4};
  const Bytes plaintext{1, 2, 3};
  EXPECT_NE(*encrypt({identity(1).recipient}, plaintext, random), *encrypt({identity(1).recipient}, plaintext, random));
}

TEST(AgeFile, WantsOneToSixteenDifferentRecipients) {
  test::SeededRandom random{5};
  std::vector<Recipient> many;
  EXPECT_EQ(encrypt(many, {}, random).error().kind, ErrorKind::malformed_request);
  for (std::uint8_t i = 1; i <= kMostRecipients; ++i) {
    many.push_back(identity(i).recipient);
  }
  EXPECT_TRUE(encrypt(many, {}, random));
  many.push_back(identity(99).recipient);
  EXPECT_FALSE(encrypt(many, {}, random));
  EXPECT_THAT(encrypt({many[0], many[1], many[0]}, {}, random).error().message, HasSubstr("twice"));
}

TEST(AgeFile, ArmorIsPemOfSixtyFourColumns) {
  test::SeededRandom random{6};
  for (std::size_t size = 0; size < 100; ++size) {
    const Bytes file(48 + size, 7);
    const std::string text = armor(file);
    EXPECT_TRUE(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
    EXPECT_TRUE(text.ends_with("\n-----END AGE ENCRYPTED FILE-----\n"));
    std::string body = text.substr(35, text.size() - 35 - 33);
    std::erase(body, '\n');
    EXPECT_EQ(from_base64(body).value(), file);
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      EXPECT_LE(end - at, 64U);
      EXPECT_NE(end, at) << "no empty line";
    }
  }
}

TEST(AgeRecipient, ReadsWhatAgeKeygenPrintsAndWritesItBack) {
  const auto recipient = parse_recipient(kAgeRecipient);
  ASSERT_TRUE(recipient) << recipient.error().message;
  EXPECT_EQ(to_text(*recipient), kAgeRecipient);
  for (std::uint8_t i = 0; i < 100; ++i) {
    const Recipient made = identity(i).recipient;
    EXPECT_EQ(parse_recipient(to_text(made)).value(), made);
  }
}

TEST(AgeRecipient, FindsEveryTypingErrorInOnePlaceAndEveryPairOfSwappedNeighbours) {
  const std::string good = kAgeRecipient;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char other : std::string("qpzry9x8gf2tvdw0s3jn54khce6mua7l1bioQ \n\0~", 41)) {
      std::string changed = good;
      changed[at] = other;
      EXPECT_EQ(parse_recipient(changed).has_value(), changed == good) << at << " " << other;
    }
    if (at + 1 < good.size() && good[at] != good[at + 1]) {
      std::string swapped = good;
      std::swap(swapped[at], swapped[at + 1]);
      EXPECT_FALSE(parse_recipient(swapped)) << at;
    }
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_recipient(good.substr(0, size)));
  }
  EXPECT_FALSE(parse_recipient(good + "q"));
}

TEST(AgeRecipient, SaysWhatAWrongOneIsAndNeverRepeatsASecret) {
  const auto identity_given = parse_recipient(kAgeIdentity);
  EXPECT_THAT(identity_given.error().message, HasSubstr("leaked"));
  EXPECT_THAT(identity_given.error().message, Not(HasSubstr("C2V3EZ566T88")));
  EXPECT_THAT(parse_recipient("ssh-ed25519 AAAA").error().message, HasSubstr("age1"));
  EXPECT_THAT(
      parse_recipient("age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t").error().message,
      HasSubstr("plug-ins"));
  std::string upper = kAgeRecipient;
  for (char& letter : upper) {
    letter = static_cast<char>(std::toupper(letter));
  }
  EXPECT_FALSE(parse_recipient(upper));
  EXPECT_THAT(parse_recipient(to_text(Recipient{})).error().message, HasSubstr("low order"));
}

}  // namespace
}  // namespace cc::age
