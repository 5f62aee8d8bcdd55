#include "http/request_parser.h"

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "http/target.h"
#include "http/wiping_text.h"

namespace cc::http {
namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using beast::error_code;
using beast::string_view;

// Two of these in one request mean that a proxy before us may have read another request than we do.
constexpr std::array<bhttp::field, 6> kOnce{bhttp::field::host,         bhttp::field::content_length,
                                            bhttp::field::content_type, bhttp::field::authorization,
                                            bhttp::field::expect,       bhttp::field::transfer_encoding};

std::string lower_case(string_view text) {
  std::string out(text.begin(), text.end());
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return out;
}

}  // namespace

class RequestParser::Reader final {
 public:
  explicit Reader(std::size_t header_limit) : header_limit_(header_limit) { begin(); }

  void begin() {
    request_ = Request();
    error_ = Error();
    parser_.emplace(*this);
    parser_->body_limit(boost::none);
    parser_->header_limit(static_cast<std::uint32_t>(header_limit_));
    head_bytes_ = 0;
    head_reported_ = false;
    expects_continue_ = false;
  }

  Progress feed(std::span<const char> input) {
    std::size_t consumed = 0;
    for (;;) {
      if (parser_->is_done()) {
        return {Step::complete, consumed};
      }
      if (consumed == input.size()) {
        return {Step::need_more, consumed};
      }
      error_code ec;
      const std::size_t used =
          parser_->put(boost::asio::const_buffer(input.data() + consumed, input.size() - consumed), ec);
      consumed += used;
      head_bytes_ += head_reported_ ? 0 : used;
      const std::size_t rest = input.size() - consumed;
      if (ec == bhttp::error::need_more) {
        return need_more(consumed, rest);
      }
      if (ec) {
        return refuse(ec, consumed);
      }
      if (!head_reported_ && parser_->is_header_done()) {
        return head_done(consumed);
      }
    }
  }

  Progress need_more(std::size_t consumed, std::size_t rest) {
    // Beast limits one run of the input, not their sum; and after the head it would collect chunk lines without end.
    if (!head_reported_ && head_bytes_ + rest >= header_limit_) {
      return refuse(bhttp::error::header_limit, consumed);
    }
    if (head_reported_ && rest >= header_limit_) {
      return refuse(bhttp::error::bad_chunk, consumed);
    }
    return {Step::need_more, consumed};
  }

  Progress head_done(std::size_t consumed) {
    head_reported_ = true;
    if (head_bytes_ > header_limit_) {
      return refuse(bhttp::error::header_limit, consumed);
    }
    if (parser_->version == 11 && !request_.headers.contains("host")) {
      error_ = {ErrorKind::malformed_request, "An HTTP/1.1 request needs a Host header."};
      return refuse(bhttp::error::bad_field, consumed);
    }
    parser_->eager(true);
    return {Step::header_done, consumed};
  }

  Progress refuse(const error_code& ec, std::size_t consumed) {
    if (ec == bhttp::error::header_limit || ec == bhttp::error::buffer_overflow) {
      error_ = {ErrorKind::header_too_large,
                "The request line and headers are over " + std::to_string(header_limit_) + " bytes."};
    } else if (ec == bhttp::error::body_limit) {
      error_ = {ErrorKind::body_too_large, "The body is over the limit of this route."};
    } else if (error_.message.empty()) {
      error_ = {ErrorKind::malformed_request, "This is not a valid HTTP/1.1 request: " + ec.message() + "."};
    }
    return {Step::refused, consumed};
  }

  void take_target(string_view method, string_view target, error_code& ec) {
    request_.method.assign(method.data(), method.size());
    auto parsed = parse_target({target.data(), target.size()});
    if (!parsed) {
      error_ = std::move(parsed).error();
      ec = bhttp::error::bad_target;
      return;
    }
    request_.path = std::move(parsed->path);
    request_.query = std::move(parsed->query);
  }

  void take_field(bhttp::field field, string_view name, string_view value, error_code& ec) {
    if (head_reported_) {
      return;  // a trailer
    }
    const auto [place, fresh] = request_.headers.try_emplace(lower_case(name), value.data(), value.size());
    if (!fresh) {
      if (std::find(kOnce.begin(), kOnce.end(), field) != kOnce.end()) {
        refuse_field("The request has two headers " + place->first + ".", ec);
        return;
      }
      append_wiping(place->second, field == bhttp::field::cookie ? "; " : ", ");
      append_wiping(place->second, {value.data(), value.size()});
      return;
    }
    if (field == bhttp::field::transfer_encoding && (!beast::iequals(value, "chunked") || parser_->version == 10)) {
      refuse_field("The only transfer coding taken is chunked, in HTTP/1.1.", ec);
    }
    if (field == bhttp::field::expect) {
      expects_continue_ = beast::iequals(value, "100-continue");
      if (!expects_continue_) {
        refuse_field("The only expectation taken is 100-continue.", ec);
      }
    }
  }

  void take_body(string_view piece) { append_wiping(request_.body, {piece.data(), piece.size()}); }

 private:
  void refuse_field(std::string message, error_code& ec) {
    error_ = {ErrorKind::malformed_request, std::move(message)};
    ec = bhttp::error::bad_field;
  }

  class Parser final : public bhttp::basic_parser<true> {
   public:
    explicit Parser(Reader& reader) : reader_(reader) {}
    int version = 11;

   private:
    void on_request_impl(bhttp::verb /*verb*/, string_view method, string_view target, int http_version,
                         error_code& ec) override {
      version = http_version;
      reader_.take_target(method, target, ec);
    }
    void on_response_impl(int /*code*/, string_view /*reason*/, int /*version*/, error_code& ec) override {
      ec = bhttp::error::bad_method;
    }
    void on_field_impl(bhttp::field field, string_view name, string_view value, error_code& ec) override {
      reader_.take_field(field, name, value, ec);
    }
    void on_header_impl(error_code& /*ec*/) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, error_code& /*ec*/) override {}
    std::size_t on_body_impl(string_view piece, error_code& /*ec*/) override {
      reader_.take_body(piece);
      return piece.size();
    }
    void on_chunk_header_impl(std::uint64_t /*size*/, string_view /*extensions*/, error_code& /*ec*/) override {}
    std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, string_view piece, error_code& /*ec*/) override {
      reader_.take_body(piece);
      return piece.size();
    }
    void on_finish_impl(error_code& /*ec*/) override {}

    Reader& reader_;
  };

 public:
  std::optional<Parser> parser_;
  Request request_;
  Error error_;
  bool expects_continue_ = false;

 private:
  std::size_t header_limit_;
  std::size_t head_bytes_ = 0;
  bool head_reported_ = false;
};

RequestParser::RequestParser(std::size_t header_limit) : reader_(std::make_unique<Reader>(header_limit)) {}
RequestParser::~RequestParser() = default;

void RequestParser::begin() { reader_->begin(); }
RequestParser::Progress RequestParser::feed(std::span<const char> input) { return reader_->feed(input); }
bool RequestParser::started() const { return reader_->parser_->got_some(); }
bool RequestParser::has_body() const { return !reader_->parser_->is_done(); }
void RequestParser::set_body_limit(std::size_t bytes) { reader_->parser_->body_limit(std::uint64_t{bytes}); }
std::optional<std::uint64_t> RequestParser::content_length() const {
  const auto length = reader_->parser_->content_length();
  return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}
bool RequestParser::keep_alive() const { return reader_->parser_->keep_alive(); }
bool RequestParser::expects_continue() const {
  return reader_->expects_continue_ && reader_->parser_->version == 11 && has_body();
}
Request& RequestParser::request() { return reader_->request_; }
Request RequestParser::take() { return std::move(reader_->request_); }
const Error& RequestParser::failure() const { return reader_->error_; }

}  // namespace cc::http
