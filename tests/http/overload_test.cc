#include <gtest/gtest.h>

#include <set>

#include "http/raw_client.h"
#include "http/request_id.h"
#include "http/test_server.h"

namespace cc::http {
namespace {

using testing::get;
using testing::post;
using testing::RawClient;
using testing::RawReply;
using testing::TestServer;

ServerOptions with_room_for(std::size_t connections) {
  ServerOptions out;
  out.max_connections = connections;
  return out;
}

int ask(RawClient& client) {
  client.send(get("/hello/x"));
  return client.read_reply().status;
}

TEST(Overload, TheConnectionIdleLongestMakesRoom) {
  TestServer server(with_room_for(2));
  RawClient first(server.port());
  RawClient second(server.port());
  ASSERT_EQ(ask(first), 200);
  ASSERT_EQ(ask(second), 200);
  ASSERT_EQ(ask(first), 200);  // now the second waits longer
  RawClient third(server.port());
  EXPECT_EQ(ask(third), 200);
  EXPECT_EQ(second.read_to_end(), "");
  EXPECT_EQ(ask(first), 200);
  EXPECT_EQ(ask(third), 200);
  EXPECT_EQ(server.server->counters().evicted_total, 1U);
}

TEST(Overload, SilentAndSlowCallersMakeRoomToo) {
  TestServer server(with_room_for(2));
  RawClient silent(server.port());
  RawClient slow(server.port());
  slow.send("GET /hello/x HTTP/1.1\r\nHost:");
  RawClient third(server.port());
  EXPECT_EQ(ask(third), 200);
  EXPECT_EQ(silent.read_to_end(), "");
  RawClient fourth(server.port());
  EXPECT_EQ(ask(fourth), 200);
  EXPECT_EQ(slow.read_to_end(), "");
}

TEST(Overload, ARequestUnderWayIsNeverInterrupted) {
  TestServer server(with_room_for(2));
  RawClient busy(server.port());
  busy.send(post("/held", ""));
  const auto held = server.held.take(1);
  for (int i = 0; i < 20; ++i) {
    RawClient passing(server.port());
    EXPECT_EQ(ask(passing), 200);
  }
  held[0](text(200, "done"));
  EXPECT_EQ(busy.read_reply().body, "done");
}

TEST(Overload, AFloodOfIdleConnectionsKeepsNobodyOut) {
  TestServer server(with_room_for(50));
  std::vector<RawClient> flood;
  flood.reserve(400);
  for (int i = 0; i < 400; ++i) {
    flood.emplace_back(server.port());
    if (i % 40 == 0) {
      RawClient honest(server.port());
      EXPECT_EQ(ask(honest), 200) << i;
    }
  }
  EXPECT_GE(server.server->counters().evicted_total, 300U);
  EXPECT_LE(server.server->counters().connections, 50U + 64U);
}

// ---- what is judged on the head

std::shared_ptr<const Admission> refuse_without_token() {
  return std::make_shared<const Admission>([](const Request& head) -> std::optional<Response> {
    return head.header("authorization") == "Bearer good" ? std::nullopt
                                                         : std::optional(problem({ErrorKind::unauthorized, "no"}));
  });
}

ServerOptions guarded() {
  ServerOptions out;
  out.admission = refuse_without_token();
  return out;
}

TEST(Overload, ARefusalOnTheHeadComesBeforeTheBodyIsSent) {
  TestServer server(guarded());
  RawClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: s\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 401);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Overload, ASmallBodyIsDroppedAndTheConnectionGoesOn) {
  TestServer server(guarded());
  RawClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: s\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 401);  // before its body came
  client.send("GET /");                        // the body, not a request
  client.send("POST /echo HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer good\r\nContent-Length: 2\r\n\r\nhi");
  const RawReply reply = client.read_reply();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "hi");
}

TEST(Overload, ARefusedCallerThatAsksToContinueOrSendsChunksIsLetGo) {
  TestServer server(guarded());
  for (const std::string head : {"Content-Length: 5\r\nExpect: 100-continue", "Transfer-Encoding: chunked"}) {
    RawClient client(server.port());
    client.send("POST /echo HTTP/1.1\r\nHost: s\r\n" + head + "\r\n\r\n");
    const RawReply reply = client.read_reply();
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(reply.header("Connection"), "close");
    EXPECT_EQ(client.read_to_end(), "");
  }
}

TEST(Overload, TheUpcheckNeedsNoAdmission) {
  TestServer server(guarded());
  RawClient client(server.port());
  client.send(get("/upcheck"));
  EXPECT_EQ(client.read_reply().status, 200);
}

TEST(Overload, SheddingComesBeforeTheTokenAndBeforeTheBody) {
  ServerOptions options = guarded();
  options.max_in_flight = 1;
  TestServer server(std::move(options));
  RawClient busy(server.port());
  busy.send("POST /held HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer good\r\nContent-Length: 0\r\n\r\n");
  const auto held = server.held.take(1);
  RawClient stranger(server.port());
  stranger.send("POST /echo HTTP/1.1\r\nHost: s\r\nContent-Length: 4\r\n\r\n");
  const RawReply reply = stranger.read_reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.header("Retry-After"), "1");
  held[0](text(200, ""));
}

// ---- names of requests, and what is told of them

TEST(RequestId, AGoodOneIsKeptAndABadOneReplaced) {
  TestServer server;
  const auto id_for = [&](const std::string& given) {
    RawClient client(server.port());
    client.send("GET /hello/x HTTP/1.1\r\nHost: s\r\nX-Request-Id: " + given + "\r\n\r\n");
    return client.read_reply().header("X-Request-Id");
  };
  EXPECT_EQ(id_for("4bf92f35-77b3.4da6_A"), "4bf92f35-77b3.4da6_A");
  EXPECT_EQ(id_for(std::string(64, 'a')), std::string(64, 'a'));
  for (const std::string& bad : {std::string(65, 'a'), std::string("a b"), std::string("a\"b"), std::string("a=b"),
                                 std::string("\xc3\xa4"), std::string()}) {
    EXPECT_TRUE(is_request_id(id_for(bad))) << bad;
    EXPECT_NE(id_for(bad), bad);
  }
}

TEST(RequestId, EveryRequestGetsItsOwn) {
  TestServer server;
  RawClient client(server.port());
  std::set<std::string> seen;
  for (int i = 0; i < 10; ++i) {
    client.send(get("/hello/x"));
    seen.insert(client.read_reply().header("X-Request-Id"));
  }
  EXPECT_EQ(seen.size(), 10U);
}

TEST(Exchange, TellsRouteAndStatusButNothingTheCallerWrote) {
  std::mutex mutex;
  std::vector<std::string> told;
  ServerOptions options;
  options.on_answer = [&](const Exchange& exchange) {
    const std::scoped_lock lock(mutex);
    EXPECT_TRUE(is_request_id(exchange.request_id));
    EXPECT_EQ(exchange.peer, "127.0.0.1");
    EXPECT_GE(exchange.duration.count(), 0);
    told.push_back(std::string(exchange.method) + " " + std::string(exchange.route) + " " +
                   std::to_string(exchange.status));
  };
  TestServer server(std::move(options));
  RawClient client(server.port());
  for (const std::string& request :
       {get("/hello/secret-name?token=x"), get("/nowhere/secret"), post("/hello/x", ""),
        std::string("BREW /hello/x HTTP/1.1\r\nHost: s\r\n\r\n"), std::string("nonsense\r\n\r\n")}) {
    client.send(request);
    client.read_reply();
  }
  client.read_to_end();
  server.server->stop(Milliseconds(0));
  EXPECT_EQ(told, (std::vector<std::string>{"GET /hello/{name} 200", "GET none 404", "POST none 405", "other none 405",
                                            "none none 400"}));
}

}  // namespace
}  // namespace cc::http
