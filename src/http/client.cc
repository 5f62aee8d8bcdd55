#include "http/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "http/wiping_text.h"

namespace cc::http {
namespace {

constexpr std::size_t kAnswerLimit = 16UL * 1024 * 1024;
constexpr long kConnectTimeoutMs = 10'000;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeText {
  void operator()(char* text) const { curl_free(text); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

struct Answer {
  std::string body;
  bool too_large = false;
};

// libcurl calls this from C: nothing may be thrown through it.
std::size_t take_body(char* data, std::size_t one, std::size_t count, void* context) noexcept {
  auto& answer = *static_cast<Answer*>(context);
  const std::size_t size = one * count;
  if (size > kAnswerLimit - answer.body.size()) {
    answer.too_large = true;
    return 0;
  }
  try {
    append_wiping(answer.body, {data, size});
  } catch (const std::bad_alloc&) {
    answer.too_large = true;
    return 0;
  }
  return size;
}

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
    return {};
  }
  const std::unique_ptr<char, FreeText> owned(text);
  return text;
}

// "http://host:port", fit for messages.
Result<std::string> server_of(const std::string& address) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  const bool parsed = url && curl_url_set(url.get(), CURLUPART_URL, address.c_str(), 0) == CURLUE_OK;
  const std::string scheme = parsed ? part_of(url.get(), CURLUPART_SCHEME) : "";
  if (scheme != "http" && scheme != "https") {
    return fail(ErrorKind::usage, "The address of the signer must begin with http:// or https:// and name a host.");
  }
  return scheme + "://" + part_of(url.get(), CURLUPART_HOST) + ":" +
         part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

bool names(const ClientRequest& request, std::string_view header) {
  return std::any_of(request.headers.begin(), request.headers.end(), [header](const auto& one) {
    return std::equal(one.first.begin(), one.first.end(), header.begin(), header.end(),
                      [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  });
}

Result<HeaderList> header_list(const ClientRequest& request) {
  std::vector<std::pair<std::string, std::string>> all = request.headers;
  if (!request.body.empty() && !names(request, "content-type")) {
    all.emplace_back("Content-Type", "application/json");
  }
  HeaderList list;
  const auto add = [&list](const std::string& line) {
    curl_slist* grown = curl_slist_append(list.get(), line.c_str());
    if (grown != nullptr) {
      curl_slist* const same = list.release();  // libcurl appended to it, or it was null
      list.reset(same == nullptr ? grown : same);
    }
    return grown != nullptr;
  };
  bool added = add("Expect:");  // no waiting for 100 Continue
  for (auto& [name, value] : all) {
    constexpr std::string_view kBreaks("\r\n\0", 3);
    if (name.find_first_of(kBreaks) != std::string::npos || value.find_first_of(kBreaks) != std::string::npos) {
      return fail(ErrorKind::usage, "A header has a line break in it.");
    }
    std::string line;
    line.reserve(name.size() + value.size() + 2);
    line.append(name).append(": ").append(value);
    added = added && add(line);
    wipe(line);
    wipe(value);
  }
  if (!added) {
    return fail(ErrorKind::internal, "Out of memory.");
  }
  return list;
}

// Options whose failure would weaken the call are checked by the caller through the return value.
bool configure(CURL* easy, const ClientRequest& request, const HeaderList& headers, Answer& answer, char* reason) {
  bool ok = true;
  const auto set = [&](CURLoption option, auto value) { ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK; };
  const long timeout_ms = static_cast<long>(request.timeout.count());
  set(CURLOPT_ERRORBUFFER, reason);
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FORBID_REUSE, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_TIMEOUT_MS, timeout_ms);
  set(CURLOPT_CONNECTTIMEOUT_MS, std::min(timeout_ms, kConnectTimeoutMs));
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&answer));
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.data());
  }
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!request.tls.ca_path.empty()) {
    set(CURLOPT_CAINFO, request.tls.ca_path.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (!request.tls.certificate_path.empty()) {
    const std::string& key = request.tls.key_path.empty() ? request.tls.certificate_path : request.tls.key_path;
    set(CURLOPT_SSLCERT, request.tls.certificate_path.c_str());
    set(CURLOPT_SSLKEY, key.c_str());
    set(CURLOPT_KEYPASSWD, "");  // an encrypted key is an error, never a prompt
  }
  return ok;
}

// What an outcome of libcurl means for the caller.
Error transport_error(CURLcode outcome, const std::string& server, std::string_view reason) {
  const std::string_view why = reason.empty() ? curl_easy_strerror(outcome) : reason;
  switch (outcome) {
    case CURLE_SSL_CACERT_BADFILE:
      return {ErrorKind::usage, "The file of trusted authorities cannot be used: " + std::string(why) + "."};
    case CURLE_SSL_CERTPROBLEM:
      return {ErrorKind::usage, "The client certificate or its key cannot be used: " + std::string(why) +
                                    ". Both must be PEM files that belong together, the key without a password."};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {ErrorKind::unreachable, "The certificate of " + server + " cannot be trusted: " + std::string(why) +
                                          ". Give the authority that issued it with --ca-cert, and use a host name "
                                          "that the certificate has."};
    case CURLE_SSL_CONNECT_ERROR:
      return {ErrorKind::unreachable,
              "No TLS from " + server + ": " + std::string(why) + ". If that port speaks plain HTTP, use http://."};
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
      return {ErrorKind::unreachable,
              "No answer from " + server + ": " + std::string(why) +
                  (server.starts_with("http://") ? ". If that port speaks TLS, use https://." : ".")};
    default:
      return {ErrorKind::unreachable, "No answer from " + server + ": " + std::string(why) + "."};
  }
}

bool curl_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

}  // namespace

ClientRequest::~ClientRequest() {
  wipe(url);
  wipe(body);
  for (auto& [name, value] : headers) {
    wipe(value);
  }
}

ClientResponse::~ClientResponse() { wipe(body); }

Result<ClientResponse> send(const ClientRequest& request) {
  const Easy easy(curl_ready() ? curl_easy_init() : nullptr);
  if (!easy) {
    return fail(ErrorKind::internal, "libcurl cannot be set up.");
  }
  CC_ASSIGN(const std::string server, server_of(request.url));
  CC_ASSIGN(const HeaderList headers, header_list(request));
  Answer answer;
  std::array<char, CURL_ERROR_SIZE> reason{};
  if (!configure(easy.get(), request, headers, answer, reason.data())) {
    return fail(ErrorKind::internal, "libcurl refuses an option that this program needs.");
  }
  const CURLcode outcome = curl_easy_perform(easy.get());
  if (answer.too_large) {
    wipe(answer.body);
    return fail(ErrorKind::unreachable, "The answer of " + server + " is larger than 16 MiB.");
  }
  if (outcome != CURLE_OK) {
    wipe(answer.body);
    return fail(transport_error(outcome, server, reason.data()));
  }
  ClientResponse response;
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  const char* content_type = nullptr;
  curl_easy_getinfo(easy.get(), CURLINFO_CONTENT_TYPE, &content_type);
  response.content_type = content_type == nullptr ? "" : content_type;
  curl_header* head = nullptr;
  if (curl_easy_header(easy.get(), "X-Audit-Head", 0, CURLH_HEADER, -1, &head) == CURLHE_OK) {
    response.audit_head = head->value;
  }
  response.body = std::move(answer.body);
  return response;
}

}  // namespace cc::http
