#include "http/router.h"

#include <algorithm>
#include <set>

namespace cc::http {
namespace {

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  constexpr std::size_t kUsualSegments = 8;
  out.reserve(kUsualSegments);
  if (path.starts_with('/')) {
    path.remove_prefix(1);
  }
  for (;;) {
    const std::size_t slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) {
      return out;
    }
    path.remove_prefix(slash + 1);
  }
}

bool is_capture(std::string_view part) { return part.size() > 2 && part.front() == '{' && part.back() == '}'; }

bool fits(const std::vector<std::string>& parts, const std::vector<std::string_view>& path) {
  return std::equal(parts.begin(), parts.end(), path.begin(), path.end(),
                    [](const std::string& part, std::string_view segment) {
                      return is_capture(part) ? !segment.empty() : part == segment;
                    });
}

TextMap captured(const std::vector<std::string>& parts, const std::vector<std::string_view>& path) {
  TextMap out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (is_capture(parts[i])) {
      out.emplace(parts[i].substr(1, parts[i].size() - 2), path[i]);
    }
  }
  return out;
}

bool answers(std::string_view route_method, std::string_view method) {
  return route_method == method || (method == "HEAD" && route_method == "GET");
}

}  // namespace

void Router::add(std::string method, std::string_view pattern, Handler handler, RouteOptions options) {
  Route route;
  route.method = std::move(method);
  for (const std::string_view part : segments(pattern)) {
    route.captures += is_capture(part) ? 1 : 0;
    route.parts.emplace_back(part);
  }
  route.pattern = pattern;
  route.handler = std::move(handler);
  route.options = options;
  const auto place =
      std::upper_bound(routes_.begin(), routes_.end(), route.captures,
                       [](std::size_t captures, const Route& other) { return captures < other.captures; });
  routes_.insert(place, std::move(route));
}

void Router::wrap(const Around& around) {
  for (Route& route : routes_) {
    around(route.method, route.pattern, route.handler, route.options);
  }
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
  Match match;
  std::set<std::string> allow;
  const auto parts = segments(path);
  for (const Route& route : routes_) {
    if (!fits(route.parts, parts)) {
      continue;
    }
    if (answers(route.method, method)) {
      match.handler = &route.handler;
      match.pattern = route.pattern;
      match.options = route.options;
      match.captures = captured(route.parts, parts);
      match.path_known = true;
      return match;
    }
    allow.insert(route.method);
    if (route.method == "GET") {
      allow.insert("HEAD");
    }
  }
  match.path_known = !allow.empty();
  match.allow.assign(allow.begin(), allow.end());
  return match;
}

}  // namespace cc::http
