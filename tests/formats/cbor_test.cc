#include "formats/cbor.h"

#include <gtest/gtest.h>

#include "support/seeded_random.h"
#include "support/vector_table.h"

namespace cc {
namespace {

using cbor::Reader;
using cbor::SecretWriter;
using cbor::Writer;

// RFC 8949 appendix A, the rows of our subset.
TEST(Cbor, WritesTheUnsignedIntegersOfRfc8949) {
  const std::vector<std::pair<std::uint64_t, std::string>> rows = {{0, "00"},
                                                                   {1, "01"},
                                                                   {10, "0a"},
                                                                   {23, "17"},
                                                                   {24, "1818"},
                                                                   {25, "1819"},
                                                                   {100, "1864"},
                                                                   {1000, "1903e8"},
                                                                   {1000000, "1a000f4240"},
                                                                   {1000000000000, "1b000000e8d4a51000"},
                                                                   {18446744073709551615ULL, "1bffffffffffffffff"}};
  for (const auto& [value, bytes] : rows) {
    EXPECT_EQ(to_hex(Writer().uint(value).view()), bytes);
    EXPECT_EQ(Reader(test::hex(bytes)).uint().value(), value);
  }
}

TEST(Cbor, WritesTheOtherTypesOfRfc8949) {
  EXPECT_EQ(to_hex(Writer().boolean(false).boolean(true).null().view()), "f4f5f6");
  EXPECT_EQ(to_hex(Writer().bytes({}).view()), "40");
  EXPECT_EQ(to_hex(Writer().bytes(test::hex("01020304")).view()), "4401020304");
  EXPECT_EQ(to_hex(Writer().text("").text("a").text("IETF").text("\u00fc").text("\u6c34").view()),
            "6061616449455446"
            "62c3bc"
            "63e6b0b4");
  EXPECT_EQ(to_hex(Writer().array(3).uint(1).uint(2).uint(3).view()), "83010203");
  EXPECT_EQ(to_hex(Writer().map(2).key(1).uint(2).key(3).uint(4).view()), "a201020304");
}

TEST(Cbor, EveryWidthBoundaryTakesTheShortestHead) {
  for (const std::uint64_t edge :
       {23ULL, 24ULL, 0xffULL, 0x100ULL, 0xffffULL, 0x10000ULL, 0xffffffffULL, 0x100000000ULL}) {
    const Bytes bytes = Writer().uint(edge).take();
    const std::size_t expected = edge < 24 ? 1 : edge <= 0xff ? 2 : edge <= 0xffff ? 3 : edge <= 0xffffffff ? 5 : 9;
    EXPECT_EQ(bytes.size(), expected);
    EXPECT_EQ(Reader(bytes).uint().value(), edge);
  }
}

TEST(Cbor, RefusesNumbersThatAreLongerThanNeeded) {
  for (const char* bytes :
       {"1800", "1817", "190000", "1900ff", "1a00000000", "1a0000ffff", "1b0000000000000000", "1b00000000ffffffff"}) {
    const auto read = Reader(test::hex(bytes)).uint();
    ASSERT_FALSE(read) << bytes;
    EXPECT_EQ(read.error().kind, ErrorKind::record_malformed);
  }
}

TEST(Cbor, RefusesIndefiniteLengthsReservedHeadsAndOtherTypes) {
  EXPECT_FALSE(Reader(test::hex("5f42010243030405ff")).bytes());
  EXPECT_FALSE(Reader(test::hex("9fff")).array());
  EXPECT_FALSE(Reader(test::hex("bfff")).map());
  EXPECT_FALSE(Reader(test::hex("7fff")).text());
  for (const char* bytes : {"1c", "1d", "1e", "1f", "20", "3863", "c0", "f7", "f90000", "fb3ff199999999999a", "ff"}) {
    EXPECT_FALSE(Reader(test::hex(bytes)).uint()) << bytes;
  }
  EXPECT_FALSE(Reader(test::hex("f7")).boolean());
  EXPECT_FALSE(Reader(test::hex("f800")).boolean());
}

TEST(Cbor, RefusesLengthsBeyondTheInput) {
  EXPECT_FALSE(Reader(test::hex("5bffffffffffffffff00")).bytes());
  EXPECT_FALSE(Reader(test::hex("7bffffffffffffffff00")).text());
  EXPECT_FALSE(Reader(test::hex("9bffffffffffffffff00")).array());
  EXPECT_FALSE(Reader(test::hex("bbffffffffffffffff0000")).map());
}

TEST(Cbor, RefusesTextThatIsNotUtf8) {
  EXPECT_TRUE(Reader(test::hex("62c3bc")).text());
  for (const char* bytes : {"61ff", "62c328", "63eda080", "62c080", "64f4908080"}) {
    EXPECT_FALSE(Reader(test::hex(bytes)).text()) << bytes;
  }
}

TEST(Cbor, EveryCutOfADocumentIsRefused) {
  const auto read_all = [](ByteView bytes) -> Result<void> {
    Reader in(bytes);
    CC_ASSIGN(const std::uint64_t pairs, in.map());
    if (pairs != 5) {
      return fail(ErrorKind::record_malformed, "pairs");
    }
    CC_TRY(in.key(0));
    CC_TRY(in.uint());
    CC_TRY(in.key(1));
    CC_TRY(in.bytes(300));
    CC_TRY(in.key(2));
    CC_TRY(in.text());
    CC_TRY(in.key(3));
    CC_TRY(in.boolean());
    CC_TRY(in.key(4));
    CC_ASSIGN(const bool absent, in.null_next());
    if (!absent) {
      CC_TRY(in.bytes());
    }
    return in.end();
  };
  const Bytes whole = Writer()
                          .map(5)
                          .key(0)
                          .uint(70000)
                          .key(1)
                          .bytes(Bytes(300, 7))
                          .key(2)
                          .text("signing key")
                          .key(3)
                          .boolean(true)
                          .key(4)
                          .null()
                          .take();
  ASSERT_TRUE(read_all(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_all(ByteView(whole).first(size))) << size;
  }
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(read_all(longer));
}

TEST(Cbor, KeysMustComeInTheExpectedOrder) {
  const Bytes bytes = test::hex("0201");
  Reader in(bytes);
  const auto key = in.key(1);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind, ErrorKind::record_malformed);
  EXPECT_NE(key.error().message.find("byte 0"), std::string::npos);
  EXPECT_TRUE(in.key(2)) << "a refused read consumes nothing";
}

TEST(Cbor, SecretWriterWritesTheSameBytes) {
  const Bytes secret(32, 0xa5);
  SecretWriter out(100);
  out.map(2).key(0).bytes(secret).key(1).array(2).uint(1).uint(4096);
  const SecretBytes taken = out.take();
  const auto view = expose_secret_bytes(taken);
  EXPECT_EQ(Bytes(view.begin(), view.end()),
            Writer().map(2).key(0).bytes(secret).key(1).array(2).uint(1).uint(4096).take());
}

TEST(Cbor, SecretWriterTakesItsWholeCapacity) {
  SecretWriter out(3);
  out.bytes(test::hex("0102"));
  EXPECT_EQ(out.take().size(), 3U);
}

TEST(CborDeathTest, SecretWriterNeverWritesBeyondItsCapacity) {
  EXPECT_DEATH(
      {
        SecretWriter out(3);
        out.bytes(test::hex("010203"));
      },
      "");
}

TEST(Cbor, RandomNumbersComeBack) {
  test::SeededRandom random(1);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t value = random.below(UINT64_MAX) >> random.below(64);
    const Bytes bytes = Writer().uint(value).take();
    Reader in(bytes);
    EXPECT_EQ(in.uint().value(), value);
    EXPECT_TRUE(in.end());
  }
}

}  // namespace
}  // namespace cc
