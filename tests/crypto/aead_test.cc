#include "crypto/aead.h"

#include <botan/aead.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/seeded_random.h"
#include "support/vector_table.h"

namespace cc::crypto {
namespace {

using test::hex;

Secret<32> key_of(ByteView bytes) { return Secret<32>::copy_of(bytes.first<32>()); }

struct Vector {
  const char* key;
  const char* nonce;
  const char* aad;
  const char* plaintext;
  const char* ciphertext;
};
// Test cases 13 to 16 of the GCM submission to NIST (McGrew and Viega), the ones with 256-bit keys and 96-bit nonces.
constexpr std::array<Vector, 4> kVectors = {{
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
     "b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
     "c5f61e6393ba7a0abcc9f662898015adb094dac5d93471bdec1a502270e3cc6c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
     "b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
     "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
}};

TEST(AesGcm, GivesTheCiphertextsOfTheSubmission) {
  for (const Vector& v : kVectors) {
    const auto key = key_of(hex(v.key));
    const auto nonce = to_array<12>(hex(v.nonce));
    EXPECT_EQ(to_hex(seal(key, nonce, hex(v.aad), hex(v.plaintext))), v.ciphertext);
    const auto opened = open(key, nonce, hex(v.aad), hex(v.ciphertext));
    ASSERT_TRUE(opened);
    EXPECT_EQ(to_hex(expose_secret_bytes(*opened)), v.plaintext);
  }
}

TEST(AesGcm, AgreesWithBotanOnAnyLengths) {
  test::SeededRandom random(3);
  for (std::size_t size = 0; size < 100; ++size) {
    const auto key = random.secret<32>();
    const auto nonce = random.array<12>();
    const Bytes aad = random.bytes(random.below(70));
    const Bytes plaintext = random.bytes(size);
    const auto botan = Botan::AEAD_Mode::create_or_throw("AES-256/GCM", Botan::ENCRYPTION);
    botan->set_key(expose_secret_bytes(key).data(), 32);
    botan->set_associated_data(aad.data(), aad.size());
    botan->start(nonce.data(), nonce.size());
    Botan::secure_vector<std::uint8_t> expected(plaintext.begin(), plaintext.end());
    botan->finish(expected);
    EXPECT_EQ(to_hex(seal(key, nonce, aad, plaintext)), to_hex({expected.data(), expected.size()}));
  }
}

class SealedBox : public testing::Test {
 protected:
  test::SeededRandom random{4};
  Secret<32> key = random.secret<32>();
  Bytes aad = random.bytes(21);
  Bytes plaintext = random.bytes(33);
  Bytes box = seal_box(key, aad, plaintext, random);
};

TEST_F(SealedBox, OpensToWhatWasSealed) {
  EXPECT_EQ(box.size(), 12 + plaintext.size() + kTagBytes);
  const auto opened = open_box(key, aad, box);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(std::ranges::equal(expose_secret_bytes(*opened), plaintext));
}

TEST_F(SealedBox, HoldsAnEmptyPlaintextAndAnEmptyName) {
  const Bytes empty = seal_box(key, {}, {}, random);
  const auto opened = open_box(key, {}, empty);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
  EXPECT_FALSE(open_box(key, Bytes{0}, empty));
}

TEST_F(SealedBox, DrawsANewNonceEachTime) {
  const Bytes again = seal_box(key, aad, plaintext, random);
  EXPECT_NE(to_array<12>(again), to_array<12>(box));
}

TEST_F(SealedBox, RefusesEveryFlippedBit) {
  for (std::size_t bit = 0; bit < box.size() * 8; ++bit) {
    Bytes altered = box;
    altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto opened = open_box(key, aad, altered);
    ASSERT_FALSE(opened) << bit;
    EXPECT_EQ(opened.error().kind, ErrorKind::record_tampered);
  }
}

TEST_F(SealedBox, RefusesEveryCutAndOneByteMore) {
  for (std::size_t size = 0; size < box.size(); ++size) {
    EXPECT_FALSE(open_box(key, aad, ByteView(box).first(size))) << size;
    EXPECT_FALSE(open_box(key, aad, ByteView(box).last(size))) << size;
  }
  box.push_back(0);
  EXPECT_FALSE(open_box(key, aad, box));
}

TEST_F(SealedBox, RefusesEveryFlippedBitOfItsNameAndItsKey) {
  for (std::size_t bit = 0; bit < aad.size() * 8; ++bit) {
    Bytes altered = aad;
    altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(open_box(key, altered, box)) << bit;
  }
  for (std::size_t bit = 0; bit < 256; ++bit) {
    auto altered = key.clone();
    expose_secret_bytes(altered)[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(open_box(altered, aad, box)) << bit;
  }
}

TEST(RecordOpener, OpensManyRecordsWithOneKeyAlsoAfterAFailure) {
  test::SeededRandom random(5);
  const auto key = random.secret<32>();
  RecordOpener first(key);
  RecordOpener opener = std::move(first);
  for (std::size_t size = 0; size < 80; ++size) {
    const auto nonce = random.array<12>();
    const Bytes aad = random.bytes(size % 5);
    const Bytes plaintext = random.bytes(size);
    Bytes ciphertext = seal(key, nonce, aad, plaintext);
    Bytes out(size);
    ASSERT_TRUE(opener.open(nonce, aad, ciphertext, out)) << size;
    EXPECT_EQ(out, plaintext);
    ciphertext.back() ^= 1;
    EXPECT_FALSE(opener.open(nonce, aad, ciphertext, out));
    EXPECT_EQ(out, Bytes(size)) << "plaintext that did not authenticate must not stay";
  }
}

TEST(RecordOpener, RefusesAnOutputOfAnotherLength) {
  test::SeededRandom random(6);
  const auto key = random.secret<32>();
  const auto nonce = random.array<12>();
  const Bytes ciphertext = seal(key, nonce, {}, random.bytes(32));
  RecordOpener opener(key);
  for (const std::size_t size : {0U, 31U, 33U, 48U}) {
    Bytes out(size);
    EXPECT_FALSE(opener.open(nonce, {}, ciphertext, out)) << size;
  }
  Bytes none;
  EXPECT_FALSE(opener.open(nonce, {}, ByteView(ciphertext).first(15), none));
}

}  // namespace
}  // namespace cc::crypto
