#include "keys/key_record.h"

#include <gtest/gtest.h>

#include <map>

#include "support/seeded_random.h"
#include "support/vector_table.h"

namespace cc::keys {
namespace {

std::map<std::string, Bytes> vectors() {
  std::map<std::string, Bytes> out;
  for (const auto& row : test::read_vectors("keys/key_record.txt", 2)) {
    out[row[0]] = test::hex(row[1]);
  }
  return out;
}

// Gives the vectors' nonce.
class FixedRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::uint8_t>(0xd0 + i);
    }
  }
};

struct Fixture {
  std::map<std::string, Bytes> v = vectors();
  Secret<32> master_key = Secret<32>::copy_of(std::span<const std::uint8_t, 32>(v["master_key"]));
  ChamberId chamber = to_array<16>(v["chamber"]);
  MasterKeyId id = to_array<8>(v["mk_id"]);
  RecordKeys keys = derive_record_keys(chamber, id, master_key);
  BlsPublicKey public_key = to_array<48>(v["public_key"]);
  crypto::BlsSecretKey secret = crypto::BlsSecretKey::from_bytes(v["scalar"]).value();
  FixedRandom random;

  KeyRecord active() { return seal_key(keys, secret, public_key, "rack 4", 1700000000, random); }
};

// Whatever stands between the store and the ring: decode and open.
Result<crypto::BlsSecretKey> decode_and_open(const RecordKeys& keys, ByteView bytes) {
  CC_ASSIGN(const KeyRecord record, decode(bytes));
  return open_key(keys, record);
}

TEST(KeyRecord, DerivedKeysAreThoseOfTheSpecification) {
  Fixture f;
  EXPECT_EQ(to_hex(expose_secret_bytes(f.keys.keys)), to_hex(f.v["keys_key"]));
  EXPECT_EQ(to_hex(expose_secret_bytes(f.keys.status)), to_hex(f.v["status_key"]));
  EXPECT_EQ(to_hex(expose_secret_bytes(f.keys.sentinel)), to_hex(f.v["sentinel_key"]));
}

TEST(KeyRecord, SealsToTheBytesOfTheSpecification) {
  Fixture f;
  EXPECT_EQ(f.secret.public_key(), f.public_key);
  KeyRecord record = f.active();
  EXPECT_EQ(to_hex(encode(record)), to_hex(f.v["record_active"]));
  ASSERT_TRUE(set_status(f.keys, record, KeyStatus::inactive, 1700000600));
  EXPECT_EQ(to_hex(encode(record)), to_hex(f.v["record_inactive"]));
  EXPECT_EQ(to_hex(encode(seal_key(f.keys, f.secret, f.public_key, "", 0, f.random))), to_hex(f.v["record_bare"]));
}

TEST(KeyRecord, EveryVectorOpensAndEncodesToItself) {
  Fixture f;
  for (const char* name : {"record_active", "record_inactive", "record_bare", "record_backup"}) {
    const auto record = decode(f.v[name]);
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_EQ(encode(*record), f.v[name]);
    const auto key = open_key(f.keys, *record);
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(to_hex(expose_secret_bytes(key->bytes())), to_hex(f.v["scalar"]));
  }
  const auto backup = decode(f.v["record_backup"]);
  EXPECT_EQ(backup->label, "\u00e9tag\u00e8re");
  EXPECT_EQ(backup->generation, 70000U);
  EXPECT_EQ(backup->updated_at, 1ULL << 40);
  ASSERT_TRUE(backup->backup);
  EXPECT_EQ(std::string(backup->backup->begin(), backup->backup->end()), "age-encryption.org/v1\n");
}

TEST(KeyRecord, EachFlippedBitIsRefused) {
  Fixture f;
  for (const char* name : {"record_inactive", "record_backup"}) {
    const Bytes whole = f.v[name];
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      Bytes altered = whole;
      altered[bit / 8] = static_cast<std::uint8_t>(altered[bit / 8] ^ 1U << bit % 8);
      const auto key = decode_and_open(f.keys, altered);
      ASSERT_FALSE(key) << name << " bit " << bit;
      EXPECT_TRUE(key.error().kind == ErrorKind::key_record_tampered || key.error().kind == ErrorKind::record_malformed)
          << key.error().message;
    }
  }
}

TEST(KeyRecord, EachCutAndEachLongerLengthIsMalformed) {
  Fixture f;
  const Bytes whole = f.v["record_backup"];
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto record = decode(ByteView(whole).first(size));
    ASSERT_FALSE(record) << size;
    EXPECT_EQ(record.error().kind, ErrorKind::record_malformed);
  }
  for (int i = 0; i < 256; ++i) {
    Bytes longer = whole;
    longer.push_back(static_cast<std::uint8_t>(i));
    EXPECT_FALSE(decode(longer));
  }
}

TEST(KeyRecord, ADecodedRecordReencodesToTheSameBytesWhateverWasAltered) {
  Fixture f;
  test::SeededRandom random(11);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    Bytes altered = f.v["record_backup"];
    altered[random.below(altered.size())] = static_cast<std::uint8_t>(random.below(256));
    if (const auto record = decode(altered)) {
      EXPECT_EQ(encode(*record), altered);
      ++accepted;
    }
  }
  EXPECT_GT(accepted, 1000);
}

TEST(KeyRecord, AStatusChangedWithoutTheMasterKeyIsTampered) {
  Fixture f;
  KeyRecord record = f.active();
  ASSERT_TRUE(set_status(f.keys, record, KeyStatus::inactive, 5));
  record.status = KeyStatus::active;
  EXPECT_EQ(check_fields(f.keys, record).error().kind, ErrorKind::key_record_tampered);
  EXPECT_EQ(open_key(f.keys, record).error().kind, ErrorKind::key_record_tampered);
  EXPECT_EQ(set_status(f.keys, record, KeyStatus::inactive, 6).error().kind, ErrorKind::key_record_tampered);
}

TEST(KeyRecord, EveryStatusChangeRaisesTheGeneration) {
  Fixture f;
  KeyRecord record = f.active();
  for (std::uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(record.generation, i + 1);
    ASSERT_TRUE(set_status(f.keys, record, i % 2 == 0 ? KeyStatus::inactive : KeyStatus::active, 1700000000 + i));
    EXPECT_EQ(record.updated_at, 1700000000 + i);
    EXPECT_EQ(record.created_at, 1700000000U);
  }
  EXPECT_TRUE(open_key(f.keys, record));
}

// The ciphertext of one key under the name of another must not open, even with a MAC made by somebody who holds the
// status key.
TEST(KeyRecord, TheCiphertextIsBoundToItsPublicKey) {
  Fixture f;
  const auto other = crypto::BlsSecretKey::from_bytes(test::hex(std::string(63, '0') + "7")).value();
  KeyRecord theirs = seal_key(f.keys, other, other.public_key(), "rack 4", 1700000000, f.random);
  const KeyRecord ours = f.active();
  theirs.sealed_key = ours.sealed_key;
  const KeyRecord forged = [&] {
    KeyRecord out = theirs;
    // A key whose MAC fits: status key known, sealing key not.
    RecordKeys half;
    half.chamber = f.chamber;
    half.id = f.id;
    half.keys = Secret<32>();
    half.status = f.keys.status.clone();
    const KeyRecord model = seal_key(half, other, other.public_key(), "rack 4", 1700000000, f.random);
    out.sealed_key = model.sealed_key;
    out.status_mac = model.status_mac;
    return out;
  }();
  EXPECT_TRUE(check_fields(f.keys, forged)) << "the fields are proven, only the scalar is not";
  EXPECT_EQ(open_key(f.keys, forged).error().kind, ErrorKind::key_record_tampered);
  EXPECT_EQ(open_key(f.keys, theirs).error().kind, ErrorKind::key_record_tampered);
}

TEST(KeyRecord, ADifferentChamberMasterKeyOrNameOfItIsRefused) {
  Fixture f;
  const KeyRecord record = f.active();
  ChamberId other_chamber = f.chamber;
  other_chamber[0] ^= 1;
  MasterKeyId other_id = f.id;
  other_id[7] ^= 1;
  Secret<32> other_key = f.master_key.clone();
  expose_secret_bytes(other_key)[0] ^= 1;
  EXPECT_FALSE(open_key(derive_record_keys(other_chamber, f.id, f.master_key), record));
  EXPECT_FALSE(open_key(derive_record_keys(f.chamber, other_id, f.master_key), record));
  EXPECT_FALSE(open_key(derive_record_keys(f.chamber, f.id, other_key), record));
  EXPECT_TRUE(open_key(derive_record_keys(f.chamber, f.id, f.master_key), record));
}

TEST(KeyRecord, TwoSealsOfOneKeyShareNothing) {
  Fixture f;
  SystemRandom random;
  const KeyRecord a = seal_key(f.keys, f.secret, f.public_key, "", 0, random);
  const KeyRecord b = seal_key(f.keys, f.secret, f.public_key, "", 0, random);
  EXPECT_NE(a.nonce, b.nonce);
  EXPECT_NE(a.sealed_key, b.sealed_key);
}

TEST(KeyRecord, OneLoaderOpensManyAndRecoversFromABadOne) {
  Fixture f;
  SystemRandom random;
  RecordLoader loader(f.keys);
  for (int i = 0; i < 50; ++i) {
    KeyRecord record = seal_key(f.keys, f.secret, f.public_key, "", 0, random);
    EXPECT_TRUE(loader.open(record));
    record.sealed_key[3] ^= 1;
    EXPECT_FALSE(loader.open(record));
  }
}

TEST(KeyRecord, TooLargeLabelsAndBackupsAreMalformed) {
  Fixture f;
  KeyRecord record = f.active();
  record.label = std::string(kLargestLabel, 'x');
  EXPECT_TRUE(decode(encode(record)));
  record.label += "x";
  EXPECT_FALSE(decode(encode(record)));
  record.label.clear();
  record.backup = Bytes(kLargestBackup, 1);
  EXPECT_TRUE(decode(encode(record)));
  record.backup->push_back(1);
  EXPECT_FALSE(decode(encode(record)));
  record.backup = Bytes();
  EXPECT_FALSE(decode(encode(record)));
}

TEST(Sentinel, SealsToTheBytesOfTheSpecification) {
  Fixture f;
  EXPECT_EQ(to_hex(seal_sentinel(f.keys, f.random)), to_hex(f.v["sentinel"]));
  EXPECT_TRUE(check_sentinel(f.keys, f.v["sentinel"]));
  const auto names = sentinel_names(f.v["sentinel"]);
  EXPECT_EQ(names->chamber, f.chamber);
  EXPECT_EQ(names->master_key, f.id);
}

TEST(Sentinel, TellsAWrongMasterKeyAndAForeignChamber) {
  Fixture f;
  Secret<32> other_key = f.master_key.clone();
  expose_secret_bytes(other_key)[31] ^= 1;
  EXPECT_EQ(check_sentinel(derive_record_keys(f.chamber, f.id, other_key), f.v["sentinel"]).error().kind,
            ErrorKind::wrong_master_key);
  ChamberId other_chamber = f.chamber;
  other_chamber[3] ^= 1;
  const auto foreign = check_sentinel(derive_record_keys(other_chamber, f.id, f.master_key), f.v["sentinel"]);
  EXPECT_EQ(foreign.error().kind, ErrorKind::wrong_master_key);
  EXPECT_NE(foreign.error().message.find(to_hex(f.chamber)), std::string::npos);
}

TEST(Sentinel, EachFlippedBitAndEachCutIsRefused) {
  Fixture f;
  const Bytes whole = f.v["sentinel"];
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes altered = whole;
    altered[bit / 8] = static_cast<std::uint8_t>(altered[bit / 8] ^ 1U << bit % 8);
    const auto checked = check_sentinel(f.keys, altered);
    ASSERT_FALSE(checked) << bit;
    EXPECT_TRUE(checked.error().kind == ErrorKind::wrong_master_key ||
                checked.error().kind == ErrorKind::record_malformed);
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(check_sentinel(f.keys, ByteView(whole).first(size)).error().kind, ErrorKind::record_malformed);
  }
}

}  // namespace
}  // namespace cc::keys
