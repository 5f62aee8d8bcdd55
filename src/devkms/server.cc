#include "devkms/server.h"

#include <boost/json.hpp>

#include "adapters/localkek/kek_file.h"
#include "devkms/operations.h"
#include "http/json_text.h"
#include "http/server.h"

namespace cc::devkms {
namespace {

namespace bj = boost::json;

http::Response answer_json(int status, std::string body) {
  return {status, "application/x-amz-json-1.1", std::move(body), {}};
}

http::Response refusal(const Refusal& refusal) {
  http::Response out = answer_json(refusal.status, "{\"__type\":" + http::json_string(refusal.code) +
                                                       ",\"message\":" + http::json_string(refusal.message) + "}");
  out.headers.emplace_back("x-amzn-ErrorType", refusal.code);
  return out;
}

Result<Fault> parse_fault_request(std::string_view text) {
  const auto wrong = [](const std::string& what) { return fail(ErrorKind::malformed_request, what); };
  bj::error_code error;
  const bj::value document = bj::parse(text, error);
  if (error || !document.is_object()) {
    return wrong("the body must be a JSON object");
  }
  Fault out;
  std::optional<FaultKind> kind;
  for (const auto& [name, value] : document.get_object()) {
    if (name == "count" && value.is_int64() && value.get_int64() >= 0 && value.get_int64() <= 1'000'000) {
      out.count = static_cast<std::uint32_t>(value.get_int64());
    } else if (name == "kind" && value.is_string()) {
      kind = parse_fault(std::string_view(value.get_string()));
    } else if (name == "key" && value.is_string()) {
      out.key = std::string_view(value.get_string());
    } else if (name == "operation" && value.is_string()) {
      out.operation = std::string_view(value.get_string());
    } else {
      return wrong("unknown or wrong member " + std::string(name) + "; expected kind, key, operation, count");
    }
  }
  if (!kind) {
    return wrong("kind must be one of " + fault_names());
  }
  out.kind = *kind;
  return out;
}

class DevKms final : public Server {
 public:
  DevKms(Access access, std::unique_ptr<Operations> operations, std::string credentials_file, const Clock& clock)
      : access_(std::move(access)),
        operations_(std::move(operations)),
        credentials_file_(std::move(credentials_file)),
        clock_(clock) {}
  ~DevKms() override {
    if (server_) {
      server_->stop(Milliseconds(0));
    }
  }
  DevKms(const DevKms&) = delete;
  DevKms& operator=(const DevKms&) = delete;

  Result<void> listen(const Options& options) {
    auto router = std::make_shared<http::Router>();
    router->add("POST", "/", [this](http::Request request, http::Responder respond) {
      answer(std::move(request), std::move(respond));
    });
    if (options.allow_faults) {
      add_control_routes(*router);
    }
    http::ServerOptions http_options;
    http_options.port = options.port;
    http_options.reply_timeout = std::chrono::minutes(5);  // a planted timeout is the client's to notice
    CC_ASSIGN(server_, http::Server::start(std::move(http_options), std::move(router)));
    return {};
  }
  std::uint16_t port() const override { return server_->port(); }
  std::string credentials_file() const override { return credentials_file_; }

 private:
  void answer(http::Request request, http::Responder respond) {
    Caller caller;
    if (const auto refused = access_.check(request, clock_, caller)) {
      return respond(refusal(*refused));
    }
    constexpr std::string_view kService = "TrentService.";
    const std::string target(request.header("x-amz-target"));
    if (!target.starts_with(kService) || !request.query.empty() ||
        request.header("content-type") != "application/x-amz-json-1.1") {
      return respond(refusal({400, "UnknownOperationException", "not a request of AWS KMS's JSON 1.1 protocol"}));
    }
    bool never = false;
    Outcome outcome = operations_->run(target.substr(kService.size()), caller, request.body, faults_, never);
    if (never) {
      const std::lock_guard lock(mutex_);
      unanswered_.push_back(std::move(respond));
      return;
    }
    respond(outcome.refusal ? refusal(*outcome.refusal) : answer_json(200, std::move(outcome.body)));
  }

  void add_control_routes(http::Router& router) {
    const char* const faults = "/dev-kms/faults";
    router.add("POST", faults, [this](const http::Request& request, const http::Responder& respond) {
      auto fault = parse_fault_request(request.body);
      if (!fault) {
        return respond(http::problem(fault.error()));
      }
      faults_.plant(*std::move(fault));
      respond(http::json(200, "{}"));
    });
    router.add("DELETE", faults, [this](const http::Request& /*request*/, const http::Responder& respond) {
      faults_.clear();
      respond(http::json(200, "{}"));
    });
    router.add("GET", "/dev-kms/calls", [this](const http::Request& /*request*/, const http::Responder& respond) {
      std::string out;
      for (const Call& call : operations_->calls()) {
        std::string context;
        for (const auto& [name, value] : call.context) {
          context += (context.empty() ? "" : ",") + http::json_string(name) + ":" + http::json_string(value);
        }
        out += (out.empty() ? "" : ",") + ("{\"operation\":" + http::json_string(call.operation)) +
               ",\"key_id\":" + http::json_string(call.key_id) + ",\"region\":" + http::json_string(call.region) +
               ",\"context\":{" + context + "}}";
      }
      respond(http::json(200, "{\"calls\":[" + out + "]}"));
    });
  }

  Access access_;
  std::unique_ptr<Operations> operations_;
  std::string credentials_file_;
  const Clock& clock_;
  Faults faults_;
  std::mutex mutex_;
  std::vector<http::Responder> unanswered_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const Options& options, const Clock& clock, Random& random) {
  CC_TRY(localkek::create_kek_directory(options.data_dir));
  const std::string credentials = options.data_dir + "/credentials";
  CC_ASSIGN(Access access, Access::open(credentials, random));
  CC_ASSIGN(auto operations, Operations::open(options.data_dir + "/keys", options.keys, random));
  auto out = std::make_unique<DevKms>(std::move(access), std::move(operations), credentials, clock);
  CC_TRY(out->listen(options));
  return std::unique_ptr<Server>(std::move(out));
}

}  // namespace cc::devkms
