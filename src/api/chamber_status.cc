// GET /api/v1/chamber/status: the guide's {"seal":{"status"},"keys"}, and more for whoever may ask.
#include <boost/json.hpp>

#include "api/answer.h"
#include "api/families.h"

namespace cc::api {
namespace json = boost::json;
namespace {

json::object seal_part(const seal::Status& status) {
  json::object out{{"status", seal::name(status.state)}};
  if (!status.mode.empty()) {
    out["mode"] = status.mode;
    out["epoch"] = status.epoch;
    out["kms"] = json::object{{"threshold", status.kms_threshold}, {"members", status.kms_members}};
  }
  if (status.operators != 0) {
    out["operators"] = json::object{{"threshold", status.unseal_threshold},
                                    {"members", status.operators},
                                    {"registered", status.registered},
                                    {"shares_received", status.shares_received}};
  }
  if (status.trouble) {
    out["trouble"] = json::object{{"code", facts(status.trouble->kind).code}, {"detail", status.trouble->message}};
  }
  if (status.kek_beside_data) {
    out["warning"] = "the KEKs lie beside the data: a thief of this disk opens a kms_only chamber";
  }
  if (status.held) {
    out["held"] = true;
  }
  return out;
}

}  // namespace

void add_chamber_status_routes(http::Router& router, Context& context) {
  router.add(
      "GET", "/api/v1/chamber/status",
      direct(needs(context, access::Scope::chamber_status), [&context](http::Request&) -> Result<http::Response> {
        json::object reply{{"seal", seal_part(context.chamber.status())}, {"keys", nullptr}};
        const std::uint64_t loaded = context.ring.size();
        if (context.chamber.may_sign() || loaded != 0) {
          const std::uint64_t active = context.pipeline.gate_open() ? loaded : 0;
          reply["keys"] = json::object{{"loaded", loaded}, {"active", active}};
        }
        return http::json(200, json::serialize(reply));
      }));
}

}  // namespace cc::api
