// GET /api/v1/chamber/status: the guide's {"seal":{"status"},"keys"}, and more for whoever may ask.
#include <boost/json.hpp>

#include "api/answer.h"
#include "api/families.h"
#include "audit/journal.h"
#include "base/bytes.h"

namespace cc::api {
namespace json = boost::json;
namespace {

json::object rotation_part(const seal::RotationStatus& rotation) {
  json::object out{{"kind", rotation.kind}};
  if (rotation.resealing) {
    json::object records{{"moved", rotation.resealed}, {"left", nullptr}};
    if (rotation.left) {
      records["left"] = *rotation.left;
    }
    out["key_records"] = std::move(records);
    return out;
  }
  out["rotation"] = rotation.rotation;
  if (rotation.members != 0) {
    out["threshold"] = rotation.threshold;
    out["members"] = rotation.members;
  }
  if (rotation.kind == "operators") {
    out["waiting_for"] = json::array(rotation.waiting_for.begin(), rotation.waiting_for.end());
  }
  if (rotation.approvals_required != 0) {
    out["approvals"] =
        json::object{{"received", rotation.approvals_received}, {"required", rotation.approvals_required}};
  }
  return out;
}

json::object kms_part(const seal::Status& status) {
  json::object out{{"threshold", status.kms_threshold}, {"members", status.kms_members}};
  if (status.keks) {
    out["healthy"] = status.keks->healthy;
    out["margin"] = status.keks->margin;
    if (!status.keks->sick.empty()) {
      json::object sick;
      for (const auto& [kek, error] : status.keks->sick) {
        sick[kek] = facts(error.kind).code;
      }
      out["sick"] = std::move(sick);
    }
  }
  return out;
}

json::object seal_part(const seal::Status& status) {
  json::object out{{"status", seal::name(status.state)}};
  if (!status.mode.empty()) {
    out["mode"] = status.mode;
    out["epoch"] = status.epoch;
    out["kms"] = kms_part(status);
  }
  if (status.operators != 0) {
    out["operators"] = json::object{{"threshold", status.unseal_threshold},
                                    {"members", status.operators},
                                    {"registered", status.registered},
                                    {"shares_received", status.shares_received}};
  }
  if (status.drills) {
    out["drills"] = json::object{{"fresh", status.drills->fresh},
                                 {"lapsed", json::array(status.drills->lapsed.begin(), status.drills->lapsed.end())},
                                 {"margin", status.drills->margin}};
  }
  if (status.rotation) {
    out["rotation"] = rotation_part(*status.rotation);
  }
  if (status.trouble) {
    out["trouble"] = json::object{{"code", facts(status.trouble->kind).code}, {"detail", status.trouble->message}};
  }
  if (status.kek_beside_data) {
    out["warning"] = "the KEKs lie beside the data: a thief of this disk opens a kms_only chamber";
  }
  if (status.sealed_by_command) {
    out["sealed_by_command"] = true;
  }
  if (status.held) {
    out["held"] = true;
  }
  return out;
}

// Beside seal and keys only what the guide does not print: the key by which the audit log is checked, once it is known.
void add_audit(const Context& context, json::object& reply) {
  const auto log = context.journal == nullptr ? audit::Journal::Facts() : context.journal->facts();
  if (log.trouble) {
    reply["seal"].as_object()["audit"] = json::object{{"trouble", log.trouble->message}};
  } else if (log.key) {
    reply["seal"].as_object()["audit"] = json::object{{"checkpoint_key", to_hex(*log.key)}};
  }
}

}  // namespace

void add_chamber_status_routes(http::Router& router, Context& context) {
  router.add(
      "GET", "/api/v1/chamber/status",
      direct(needs(context, access::Scope::chamber_status), [&context](http::Request&) -> Result<http::Response> {
        json::object reply{{"seal", seal_part(context.chamber.status())}, {"keys", nullptr}};
        add_audit(context, reply);
        const std::uint64_t loaded = context.ring.size();
        if (context.chamber.may_sign() || loaded != 0) {
          const std::uint64_t active = context.pipeline.gate_open() ? loaded : 0;
          reply["keys"] = json::object{{"loaded", loaded}, {"active", active}};
        }
        return http::json(200, json::serialize(reply));
      }));
}

}  // namespace cc::api
