// Routes by method and path pattern. A pattern part {name} captures one path segment; where two patterns fit, the one
// with fewer captures wins. HEAD is answered by the GET route.
//
// Built before the server starts and only read afterwards, so that match() is safe from any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/message.h"

namespace cc::http {

// May answer at once or move the request and the responder to another thread. Called on the I/O thread: it must not
// block.
using Handler = std::function<void(Request, Responder)>;

// Asked with the head of a request, before its body is read: a refusal, or nothing. Called on the I/O thread.
using Admission = std::function<std::optional<Response>(const Request&)>;

struct RouteOptions {
  std::size_t body_limit = 1024UL * 1024;  // larger bodies: 413 before they are read
  bool always = false;                     // answered even when the server sheds load (/upcheck)
  std::shared_ptr<const Admission> admission =
      nullptr;  // none: every head is good; strangers' large bodies are never held
  std::optional<Milliseconds> reply_timeout = std::nullopt;  // in place of the server's, for work that takes longer
};

class Router {
 public:
  void add(std::string method, std::string_view pattern, Handler handler, RouteOptions options = {});

  // Puts something around every route there is: called once for each, with what it may replace.
  using Around = std::function<void(std::string_view method, std::string_view pattern, Handler&, RouteOptions&)>;
  void wrap(const Around& around);

  struct Match {
    const Handler* handler = nullptr;  // lives as long as the router
    std::string_view pattern;          // so does this
    RouteOptions options;
    TextMap captures;
    bool path_known = false;         // another method would match: 405
    std::vector<std::string> allow;  // those methods
  };
  Match match(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::string method;
    std::string pattern;
    std::vector<std::string> parts;
    std::size_t captures = 0;
    Handler handler;
    RouteOptions options;
  };
  std::vector<Route> routes_;  // fewer captures first
};

}  // namespace cc::http
