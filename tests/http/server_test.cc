#include "http/server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/un.h>

#include <atomic>
#include <random>
#include <thread>

#include "http/raw_client.h"
#include "http/test_server.h"

namespace cc::http {
namespace {

using testing::get;
using testing::post;
using testing::RawClient;
using testing::RawReply;
using testing::TestServer;

ServerOptions quick(Milliseconds timeout) {
  ServerOptions options;
  options.header_timeout = options.body_timeout = options.idle_timeout = options.reply_timeout = timeout;
  return options;
}

TEST(Server, AnswersAndKeepsTheConnection) {
  TestServer server;
  RawClient client(server.port());
  for (int i = 0; i < 100; ++i) {
    client.send(get("/hello/n" + std::to_string(i)));
    const RawReply reply = client.read_reply();
    ASSERT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "hello n" + std::to_string(i));
    EXPECT_EQ(reply.header("Connection"), "keep-alive");
  }
  EXPECT_EQ(server.server->counters().requests_total, 100U);
  EXPECT_EQ(server.server->counters().connections, 1U);
}

TEST(Server, EveryAnswerCarriesTheSecurityHeaders) {
  TestServer server;
  RawClient client(server.port());
  for (const char* path : {"/upcheck", "/unknown", "/throws"}) {
    client.send(get(path));
    const RawReply reply = client.read_reply();
    EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(reply.header("Cache-Control"), "no-store") << path;
    EXPECT_EQ(reply.header("Server"), "") << path;
    EXPECT_TRUE(reply.header("Date").ends_with(" GMT")) << reply.head;
    EXPECT_NE(reply.header("X-Request-Id"), "") << path;
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestServer server;
  RawClient client(server.port());
  std::string all;
  for (int i = 0; i < 200; ++i) {
    all += i % 3 == 0 ? post("/later", std::to_string(i)) : post("/echo", std::to_string(i));
  }
  client.send(all);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(client.read_reply().body, std::to_string(i));
  }
}

TEST(Server, ReadsChunkedBodiesAndContinue) {
  TestServer server;
  RawClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_reply().body, "abcde");
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 100);
  client.send("xyz");
  EXPECT_EQ(client.read_reply().body, "xyz");
}

TEST(Server, CarriesLargeBodiesBothWays) {
  ServerOptions options;
  TestServer server(options);
  RawClient client(server.port());
  std::string body(1024UL * 1024, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) {
    body[i] = static_cast<char>('a' + i % 23);
  }
  client.send(post("/echo", body));
  EXPECT_TRUE(client.read_reply().body == body);
}

TEST(Server, TellsUnknownPathsFromUnknownMethods) {
  TestServer server;
  RawClient client(server.port());
  client.send(post("/unknown", "body is read and dropped"));
  EXPECT_EQ(client.read_reply().status, 404);
  client.send("DELETE /upcheck HTTP/1.1\r\nHost: h\r\n\r\n");
  const RawReply reply = client.read_reply();
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.header("Allow"), "GET, HEAD");
  EXPECT_EQ(reply.header("Content-Type"), "application/problem+json");
  client.send("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 404);
  client.send(get("/upcheck"));
  EXPECT_EQ(client.read_reply().status, 200) << "the connection is still good";
}

TEST(Server, HeadHasTheLengthWithoutTheBody) {
  TestServer server;
  RawClient client(server.port());
  client.send("HEAD /upcheck HTTP/1.1\r\nHost: h\r\n\r\n");
  const RawReply reply = client.read_reply(true);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("Content-Length"), "2");
  client.send(get("/upcheck"));
  EXPECT_EQ(client.read_reply().body, "OK");
}

TEST(Server, RefusesTooLargeBodiesBeforeReadingThem) {
  TestServer server;
  {
    RawClient client(server.port());
    client.send("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 17\r\n\r\n");
    EXPECT_EQ(client.read_reply().status, 413) << "no byte of the body was sent";
    EXPECT_EQ(client.read_to_end(), "");
  }
  {
    RawClient client(server.port());
    client.send(post("/echo", std::string(2UL * 1024 * 1024, 'x')));
    const RawReply reply = client.read_reply();
    EXPECT_EQ(reply.status, 413);
    EXPECT_EQ(reply.header("Connection"), "close");
  }
  {
    RawClient client(server.port());
    client.send(
        "POST /small HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\n8\r\n12345678\r\n9\r\n123456789\r\n0\r\n\r\n");
    EXPECT_EQ(client.read_reply().status, 413);
  }
  {
    RawClient client(server.port());
    client.send("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 17\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read_reply().status, 413) << "never asked to go on";
  }
  RawClient client(server.port());
  client.send(post("/small", "0123456789abcdef"));
  EXPECT_EQ(client.read_reply().status, 200);
}

TEST(Server, RefusesHeadsOverTheLimit) {
  TestServer server;
  RawClient client(server.port());
  client.send("GET /upcheck HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 431);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, ASlowHeadIsAnswered408) {
  TestServer server(quick(Milliseconds(100)));
  RawClient client(server.port());
  client.send("GET /upcheck HTT");
  const RawReply reply = client.read_reply();
  EXPECT_EQ(reply.status, 408);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, ADrippingHeadDoesNotPutTheDeadlineOff) {
  TestServer server(quick(Milliseconds(200)));
  RawClient client(server.port());
  std::atomic<bool> over{false};
  std::jthread dripping([&] {
    client.send("GET /upcheck HTTP/1.1\r\nHost: h\r\nX: ");
    while (!over && client.send("x")) {
      std::this_thread::sleep_for(Milliseconds(10));
    }
  });
  EXPECT_EQ(client.read_reply().status, 408);
  over = true;
}

TEST(Server, ASlowBodyIsAnswered408) {
  TestServer server(quick(Milliseconds(100)));
  RawClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(client.read_reply().status, 408);
}

TEST(Server, AnIdleConnectionEndsWithoutAWord) {
  TestServer server(quick(Milliseconds(100)));
  RawClient fresh(server.port());
  EXPECT_EQ(fresh.read_to_end(), "");
  RawClient used(server.port());
  used.send(get("/upcheck"));
  EXPECT_EQ(used.read_reply().status, 200);
  EXPECT_EQ(used.read_to_end(), "");
}

TEST(Server, ARouteMayTakeLongerThanTheServersReplyTimeout) {
  TestServer server(quick(Milliseconds(300)));
  RawClient client(server.port());
  client.send(post("/patient", ""));
  const auto held = server.held.take(1);
  std::this_thread::sleep_for(Milliseconds(900));
  held[0](text(200, "at last"));
  EXPECT_EQ(client.read_reply().body, "at last");
}

TEST(Server, AHandlerThatDoesNotAnswerInTimeIs503AndItsLateAnswerIsDropped) {
  TestServer server(quick(Milliseconds(300)));
  RawClient client(server.port());
  client.send(post("/held", ""));
  const RawReply reply = client.read_reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_NE(reply.body.find("reply_timeout"), std::string::npos);
  const auto late = server.held.take(1);
  late[0](text(200, "late"));
  client.send(post("/echo", "next"));
  EXPECT_EQ(client.read_reply().body, "next") << "the late answer is not taken for this request's";
}

TEST(Server, AHandlerThatThrowsOrForgetsIs500) {
  TestServer server;
  RawClient client(server.port());
  for (const char* path : {"/throws", "/forgets"}) {
    client.send(get(path));
    const RawReply reply = client.read_reply();
    EXPECT_EQ(reply.status, 500) << path;
    EXPECT_NE(reply.body.find("\"code\":\"internal\""), std::string::npos);
    EXPECT_EQ(reply.body.find("planted"), std::string::npos) << "the reason is for the log";
  }
  client.send(get("/upcheck"));
  EXPECT_EQ(client.read_reply().status, 200);
}

TEST(Server, OnlyTheFirstAnswerCounts) {
  TestServer server;
  RawClient client(server.port());
  client.send(post("/held", "") + post("/echo", "second"));
  const auto held = server.held.take(1);
  held[0](text(200, "first"));
  held[0](text(200, "again"));
  EXPECT_EQ(client.read_reply().body, "first");
  EXPECT_EQ(client.read_reply().body, "second");
  EXPECT_EQ(server.server->counters().in_flight, 0U);
}

TEST(Server, ShedsLoadAndStillAnswersTheUpcheck) {
  ServerOptions options;
  options.max_in_flight = 2;
  TestServer server(options);
  RawClient first(server.port());
  RawClient second(server.port());
  RawClient third(server.port());
  first.send(post("/held", ""));
  second.send(post("/held", ""));
  const auto held = server.held.take(2);
  third.send(post("/echo", "x"));
  const RawReply shed = third.read_reply();
  EXPECT_EQ(shed.status, 503);
  EXPECT_EQ(shed.header("Retry-After"), "1");
  EXPECT_NE(shed.body.find("overloaded"), std::string::npos);
  third.send(get("/upcheck"));
  EXPECT_EQ(third.read_reply().status, 200);
  held[0](text(200, "a"));
  held[1](text(200, "b"));
  EXPECT_EQ(first.read_reply().status, 200);
  EXPECT_EQ(second.read_reply().status, 200);
  third.send(post("/echo", "x"));
  EXPECT_EQ(third.read_reply().status, 200);
  EXPECT_EQ(server.server->counters().shed_total, 1U);
}

TEST(Server, WhenAllConnectionsAreBusyTheNextGetsTheUpcheckOnly) {
  ServerOptions options;
  options.max_connections = 2;
  TestServer server(options);
  RawClient first(server.port());
  RawClient second(server.port());
  for (RawClient* client : {&first, &second}) {
    client->send(post("/held", ""));
  }
  const auto held = server.held.take(2);
  RawClient third(server.port());
  third.send(post("/echo", "x"));
  EXPECT_EQ(third.read_reply().status, 503);
  EXPECT_EQ(third.read_to_end(), "");
  RawClient fourth(server.port());
  fourth.send(get("/upcheck"));
  EXPECT_EQ(fourth.read_reply().status, 200);
  held[0](text(200, "a"));
  held[1](text(200, "b"));
  EXPECT_EQ(first.read_reply().status, 200);
  EXPECT_EQ(second.read_reply().status, 200);
  EXPECT_EQ(server.server->counters().evicted_total, 0U);
}

TEST(Server, ServesFiveHundredConnections) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = std::max<rlim_t>(files.rlim_cur, std::min<rlim_t>(files.rlim_max, 4096));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  TestServer server;
  std::vector<RawClient> clients;
  clients.reserve(500);
  for (int i = 0; i < 500; ++i) {
    clients.emplace_back(server.port());
    ASSERT_TRUE(clients.back().connected()) << i;
  }
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      clients[i].send(post("/later", std::to_string(i)));
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
      ASSERT_EQ(clients[i].read_reply().body, std::to_string(i));
    }
  }
  EXPECT_EQ(server.server->counters().connections, 500U);
}

TEST(Server, AnswersFromManyThreadsReachTheirOwnRequests) {
  TestServer server;
  std::vector<std::jthread> callers;
  callers.reserve(8);
  std::atomic<int> right{0};
  for (int t = 0; t < 8; ++t) {
    callers.emplace_back([&, t] {
      RawClient client(server.port());
      for (int i = 0; i < 200; ++i) {
        const std::string word = std::to_string(t) + "-" + std::to_string(i);
        client.send(post(i % 2 == 0 ? "/later" : "/echo", word));
        right += client.read_reply().body == word ? 1 : 0;
      }
    });
  }
  callers.clear();
  EXPECT_EQ(right, 1600);
}

TEST(Server, KnowsTheCaller) {
  TestServer server;
  RawClient client(server.port());
  client.send(get("/caller"));
  EXPECT_EQ(client.read_reply().body, "127.0.0.1 loopback plain");
}

TEST(Server, ListensOnAUnixSocketAndReplacesAnAbandonedOne) {
  const std::string path = ::testing::TempDir() + "cc-http-" + std::to_string(::getpid()) + ".sock";
  ServerOptions options;
  options.address = "unix:" + path;
  for (int round = 0; round < 2; ++round) {  // the second round finds the file of the first
    TestServer server(options);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_GE(fd, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    const std::string request = "GET /caller HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    ASSERT_EQ(::send(fd, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    std::string reply;
    char buffer[1024];
    for (ssize_t size = 0; (size = ::recv(fd, buffer, sizeof(buffer), 0)) > 0;) {
      reply.append(buffer, static_cast<std::size_t>(size));
    }
    EXPECT_TRUE(reply.ends_with("\r\n\r\nunix loopback encrypted")) << reply;
    ::close(fd);
    EXPECT_FALSE(Server::start(options, std::make_shared<Router>()).has_value()) << "a live socket is not taken away";
  }
  ::unlink(path.c_str());
}

TEST(Server, NamesWhyItCannotListen) {
  TestServer server;
  ServerOptions options;
  options.port = server.port();
  const auto second = Server::start(options, std::make_shared<Router>());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, ErrorKind::config_invalid);
  EXPECT_NE(second.error().message.find("127.0.0.1 port " + std::to_string(server.port())), std::string::npos);
  options.address = "signer.example";
  EXPECT_EQ(Server::start(options, std::make_shared<Router>()).error().kind, ErrorKind::config_invalid);
}

TEST(Server, APortCanBeTakenAgainAtOnce) {
  ServerOptions options;
  for (int i = 0; i < 5; ++i) {
    TestServer server(options);
    options.port = server.port();
    RawClient client(server.port());
    client.send(get("/upcheck"));
    EXPECT_EQ(client.read_reply().status, 200);
    server.server->stop(Milliseconds(0));
  }
}

TEST(Server, TenThousandBrokenRequestsCostNobodyElse) {
  TestServer server;
  RawClient steady(server.port());
  std::mt19937 random(20240229);  // NOLINT(cert-msc51-cpp): a replayable sequence is wanted
  const std::string good = post("/echo?x=1", "body") + get("/upcheck");
  for (int i = 0; i < 10'000; ++i) {
    std::string bad = good;
    for (std::uint32_t edits = 1 + random() % 8; edits > 0; --edits) {
      const std::size_t at = random() % bad.size();
      switch (random() % 3) {
        case 0:
          bad[at] = static_cast<char>(random());
          break;
        case 1:
          bad.erase(at, 1 + random() % 10);
          break;
        default:
          bad.insert(at, 1, static_cast<char>(random()));
      }
      if (bad.empty()) {
        bad = "\n";
      }
    }
    RawClient client(server.port());
    client.send(bad);
    client.finish_sending();
    for (const std::string all = client.read_to_end(); !all.empty();) {
      ASSERT_TRUE(all.starts_with("HTTP/1.1 ")) << all;
      break;
    }
    if (i % 500 == 0) {
      steady.send(post("/echo", "steady"));
      ASSERT_EQ(steady.read_reply().body, "steady");
    }
  }
}

TEST(Server, StopLetsRequestsUnderWayFinish) {
  TestServer server;
  RawClient busy(server.port());
  RawClient idle(server.port());
  idle.send(get("/upcheck"));
  EXPECT_EQ(idle.read_reply().status, 200);
  busy.send(post("/held", ""));
  const auto held = server.held.take(1);
  std::jthread stopping([&] { server.server->stop(Milliseconds(60'000)); });
  EXPECT_EQ(idle.read_to_end(), "");
  held[0](text(200, "finished"));
  const RawReply reply = busy.read_reply();
  EXPECT_EQ(reply.body, "finished");
  EXPECT_EQ(reply.header("Connection"), "close");
  stopping.join();
  EXPECT_FALSE(RawClient(server.port()).connected());
}

TEST(Server, StopClosesWhatOutlastsItsPatience) {
  TestServer server;
  RawClient busy(server.port());
  busy.send(post("/held", ""));
  const auto held = server.held.take(1);
  server.server->stop(Milliseconds(50));
  EXPECT_EQ(busy.read_to_end(), "");
  held[0](text(200, "nobody hears this"));
  server.server->stop(Milliseconds(50));
}

TEST(Server, AResponderMayOutliveTheServer) {
  std::vector<Responder> held;
  {
    TestServer server;
    RawClient client(server.port());
    client.send(post("/held", ""));
    held = server.held.take(1);
  }
  held[0](text(200, "nobody is left"));
}

TEST(Server, StopsUnderLoad) {
  for (int round = 0; round < 5; ++round) {
    TestServer server;
    std::atomic<bool> over{false};
    std::atomic<int> answered{0};
    std::vector<std::jthread> callers;
    callers.reserve(6);
    for (int t = 0; t < 6; ++t) {
      callers.emplace_back([&] {
        while (!over) {
          RawClient client(server.port());
          while (!over && client.connected() && client.send(post("/later", "x"))) {
            if (client.read_reply().status != 200) {
              break;
            }
            ++answered;
          }
        }
      });
    }
    while (answered < 200) {
      std::this_thread::yield();
    }
    server.server->stop(Milliseconds(round % 2 == 0 ? 0 : 10'000));
    over = true;
    callers.clear();
    EXPECT_EQ(server.server->counters().connections, 0U);
  }
}

}  // namespace
}  // namespace cc::http
