// A transcript of the audit log as a file: one JSON object (docs/spec/audit.md). Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "audit/transcript.h"

namespace cc::app {

boost::json::object transcript_json(const audit::Transcript& transcript);
// `path` is for the messages. Errors: audit_log_invalid for another kind of file, audit_log_broken for a transcript
// that is damaged.
Result<audit::Transcript> parse_transcript(const std::string& path, const std::string& text);

}  // namespace cc::app
