#include "crypto/bls.h"

#include <blst.h>
#include <gtest/gtest.h>

#include <set>

#include "support/seeded_random.h"
#include "support/vector_table.h"

namespace cc::crypto {
namespace {

using test::hex;

constexpr const char* kOrder = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";

BlsSecretKey key_of(std::string_view text) {
  auto key = BlsSecretKey::from_bytes(hex(text));
  EXPECT_TRUE(key) << text;
  return std::move(key).value();
}

std::string shown(const BlsSecretKey& key) { return to_hex(expose_secret_bytes(key.bytes())); }

// The first compressed points with a small x that lie on the curve but outside the subgroup of order r. Nearly all do.
BlsPublicKey public_key_outside_the_group() {
  BlsPublicKey bytes{};
  bytes[0] = 0x80;
  for (blst_p1_affine point;
       blst_p1_uncompress(&point, bytes.data()) != BLST_SUCCESS || blst_p1_affine_in_g1(&point);) {
    ++bytes.back();
  }
  return bytes;
}
BlsSignature signature_outside_the_group() {
  BlsSignature bytes{};
  bytes[0] = 0x80;
  for (blst_p2_affine point;
       blst_p2_uncompress(&point, bytes.data()) != BLST_SUCCESS || blst_p2_affine_in_g2(&point);) {
    ++bytes.back();
  }
  return bytes;
}

TEST(Bls, SignsAsOtherClientsDo) {
  std::set<std::string> keys;
  for (const auto& row : test::read_vectors("crypto/bls_sign.txt", 4)) {
    const BlsSecretKey key = key_of(row[0]);
    const Root root = to_array<32>(hex(row[2]));
    EXPECT_EQ(to_hex(key.public_key()), row[1]);
    EXPECT_EQ(to_hex(key.sign(root)), row[3]);
    EXPECT_EQ(to_hex(HashedMessage(root).sign(key)), row[3]);
    EXPECT_TRUE(verify(to_array<48>(hex(row[1])), root, to_array<96>(hex(row[3]))));
    keys.insert(row[0]);
  }
  EXPECT_GE(keys.size(), 10U);
}

TEST(Bls, SignsOneHashedMessageWithManyKeys) {
  test::SeededRandom random(10);
  const Root root = random.array<32>();
  const HashedMessage hashed(root);
  const HashedMessage copy = hashed;
  const auto seed = SecretBytes::copy_of(random.bytes(32));
  const auto parent = derive_master(seed);
  ASSERT_TRUE(parent);
  for (std::uint32_t i = 0; i < 5; ++i) {
    const BlsSecretKey key = derive_child(*parent, i);
    EXPECT_EQ(hashed.sign(key), key.sign(root));
    EXPECT_EQ(copy.sign(key), key.sign(root));
  }
}

TEST(BlsSecretKey, RefusesZeroTheOrderAndWrongLengths) {
  Bytes above = hex(kOrder);
  above.back() += 1;
  for (const Bytes& bytes : {Bytes(32), hex(kOrder), above, Bytes(32, 0xFF), Bytes(), Bytes(31, 1), Bytes(33, 1)}) {
    const auto key = BlsSecretKey::from_bytes(bytes);
    ASSERT_FALSE(key) << to_hex(bytes);
    EXPECT_EQ(key.error().kind, ErrorKind::key_invalid);
  }
  Bytes largest = hex(kOrder);
  largest.back() -= 1;
  EXPECT_TRUE(BlsSecretKey::from_bytes(largest));
  Bytes one(32);
  one.back() = 1;
  EXPECT_EQ(to_hex(key_of(to_hex(one)).public_key()),
            "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb")
      << "the public key of one is the generator of G1";
}

TEST(BlsSecretKey, KeepsItsBytesThroughCloneAndFromChecked) {
  const std::string text = "263dbd792f5b1be47ed85f8938c0f29586af0d3ac7b977f21c278fe1462040e3";
  const BlsSecretKey key = key_of(text);
  EXPECT_EQ(shown(key), text);
  EXPECT_EQ(shown(key.clone()), text);
  EXPECT_EQ(shown(BlsSecretKey::from_checked(key.bytes().clone())), text);
}

TEST(BlsVerify, RefusesAnyAlteredByteOfKeyMessageAndSignature) {
  const auto row = test::read_vectors("crypto/bls_sign.txt", 4).front();
  const auto key = to_array<48>(hex(row[1]));
  const auto root = to_array<32>(hex(row[2]));
  const auto signature = to_array<96>(hex(row[3]));
  ASSERT_TRUE(verify(key, root, signature));
  for (std::size_t bit = 0; bit < std::tuple_size_v<BlsSignature> * 8; bit += 5) {
    const auto flip = [bit](auto bytes) {
      bytes[bit / 8 % bytes.size()] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      return bytes;
    };
    EXPECT_FALSE(verify(key, root, flip(signature))) << bit;
    EXPECT_FALSE(verify(flip(key), root, signature)) << bit;
    EXPECT_FALSE(verify(key, flip(root), signature)) << bit;
  }
}

TEST(BlsVerify, RefusesInfinityAndPointsOutsideTheGroup) {
  const auto row = test::read_vectors("crypto/bls_sign.txt", 4).front();
  const auto key = to_array<48>(hex(row[1]));
  const auto root = to_array<32>(hex(row[2]));
  const auto signature = to_array<96>(hex(row[3]));
  BlsPublicKey no_key{0xC0};
  BlsSignature no_signature{0xC0};
  EXPECT_FALSE(verify(no_key, root, no_signature));
  EXPECT_FALSE(verify(key, root, no_signature));
  EXPECT_FALSE(verify(no_key, root, signature));
  EXPECT_FALSE(verify(public_key_outside_the_group(), root, signature));
  EXPECT_FALSE(verify(key, root, signature_outside_the_group()));
  EXPECT_FALSE(verify({}, root, {}));
}

TEST(BlsPublicKeys, AreRecognised) {
  const auto row = test::read_vectors("crypto/bls_sign.txt", 4).front();
  const Bytes key = hex(row[1]);
  EXPECT_TRUE(is_public_key(key));
  EXPECT_FALSE(is_public_key(ByteView(key).first(47)));
  EXPECT_FALSE(is_public_key({}));
  EXPECT_FALSE(is_public_key(hex(row[3])));
  EXPECT_FALSE(is_public_key(Bytes(48)));
  EXPECT_FALSE(is_public_key(Bytes(48, 0xFF)));
  Bytes infinity(48);
  infinity[0] = 0xC0;
  EXPECT_FALSE(is_public_key(infinity));
  Bytes uncompressed_flag = key;
  uncompressed_flag[0] &= 0x7F;
  EXPECT_FALSE(is_public_key(uncompressed_flag));
  EXPECT_FALSE(is_public_key(public_key_outside_the_group()));
}

TEST(Eip2333, DerivesTheKeysOfItsTestCases) {
  for (const auto& row : test::read_vectors("crypto/eip2333.txt", 4)) {
    const auto master = derive_master(SecretBytes::copy_of(hex(row[0])));
    ASSERT_TRUE(master);
    EXPECT_EQ(shown(*master), row[1]);
    EXPECT_EQ(shown(derive_child(*master, static_cast<std::uint32_t>(std::stoul(row[2])))), row[3]);
  }
}

TEST(Eip2333, RefusesASeedOfFewerThan32Bytes) {
  EXPECT_EQ(derive_master(SecretBytes(31)).error().kind, ErrorKind::key_invalid);
  EXPECT_EQ(derive_master(SecretBytes()).error().kind, ErrorKind::key_invalid);
  EXPECT_TRUE(derive_master(SecretBytes(32)));
}

}  // namespace
}  // namespace cc::crypto
