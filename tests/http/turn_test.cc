// What is put off to the end of a turn.
#include "http/turn.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <string>

namespace cc::http {
namespace {

TEST(Turn, ElsewhereThanOnAnIoThreadTheWorkRunsAtOnce) {
  int ran = 0;
  after_this_turn(&ran, [&] { ++ran; });
  after_this_turn(&ran, [&] { ++ran; });
  EXPECT_EQ(ran, 2);
}

TEST(Turn, WhatIsReadyIsHandedOutBeforeWhatWasPutOff) {
  asio::io_context io;
  const Turn turn(io);
  std::string order;
  for (const char* name : {"a", "b", "c"}) {
    asio::post(io, [&order, name] {
      order += name;
      after_this_turn(&order, [&order] { order += '!'; });
    });
  }
  io.run();
  EXPECT_EQ(order, "abc!");
}

TEST(Turn, EveryNameRunsOnceATurnAndAgainInTheNext) {
  asio::io_context io;
  const Turn turn(io);
  int one = 0, two = 0;
  const auto both = [&] {
    after_this_turn(&one, [&] { ++one; });
    after_this_turn(&two, [&] { ++two; });
    after_this_turn(&one, [&] { ++one; });
  };
  asio::post(io, [&] {
    both();
    asio::post(io, [&] { both(); });
  });
  io.run();
  EXPECT_EQ(one, 2);
  EXPECT_EQ(two, 2);
}

TEST(Turn, WhatWasPutOffIsNotLostWhenTheServerEnds) {
  asio::io_context io;
  bool ran = false;
  {
    const Turn turn(io);
    after_this_turn(&ran, [&] { ran = true; });
    EXPECT_FALSE(ran);
  }
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace cc::http
