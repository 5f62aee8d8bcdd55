#include "formats/backup_manifest.h"

#include <gtest/gtest.h>

namespace cc::backup {
namespace {

Manifest sample() {
  Manifest out{"0.1.0", 1'700'000'000, {1, 2}, 7, {3, 4}, {}};
  out.parts.push_back({"seal-record", 1234, crypto::sha256(Bytes{1})});
  out.parts.push_back({"keys.sqlite", std::uint64_t{1} << 40U, crypto::sha256(Bytes{2})});
  return out;
}

TEST(BackupManifest, ReadsBackWhatItWrites) {
  const Bytes head = encode_head(sample());
  EXPECT_EQ(head_size(ByteView(head).first(kPrefixBytes)).value(), head.size());
  const auto back = decode_head(head);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, sample());
}

TEST(BackupManifest, EveryFlippedBitAndEveryCutIsFound) {
  const Bytes good = encode_head(sample());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes flipped = good;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    ASSERT_FALSE(decode_head(flipped)) << bit;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_FALSE(decode_head(ByteView(good).first(size))) << size;
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(decode_head(longer));
}

TEST(BackupManifest, RefusesNamesThatArePathsRepeatedOrEmptyAndListsWithoutParts) {
  for (const char* name : {"", "/etc/passwd", "../keys", ".hidden", "-x", "Keys", "a/b", "a b"}) {
    Manifest bad = sample();
    bad.parts[1].name = name;
    EXPECT_FALSE(decode_head(encode_head(bad))) << name;
  }
  Manifest bad = sample();
  bad.parts[1].name = bad.parts[0].name;
  EXPECT_FALSE(decode_head(encode_head(bad)));
  bad = sample();
  bad.parts.clear();
  EXPECT_FALSE(decode_head(encode_head(bad)));
  bad = sample();
  bad.parts.front().name = std::string(65, 'a');
  EXPECT_FALSE(decode_head(encode_head(bad)));
}

}  // namespace
}  // namespace cc::backup
