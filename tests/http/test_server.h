// A server on a loopback port with a few routes that show what arrived.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <queue>
#include <stdexcept>
#include <thread>

#include "http/server.h"

namespace cc::http::testing {

// Answers on its own thread, in the order of arrival, as the signing workers do.
class Worker {
 public:
  Worker() : thread_([this] { work(); }) {}
  ~Worker() {
    {
      const std::scoped_lock lock(mutex_);
      done_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  void add(std::function<void()> job) {
    {
      const std::scoped_lock lock(mutex_);
      jobs_.push(std::move(job));
    }
    wake_.notify_all();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return done_ || !jobs_.empty(); });
      if (jobs_.empty()) {
        return;
      }
      auto job = std::move(jobs_.front());
      jobs_.pop();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable wake_;
  std::queue<std::function<void()>> jobs_;
  bool done_ = false;
  std::thread thread_;
};

// Holds the responders of /held until the test answers them.
struct Held {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Responder> responders;

  std::vector<Responder> take(std::size_t count) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return responders.size() >= count; }));
    return std::exchange(responders, {});
  }
};

class TestServer {
 public:
  explicit TestServer(ServerOptions options = {}) {
    auto router = std::make_shared<Router>();
    router->add("GET", "/upcheck", [](Request, const Responder& respond) { respond(text(200, "OK")); },
                {.always = true});
    router->add("GET", "/hello/{name}", [](const Request& request, const Responder& respond) {
      respond(text(200, "hello " + request.captures.at("name")));
    });
    router->add("POST", "/echo",
                [](const Request& request, const Responder& respond) { respond(text(200, request.body)); });
    router->add("POST", "/small",
                [](const Request& request, const Responder& respond) { respond(text(200, request.body)); },
                {.body_limit = 16});
    router->add("POST", "/later", [this](Request request, Responder respond) {
      worker_.add([body = request.body, respond = std::move(respond)] { respond(text(200, body)); });
    });
    router->add("POST", "/held", [this](const Request&, Responder respond) {
      const std::scoped_lock lock(held.mutex);
      held.responders.push_back(std::move(respond));
      held.changed.notify_all();
    });
    router->add("POST", "/patient",
                [this](const Request&, Responder respond) {
                  const std::scoped_lock lock(held.mutex);
                  held.responders.push_back(std::move(respond));
                  held.changed.notify_all();
                },
                {.reply_timeout = Milliseconds(20'000)});
    router->add("GET", "/throws",
                [](const Request&, const Responder&) -> void { throw std::runtime_error("planted"); });
    router->add("GET", "/forgets", [](const Request&, const Responder&) {});
    router->add("GET", "/caller", [](const Request& request, const Responder& respond) {
      respond(text(200, request.peer + (request.loopback ? " loopback" : " far") +
                            (request.encrypted ? " encrypted" : " plain")));
    });
    auto started = Server::start(std::move(options), std::move(router));
    if (!started) {
      throw std::runtime_error(started.error().message);
    }
    server = *std::move(started);
  }
  std::uint16_t port() const { return server->port(); }

  Held held;

 private:
  Worker worker_;  // outlived by the server, whose handlers use it

 public:
  std::unique_ptr<Server> server;
};

}  // namespace cc::http::testing
