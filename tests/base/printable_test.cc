#include "base/printable.h"

#include <gtest/gtest.h>

namespace cc {
namespace {

TEST(Printable, LeavesTextOfAnyLanguageAsItIs) {
  for (const char* const text : {"", "plain \"text\" \\ 12", "größer", "日本語", "🔑 key"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, EscapesWhatATerminalObeys) {
  EXPECT_EQ(printable("\x1b[2J\a\r\t\x7f"), "\\u001b[2J\\u0007\\u000d\\u0009\\u007f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\u009b31m")
      << "the eight-bit beginning of a sequence";
  EXPECT_EQ(printable("\xc2\xa0"), "\xc2\xa0") << "the first that is none";
}

TEST(Printable, EscapesWhatMakesTwoLinesOfOneOrTurnsIt) {
  EXPECT_EQ(printable("a\nb"), "a\\u000ab");
  EXPECT_EQ(printable("a\nb", LineBreaks::kept), "a\nb");
  EXPECT_EQ(printable("\u2028\u2029\u202e\u2066", LineBreaks::kept), "\\u2028\\u2029\\u202e\\u2066");
}

TEST(Printable, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(printable("a\xff"
                      "b"),
            "a\\ufffdb");
  EXPECT_EQ(printable("\xc0\x9b"), "\\ufffd\\ufffd") << "overlong";
  EXPECT_EQ(printable("\xe2\x80"), "\\ufffd\\ufffd") << "cut";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd") << "a surrogate";
}

}  // namespace
}  // namespace cc
