// The pieces that the software authenticator is made of: P-256, AES-CBC, and as much CBOR as CTAP's messages need.
#pragma once

#include <cbor.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace cc::test::ctap {

inline Bytes hmac(ByteView key, ByteView message) {
  Bytes out(32);
  ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), out.data(), nullptr);
  return out;
}
inline Bytes sha256(ByteView message) {
  Bytes out(32);
  ::SHA256(message.data(), message.size(), out.data());
  return out;
}
inline Bytes operator+(Bytes a, ByteView b) {
  append(a, b);
  return a;
}
inline Bytes first(Bytes bytes, std::size_t size) {
  bytes.resize(size);
  return bytes;
}
inline Bytes aes_cbc(ByteView key, ByteView data, bool encrypt) {
  Bytes out(data.size() + 16);
  const std::array<std::uint8_t, 16> iv{};
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(::EVP_CIPHER_CTX_new(),
                                                                           &::EVP_CIPHER_CTX_free);
  int size = 0;
  ::EVP_CipherInit_ex(context.get(), ::EVP_aes_256_cbc(), nullptr, key.data(), iv.data(), encrypt ? 1 : 0);
  ::EVP_CIPHER_CTX_set_padding(context.get(), 0);
  ::EVP_CipherUpdate(context.get(), out.data(), &size, data.data(), static_cast<int>(data.size()));
  return first(std::move(out), static_cast<std::size_t>(size));
}

// ---- P-256
using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
inline Bytes number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  ::EVP_PKEY_get_bn_param(key, name, &number);
  Bytes out(32);
  ::BN_bn2binpad(number, out.data(), 32);
  ::BN_free(number);
  return out;
}
inline Key fresh_key() { return {::EVP_EC_gen("P-256"), &::EVP_PKEY_free}; }
inline Key public_key(ByteView x, ByteView y) {
  const Bytes point = Bytes{4} + x + y;
  const std::unique_ptr<OSSL_PARAM_BLD, void (*)(OSSL_PARAM_BLD*)> build(::OSSL_PARAM_BLD_new(),
                                                                         &::OSSL_PARAM_BLD_free);
  ::OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  ::OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  OSSL_PARAM* parameters = ::OSSL_PARAM_BLD_to_param(build.get());
  EVP_PKEY_CTX* context = ::EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* out = nullptr;
  ::EVP_PKEY_fromdata_init(context);
  ::EVP_PKEY_fromdata(context, &out, EVP_PKEY_PUBLIC_KEY, parameters);
  ::EVP_PKEY_CTX_free(context);
  ::OSSL_PARAM_free(parameters);
  return {out, &::EVP_PKEY_free};
}
// SHA-256 of the x coordinate, as PIN protocol 1 shares a key.
inline Bytes shared_key(const Key& mine, const Key& theirs) {
  Bytes x(32);
  std::size_t size = x.size();
  EVP_PKEY_CTX* context = ::EVP_PKEY_CTX_new(mine.get(), nullptr);
  ::EVP_PKEY_derive_init(context);
  ::EVP_PKEY_derive_set_peer(context, theirs.get());
  ::EVP_PKEY_derive(context, x.data(), &size);
  ::EVP_PKEY_CTX_free(context);
  return sha256(x);
}
inline Bytes sign(const Key& key, ByteView message) {
  EVP_MD_CTX* context = ::EVP_MD_CTX_new();
  std::size_t size = 128;
  Bytes out(size);
  ::EVP_DigestSignInit(context, nullptr, ::EVP_sha256(), nullptr, key.get());
  ::EVP_DigestSign(context, out.data(), &size, message.data(), message.size());
  ::EVP_MD_CTX_free(context);
  return first(std::move(out), size);
}

// ---- CBOR out: only what the answers need.
inline Bytes head(unsigned major, std::uint64_t value) {
  const auto tag = static_cast<std::uint8_t>(major << 5U);
  if (value < 24) {
    return {static_cast<std::uint8_t>(tag | value)};
  }
  if (value < 256) {
    return {static_cast<std::uint8_t>(tag | 24U), static_cast<std::uint8_t>(value)};
  }
  return {static_cast<std::uint8_t>(tag | 25U), static_cast<std::uint8_t>(value >> 8U),
          static_cast<std::uint8_t>(value)};
}
inline Bytes uint(std::uint64_t value) { return head(0, value); }
inline Bytes negative(std::uint64_t value) { return head(1, value - 1); }
inline Bytes bytes(ByteView value) { return head(2, value.size()) + value; }
inline Bytes text(std::string_view value) { return head(3, value.size()) + bytes_of(value); }
inline Bytes boolean(bool value) { return {static_cast<std::uint8_t>(value ? 0xF5 : 0xF4)}; }
inline Bytes list(const std::vector<Bytes>& items) {
  Bytes out = head(4, items.size());
  for (const Bytes& item : items) {
    append(out, item);
  }
  return out;
}
inline Bytes map(const std::vector<std::pair<Bytes, Bytes>>& pairs) {
  Bytes out = head(5, pairs.size());
  for (const auto& [key, value] : pairs) {
    append(out, key);
    append(out, value);
  }
  return out;
}
inline Bytes cose(const Key& key, unsigned algorithm) {
  return map({{uint(1), uint(2)},
              {uint(3), negative(algorithm)},
              {negative(1), uint(1)},
              {negative(2), bytes(number_of(key.get(), OSSL_PKEY_PARAM_EC_PUB_X))},
              {negative(3), bytes(number_of(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y))}});
}

// ---- CBOR in: a question of libfido2.
class Item {
 public:
  explicit Item(cbor_item_t* item) : item_(item) {}
  bool there() const { return item_ != nullptr; }
  Item at(int key) const {
    return find([key](const cbor_item_t* one) {
      if (key >= 0) {
        return ::cbor_isa_uint(one) && ::cbor_get_int(one) == static_cast<std::uint64_t>(key);
      }
      return ::cbor_isa_negint(one) && ::cbor_get_int(one) == static_cast<std::uint64_t>(-key - 1);
    });
  }
  Item at(std::string_view key) const {
    return find([key](const cbor_item_t* one) {
      return ::cbor_isa_string(one) && std::string_view(reinterpret_cast<const char*>(::cbor_string_handle(one)),
                                                        ::cbor_string_length(one)) == key;
    });
  }
  Bytes data() const {
    return item_ != nullptr && ::cbor_isa_bytestring(item_)
               ? Bytes(::cbor_bytestring_handle(item_),
                       ::cbor_bytestring_handle(item_) + ::cbor_bytestring_length(item_))
               : Bytes();
  }
  std::string words() const {
    return item_ != nullptr && ::cbor_isa_string(item_)
               ? std::string(reinterpret_cast<const char*>(::cbor_string_handle(item_)), ::cbor_string_length(item_))
               : std::string();
  }
  std::uint64_t number() const { return item_ != nullptr && ::cbor_isa_uint(item_) ? ::cbor_get_int(item_) : 0; }
  bool is_false() const { return item_ != nullptr && ::cbor_is_bool(item_) && !::cbor_get_bool(item_); }
  std::vector<Item> items() const {
    std::vector<Item> out;
    for (std::size_t i = 0; item_ != nullptr && ::cbor_isa_array(item_) && i < ::cbor_array_size(item_); ++i) {
      out.emplace_back(::cbor_array_handle(item_)[i]);
    }
    return out;
  }

 private:
  template <class Matches>
  Item find(const Matches& matches) const {
    for (std::size_t i = 0; item_ != nullptr && ::cbor_isa_map(item_) && i < ::cbor_map_size(item_); ++i) {
      if (matches(::cbor_map_handle(item_)[i].key)) {
        return Item(::cbor_map_handle(item_)[i].value);
      }
    }
    return Item(nullptr);
  }
  cbor_item_t* item_;
};
class Question {
 public:
  explicit Question(ByteView encoded) {
    cbor_load_result result{};
    item_ = ::cbor_load(encoded.data(), encoded.size(), &result);
  }
  ~Question() {
    if (item_ != nullptr) {
      ::cbor_decref(&item_);
    }
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;
  Item root() const { return Item(item_); }

 private:
  cbor_item_t* item_;
};

}  // namespace cc::test::ctap
