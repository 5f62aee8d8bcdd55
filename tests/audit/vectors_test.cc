// tests/vectors/audit: the published log, checkpoint key, transcript and planted faults. tools/audit_verify.py reads
// the same files (e2e/test_audit.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "log_of.h"

namespace cc::audit {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(CC_SOURCE_DIR) / "tests/vectors/audit";

std::string contents(const std::string& name) {
  std::ifstream in(kFolder / name, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Each file is a log; its name says the faults: `altered-7.log`, `missing-4.log`, `forged-5-forged-11.log`.
std::map<std::string, std::string> planted() {
  const test::LogOf log = test::published_log();
  const auto with = [&log](const std::function<void(std::vector<std::string>&)>& edit) {
    test::LogOf copy = log;
    edit(copy.lines);
    return copy.text();
  };
  std::map<std::string, std::string> out;
  out["good.log"] = log.text();
  out["altered-7.log"] = with([](auto& lines) { lines[6].replace(lines[6].find("bob"), 3, "eve"); });
  out["missing-4.log"] = with([](auto& lines) { lines.erase(lines.begin() + 3); });
  out["reordered-9-missing-9.log"] = with([](auto& lines) { std::swap(lines[8], lines[9]); });
  out["unreadable-8.log"] = with([](auto& lines) { lines[7].insert(5, " "); });
  out["torn-12-cut-12.log"] = log.text().substr(0, log.text().size() - 30);
  out["cut-9.log"] = with([](auto& lines) { lines.resize(8); });
  test::LogOf anew;
  for (const std::string& line : log.lines) {
    const Entry entry = decode(line).value();
    Draft what = entry.what;
    if (entry.number == 3) {
      what.by = Author::of_operator("eve");
    }
    anew.lines.push_back(anew.chain.append(what, entry.time, entry.checkpoint));
  }
  out["forged-5-forged-11-rewritten-12-not_signed-12.log"] = anew.text();
  // The same by somebody who knows that checkpoints cannot be forged, and leaves them out.
  test::LogOf without;
  for (const std::string& line : test::published_log().lines) {
    if (const Entry entry = decode(line).value(); !entry.checkpoint) {
      without.add(entry.what);
    }
  }
  out["not_signed-9-not_signed-10-cut-11.log"] = without.text();
  return out;
}

std::string faults_by_name(const std::string& text) {
  Expectations expected;
  expected.heads.push_back(test::published_log().chain.head());
  expected.keys.insert(test::checkpoint_key().public_key());
  std::string out = test::faults_of(test::verified(text, expected));
  std::erase(out, ',');
  std::ranges::replace(out, ' ', '-');
  return out;
}

// With CC_WRITE_VECTORS set the files are written anew.
TEST(Vectors, TheFilesAreWhatThisProgramWrites) {
  const std::string known =
      to_hex(test::checkpoint_key().public_key()) + "\n" + text_of(test::published_log().chain.head()) + "\n";
  auto files = planted();
  files["known.txt"] = known;
  if (std::getenv("CC_WRITE_VECTORS") != nullptr) {
    for (const auto& [name, text] : files) {
      std::ofstream(kFolder / name, std::ios::binary) << text;
    }
  }
  for (const auto& [name, text] : files) {
    EXPECT_EQ(contents(name), text) << name;
  }
}

TEST(Vectors, EachFileHasTheFaultsOfItsName) {
  int seen = 0;
  for (const auto& file : std::filesystem::directory_iterator(kFolder)) {
    if (file.path().extension() != ".log") {
      continue;
    }
    const std::string name = file.path().stem().string();
    EXPECT_EQ(faults_by_name(contents(file.path().filename().string())), name == "good" ? "" : name);
    ++seen;
  }
  EXPECT_EQ(seen, 9);
}

}  // namespace
}  // namespace cc::audit
