#include "adapters/aws/wire.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>

#include "http/wiping_text.h"

namespace cc::aws {
namespace {

constexpr std::size_t kHeaderLimit = 64UL * 1024;
constexpr std::size_t kIdleHandles = 64;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

struct Reading {
  HttpAnswer answer;
  std::size_t limit = kAnswerLimit;
  std::size_t header_bytes = 0;
  bool too_large = false;
};

// libcurl calls these from C: nothing may be thrown through them.
std::size_t take_body(char* data, std::size_t one, std::size_t count, void* context) noexcept {
  auto& reading = *static_cast<Reading*>(context);
  const std::size_t size = one * count;
  reading.too_large = size > reading.limit - reading.answer.body.size();
  try {
    if (!reading.too_large) {
      http::append_wiping(reading.answer.body, {data, size});
      return size;
    }
  } catch (const std::bad_alloc&) {
    reading.too_large = true;
  }
  return 0;
}

std::size_t take_header(char* data, std::size_t one, std::size_t count, void* context) noexcept {
  auto& reading = *static_cast<Reading*>(context);
  const std::size_t size = one * count;
  const std::string_view line(data, size);
  const std::size_t colon = line.find(':');
  reading.header_bytes += size;
  if (reading.header_bytes > kHeaderLimit) {
    reading.too_large = true;
    return 0;
  }
  try {
    if (colon != std::string_view::npos) {
      std::string name(line.substr(0, colon));
      std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
      std::string_view value = line.substr(colon + 1);
      while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
        value.remove_prefix(1);
      }
      while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' ')) {
        value.remove_suffix(1);
      }
      reading.answer.headers.insert_or_assign(std::move(name), std::string(value));
    }
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return size;
}

int is_stopping(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
  return static_cast<const std::atomic<bool>*>(context)->load() ? 1 : 0;
}

// "https://host:port", fit for messages: never a user part, a path or a query.
std::string server_of(const std::string& address) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, address.c_str(), 0) != CURLUE_OK) {
    return "an address that is none";
  }
  const auto part = [&url](CURLUPart which, unsigned flags) {
    char* text = nullptr;
    if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) {
      return std::string();
    }
    std::string out(text);
    curl_free(text);
    return out;
  };
  return part(CURLUPART_SCHEME, 0) + "://" + part(CURLUPART_HOST, 0) + ":" + part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

Result<HeaderList> header_list(const HttpCall& call) {
  HeaderList list;
  for (const auto& [name, value] : call.headers) {
    constexpr std::string_view kBreaks("\r\n\0", 3);
    if (name.find_first_of(kBreaks) != std::string::npos || value.find_first_of(kBreaks) != std::string::npos) {
      return fail(ErrorKind::internal, "a header for AWS has a line break in it");
    }
    std::string line;
    line.reserve(name.size() + value.size() + 3);
    // libcurl drops a header without a value unless it ends with a semicolon.
    line.append(name).append(value.empty() ? ";" : ": ").append(value);
    curl_slist* grown = curl_slist_append(list.get(), line.c_str());
    wipe(line);
    if (grown == nullptr) {
      return fail(ErrorKind::internal, "out of memory");
    }
    [[maybe_unused]] const curl_slist* same = list.release();  // libcurl appended to it, or it was null
    list.reset(grown);
  }
  return list;
}

bool curl_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

// Options whose failure would weaken the call are checked by the caller through the return value.
bool configure(CURL* easy, const HttpCall& call, const HeaderList& headers, Reading& reading, char* reason) {
  bool ok = true;
  const auto set = [&](CURLoption option, auto value) { ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK; };
  set(CURLOPT_ERRORBUFFER, reason);
  set(CURLOPT_URL, call.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, call.url.starts_with("https:") ? "https" : "http");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout.count()));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(call.connect_timeout, call.timeout).count()));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_MAXAGE_CONN, 20L);  // a proxy or load balancer drops idle connections: do not trust an old one
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&reading));
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&reading));
  if (call.method != "GET") {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    set(CURLOPT_POSTFIELDS, call.body.data());
  }
  set(CURLOPT_CUSTOMREQUEST, call.method.c_str());
  return ok;
}

}  // namespace

HttpCall::~HttpCall() {
  wipe(body);
  for (auto& [name, value] : headers) {
    wipe(value);
  }
}

HttpAnswer::~HttpAnswer() { wipe(body); }

HttpAnswer& HttpAnswer::operator=(HttpAnswer&& other) noexcept {
  wipe(body);
  status = other.status;
  headers = std::move(other.headers);
  body = std::move(other.body);
  return *this;
}

std::string HttpAnswer::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? std::string() : found->second;
}

struct CurlWire::Idle {
  std::vector<Easy> handles;
};

// A handle for one transfer; given back with its connections.
class CurlWire::Lease {
 public:
  explicit Lease(CurlWire& wire) : wire_(wire) {
    const std::lock_guard lock(wire_.mutex_);
    if (!wire_.idle_->handles.empty()) {
      easy_ = std::move(wire_.idle_->handles.back());
      wire_.idle_->handles.pop_back();
    }
  }
  ~Lease() {
    if (easy_) {
      curl_easy_reset(easy_.get());  // forgets every option, keeps connections
      const std::lock_guard lock(wire_.mutex_);
      if (wire_.idle_->handles.size() < kIdleHandles) {
        wire_.idle_->handles.push_back(std::move(easy_));
      }
    }
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  CURL* get() {
    if (!easy_ && curl_ready()) {
      easy_.reset(curl_easy_init());
    }
    return easy_.get();
  }

 private:
  CurlWire& wire_;
  Easy easy_;
};

CurlWire::CurlWire(std::string ca_file) : ca_file_(std::move(ca_file)), idle_(std::make_unique<Idle>()) {}
CurlWire::~CurlWire() = default;

Result<HttpAnswer> CurlWire::send(const HttpCall& call) {
  if (stopping_) {
    return fail(ErrorKind::kms_unreachable, "the signer is stopping");
  }
  Lease lease(*this);
  CURL* const easy = lease.get();
  if (easy == nullptr) {
    return fail(ErrorKind::internal, "libcurl cannot be set up");
  }
  CC_ASSIGN(const HeaderList headers, header_list(call));
  Reading reading;
  reading.limit = call.answer_limit;
  std::array<char, CURL_ERROR_SIZE> reason{};
  bool ok = configure(easy, call, headers, reading, reason.data());
  ok = ok && (ca_file_.empty() || curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file_.c_str()) == CURLE_OK);
  ok = ok && curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
  ok = ok && curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &is_stopping) == CURLE_OK;
  ok = ok && curl_easy_setopt(easy, CURLOPT_XFERINFODATA, static_cast<void*>(&stopping_)) == CURLE_OK;
  if (!ok) {
    return fail(ErrorKind::internal, "libcurl refuses an option that this program needs");
  }
  const CURLcode outcome = curl_easy_perform(easy);
  if (reading.too_large) {
    return fail(ErrorKind::kms_unreachable, "the answer of " + server_of(call.url) + " is too large to be AWS's");
  }
  if (outcome != CURLE_OK) {
    const std::string_view why = reason[0] != '\0' ? reason.data() : curl_easy_strerror(outcome);
    return fail(ErrorKind::kms_unreachable, "no answer from " + server_of(call.url) + ": " + std::string(why));
  }
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  reading.answer.status = static_cast<int>(status);
  return std::move(reading.answer);
}

}  // namespace cc::aws
