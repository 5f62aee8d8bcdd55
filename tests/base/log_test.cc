#include "base/log.h"

#include <gtest/gtest.h>

namespace cc::log {
namespace {

std::string captured(Format format, std::string_view message, std::string value) {
  configure(Level::info, format);
  testing::internal::CaptureStderr();
  warn(message, {{"field", std::move(value)}});
  configure(Level::info, Format::text);
  return testing::internal::GetCapturedStderr();
}

TEST(Log, TextFormNamesLevelMessageAndFields) {
  const std::string line = captured(Format::text, "Something happened", "plain");
  EXPECT_NE(line.find("WARN  Something happened field=plain\n"), std::string::npos) << line;
}

TEST(Log, NoValueCanForgeALine) {
  for (const Format format : {Format::text, Format::json}) {
    const std::string line = captured(format, "message", "a\nERROR forged \"quoted\" \x1b[31m");
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
    EXPECT_NE(line.find("\\\"quoted\\\""), std::string::npos);
  }
}

TEST(Log, WhatIsNoUtf8IsReplacedAndWhatIsStays) {
  for (const Format format : {Format::text, Format::json}) {
    EXPECT_NE(captured(format, "message", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x91")
                  .find("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x91"),
              std::string::npos);
    for (const std::string bad :
         {"\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
      const std::string line = captured(format, "message", "a" + bad + "z");
      EXPECT_NE(line.find("\\ufffd"), std::string::npos) << line;
      EXPECT_EQ(line.find(bad), std::string::npos);
      EXPECT_NE(line.find('z'), std::string::npos);
    }
  }
}

TEST(Log, TellsBeforehandWhetherALevelIsWritten) {
  configure(Level::warn, Format::text);
  EXPECT_TRUE(enabled(Level::error));
  EXPECT_FALSE(enabled(Level::info));
  configure(Level::info, Format::text);
}

TEST(Log, ReadsPlainLevelsAndTheRustLogForm) {
  EXPECT_EQ(parse_level("debug"), Level::debug);
  EXPECT_EQ(parse_level("containment_chamber=trace"), Level::trace);
  EXPECT_EQ(parse_level("nonsense"), Level::info);
}

TEST(Log, AlwaysIsWrittenWhateverTheLevel) {
  configure(Level::error, Format::text);
  testing::internal::CaptureStderr();
  warn("hidden");
  always("Setup token generated", {{"setup_token", "cc-setup-x"}});
  configure(Level::info, Format::text);
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_EQ(out.find("hidden"), std::string::npos);
  EXPECT_NE(out.find("setup_token=cc-setup-x"), std::string::npos);
}

}  // namespace
}  // namespace cc::log
