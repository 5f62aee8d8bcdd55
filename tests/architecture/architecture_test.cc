// The rules of the house that a machine can check: arrows point down, files stay small, nothing is left unfinished.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = CC_SOURCE_DIR;

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream in(path);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) {
    out.push_back(line);
  }
  return out;
}

std::vector<fs::path> files_under(const std::string& folder, const std::set<std::string>& endings) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
    if (entry.is_regular_file() && endings.contains(entry.path().extension().string())) {
      out.push_back(entry.path());
    }
  }
  return out;
}

struct Arrows {
  std::vector<std::string> order;
  std::map<std::string, std::set<std::string>> allowed;
};

Arrows read_arrows() {
  Arrows out;
  for (const std::string& line : lines_of(kRoot / "tests/architecture/allowed_arrows.txt")) {
    const auto colon = line.find(':');
    if (line.starts_with('#') || colon == std::string::npos) {
      continue;
    }
    const std::string room = line.substr(0, colon);
    out.order.push_back(room);
    std::istringstream rest(line.substr(colon + 1));
    std::set<std::string>& lower = out.allowed[room];
    for (std::string name; rest >> name;) {
      lower.insert(name);
    }
  }
  return out;
}

std::string room_of_path(const std::string& relative) {
  const fs::path path(relative);
  auto part = path.begin();
  std::string room = part->string();
  if (room == "adapters") {
    room += "/" + std::next(part)->string();
  }
  return room;
}

std::vector<std::string> forbidden_arrows(const Arrows& arrows, const std::string& room,
                                          const std::vector<std::string>& lines) {
  static const std::regex include(R"re(^\s*#include\s+"([^"]+)")re");
  std::vector<std::string> out;
  for (const std::string& line : lines) {
    std::smatch match;
    if (!std::regex_search(line, match, include)) {
      continue;
    }
    const std::string target = room_of_path(match[1].str());
    if (target != room && arrows.allowed.contains(target) && !arrows.allowed.at(room).contains(target)) {
      out.push_back(match[1].str());
    }
  }
  return out;
}

TEST(House, EveryArrowInTheListPointsDown) {
  const Arrows arrows = read_arrows();
  ASSERT_GE(arrows.order.size(), 10U);
  std::set<std::string> above;
  for (const std::string& room : arrows.order) {
    for (const std::string& lower : arrows.allowed.at(room)) {
      EXPECT_TRUE(above.contains(lower)) << room << " names " << lower << ", which does not stand above it";
    }
    above.insert(room);
  }
}

TEST(House, EveryIncludeIsAnAllowedArrow) {
  const Arrows arrows = read_arrows();
  int files = 0;
  for (const fs::path& path : files_under("src", {".h", ".cc", ".inc"})) {
    const std::string relative = fs::relative(path, kRoot / "src").string();
    if (relative == "main.cc") {
      continue;
    }
    const std::string room = room_of_path(relative);
    ASSERT_TRUE(arrows.allowed.contains(room)) << relative << " lies in a room that allowed_arrows.txt does not know";
    for (const std::string& target : forbidden_arrows(arrows, room, lines_of(path))) {
      ADD_FAILURE() << relative << " includes " << target;
    }
    ++files;
  }
  EXPECT_GT(files, 20);
}

TEST(House, AnUpwardIncludeWouldBeFound) {
  const Arrows arrows = read_arrows();
  EXPECT_EQ(forbidden_arrows(arrows, "base", {"#include \"seal/chamber.h\""}),
            std::vector<std::string>{"seal/chamber.h"});
  EXPECT_TRUE(forbidden_arrows(arrows, "seal", {"#include \"base/bytes.h\""}).empty());
}

TEST(House, FilesStayReadable) {
  for (const fs::path& path : files_under("src", {".h", ".cc"})) {
    const std::size_t limit = path.extension() == ".h" ? 400 : 600;
    EXPECT_LE(lines_of(path).size(), limit) << fs::relative(path, kRoot) << " is usually two ideas";
  }
}

TEST(House, NothingIsLeftUnfinished) {
  // Spelled in two halves so that this file does not find itself.
  const std::vector<std::string> marks{std::string("TO") + "DO", std::string("FIX") + "ME",
                                       std::string("DIS") + "ABLED_", std::string("GTEST_") + "SKIP"};
  for (const std::string folder : {"src", "tests", "fuzz"}) {
    for (const fs::path& path : files_under(folder, {".h", ".cc", ".inc"})) {
      for (const std::string& line : lines_of(path)) {
        for (const std::string& mark : marks) {
          EXPECT_EQ(line.find(mark), std::string::npos) << fs::relative(path, kRoot) << ": " << line;
        }
      }
    }
  }
}

TEST(House, BoostAsioStaysBehindTheHttpRoom) {
  for (const fs::path& path : files_under("src", {".h", ".cc"})) {
    const std::string relative = fs::relative(path, kRoot / "src").string();
    if (relative.starts_with("http/")) {
      continue;
    }
    for (const std::string& line : lines_of(path)) {
      EXPECT_EQ(line.find("boost/asio"), std::string::npos) << relative;
      EXPECT_EQ(line.find("boost/beast"), std::string::npos) << relative;
    }
  }
}

}  // namespace
