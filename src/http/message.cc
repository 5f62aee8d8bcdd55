#include "http/message.h"

#include <fmt/format.h>

#include "http/json_text.h"

namespace cc::http {

Request::~Request() { wipe_content(); }

Request& Request::operator=(Request&& other) noexcept {
  if (this != &other) {
    wipe_content();
    method = std::move(other.method);
    path = std::move(other.path);
    query = std::move(other.query);
    headers = std::move(other.headers);
    body = std::move(other.body);
    peer = std::move(other.peer);
    loopback = other.loopback;
    encrypted = other.encrypted;
    captures = std::move(other.captures);
    id = std::move(other.id);
    companion = std::move(other.companion);
  }
  return *this;
}

void Request::wipe_content() noexcept {
  wipe(body);
  for (auto& [name, value] : headers) {
    wipe(value);
  }
}

std::string_view Request::header(std::string_view lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

Response problem(const Error& error) {
  const ErrorFacts& what = facts(error.kind);
  Response response;
  response.status = what.http_status;
  response.content_type = "application/problem+json";
  response.body = fmt::format(
      R"({{"type":"urn:containment-chamber:error:{}","title":{},"status":{},"detail":{},"code":{}}})", what.code,
      json_string(what.title), what.http_status, json_string(error.message), json_string(what.code));
  return response;
}

Response json(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

Response text(int status, std::string body) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(body);
  return response;
}

}  // namespace cc::http
