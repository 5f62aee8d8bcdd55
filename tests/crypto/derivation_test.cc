// docs/spec/derivation.md, its vectors and the sources say the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "crypto/hash.h"
#include "support/vector_table.h"

namespace cc::crypto {
namespace {

using test::hex;

struct Purpose {
  std::string name;
  std::string ikm;
  std::string id;
  std::size_t info_bytes() const { return name.size() + (id == "none" ? 0 : 16); }
};

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The rows of the specification's table of purposes.
std::vector<Purpose> specified() {
  const std::string page = contents(std::string(CC_SOURCE_DIR) + "/docs/spec/derivation.md");
  const std::regex row(R"(\| `([a-z-]+)` \| ([^|]+) \| (none|lock id, 16 bytes) \|)");
  std::vector<Purpose> out;
  for (std::sregex_iterator it(page.begin(), page.end(), row), end; it != end; ++it) {
    out.push_back({(*it)[1], (*it)[2], (*it)[3]});
  }
  return out;
}

// Every purpose that a call in `source` names: the first text in the arguments of derive() and its like, or the whole
// info handed to hkdf_sha256().
std::set<std::string> purposes_in(const std::string& source) {
  const std::regex call(R"re((?:derive|pepper_key)\([^;"]*"([a-z-]+)"|hkdf_sha256\([^;"]*"cc/v1/([a-z-]+)")re");
  std::set<std::string> out;
  for (std::sregex_iterator it(source.begin(), source.end(), call), end; it != end; ++it) {
    out.insert((*it)[1].matched ? (*it)[1] : (*it)[2]);
  }
  return out;
}

TEST(Derivation, GivesThePublishedVectorOfEveryPurpose) {
  std::vector<std::string> names;
  for (const auto& row : test::read_vectors("crypto/derivation.txt", 5)) {
    const Bytes ikm = hex(row[0]);
    const Bytes salt = hex(row[1]);
    const std::string info = "cc/v1/" + row[2];
    Bytes framed(info.begin(), info.end());
    append(framed, hex(row[3]));
    EXPECT_EQ(to_hex(expose_secret_bytes(hkdf_sha256(ikm, salt, framed))), row[4]) << row[2];
    if (ikm.size() == 32) {
      const auto secret = Secret<32>::copy_of(ByteView(ikm).first<32>());
      EXPECT_EQ(to_hex(expose_secret_bytes(derive(secret, salt, row[2], hex(row[3])))), row[4]) << row[2];
    }
    names.push_back(row[2]);
  }
  std::vector<std::string> wanted;
  for (const Purpose& purpose : specified()) {
    wanted.push_back(purpose.name);
  }
  EXPECT_EQ(names, wanted);
}

TEST(Derivation, NeverGivesTwoPurposesOfOneKeyTheSameInfo) {
  const auto purposes = specified();
  ASSERT_GE(purposes.size(), 10U);
  for (const Purpose& a : purposes) {
    for (const Purpose& b : purposes) {
      if (&a != &b && a.ikm == b.ikm) {
        EXPECT_TRUE(b.name.rfind(a.name, 0) != 0 || a.info_bytes() != b.info_bytes()) << a.name << ", " << b.name;
      }
    }
  }
}

TEST(Derivation, SpecifiesEveryPurposeOfTheSources) {
  const auto purposes = specified();
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(std::string(CC_SOURCE_DIR) + "/src")) {
    if (entry.path().extension() == ".cc") {
      found.merge(purposes_in(contents(entry.path())));
    }
  }
  EXPECT_TRUE(found.contains("record") && found.contains("keys")) << "the search itself finds nothing";
  for (const std::string& name : found) {
    EXPECT_TRUE(std::ranges::any_of(purposes, [&](const Purpose& p) { return p.name == name; }))
        << name << " is derived somewhere under src/: give it a row in docs/spec/derivation.md and a vector";
  }
  EXPECT_EQ(found.size(), purposes.size()) << "a purpose of docs/spec/derivation.md is used nowhere";
}

TEST(Derivation, FindsThePurposesOfASource) {
  EXPECT_EQ(purposes_in("x = derive(a, b(),\n   \"one-two\", id); y = pepper_key(p, \"three\", m);"),
            (std::set<std::string>{"one-two", "three"}));
  EXPECT_EQ(purposes_in("hkdf_sha256(ikm, {}, bytes_of(\"cc/v1/four\")); seal_box(key, \"cc/v1/five\")"),
            (std::set<std::string>{"four"}));
}

}  // namespace
}  // namespace cc::crypto
