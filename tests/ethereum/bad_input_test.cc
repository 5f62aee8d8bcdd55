// What a client may send wrongly, each with a clear answer.
#include <gtest/gtest.h>

#include "ethereum/requests.h"

namespace cc::ethereum::test {
namespace {

Error refusal(const std::string& body, const Network& network = named("mainnet")) {
  const auto parsed = parse_sign_request(body, network);
  return parsed ? Error{ErrorKind::internal, "accepted"} : parsed.error();
}

void expect_refused(const std::string& body, const std::string& message) {
  const Error error = refusal(body);
  EXPECT_EQ(error.kind, ErrorKind::malformed_request) << error.message;
  EXPECT_EQ(error.message, message);
}

void expect_refused_with(const std::string& body, const std::string& part) {
  const Error error = refusal(body);
  EXPECT_EQ(error.kind, ErrorKind::malformed_request) << error.message;
  EXPECT_NE(error.message.find(part), std::string::npos) << error.message;
}

std::string changed(const std::string& from, const std::string& to) { return with(attestation_request(), from, to); }

TEST(BadInput, TheUnchangedRequestIsAccepted) {
  const auto parsed = parse_sign_request(attestation_request(), named("mainnet"));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->type, "ATTESTATION");
}

TEST(BadInput, BodiesThatAreNotOneJsonObject) {
  expect_refused_with("", "the text ends too early");
  expect_refused_with("   ", "the text ends too early");
  expect_refused_with("{", "the text ends too early");
  expect_refused_with(attestation_request() + "x", "something follows the value");
  expect_refused_with(attestation_request() + "{}", "something follows the value");
  expect_refused_with("{,}", "syntax error");
  expect_refused_with("{\"type\":\"BLOCK\",}", "syntax error");
  expect_refused_with("// comment\n{}", "syntax error");
  expect_refused("[]", "the body: expected an object, found an array");
  expect_refused("\"ATTESTATION\"", "the body: expected an object, found a string");
  expect_refused("1", "the body: expected an object, found a number");
  expect_refused("null", "the body: expected an object, found null");
  expect_refused("{}", "type: missing");
  EXPECT_TRUE(parse_sign_request(attestation_request() + " \r\n\t", named("mainnet")));
}

TEST(BadInput, DeepNestingIsRefusedAtAnyDepth) {
  for (const std::size_t depth : {33UL, 100UL, 10000UL, 400000UL}) {
    expect_refused_with(std::string(depth, '['), "nested too deeply");
    std::string objects;
    for (std::size_t i = 0; i < depth; ++i) {
      objects += "{\"a\":";
    }
    expect_refused_with(objects, "nested too deeply");
  }
}

TEST(BadInput, InvalidUtf8IsRefusedEverywhere) {
  for (const char* bytes : {"\xff", "\xc3\x28", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf"}) {
    expect_refused_with(changed("ATTESTATION", std::string("ATT") + bytes), "invalid UTF-8");
    expect_refused_with(changed("\"attestation\":", std::string("\"x") + bytes + "\":1,\"attestation\":"),
                        "invalid UTF-8");
  }
  expect_refused_with(changed("ATTESTATION", "\\ud800"), "the body is not acceptable JSON");
}

TEST(BadInput, APropertyGivenTwiceIsRefused) {
  expect_refused_with(changed("{\"type\"", "{\"type\":\"BLOCK_V2\",\"type\""), "a property is given twice");
  expect_refused_with(changed("\"epoch\":\"375000\"", "\"epoch\":\"1\",\"epoch\":\"375000\""),
                      "a property is given twice");
  // The same name in two spellings of JSON.
  expect_refused_with(changed("{\"type\"", "{\"t\\u0079pe\":\"BLOCK_V2\",\"type\""), "a property is given twice");
  // Also where properties are otherwise ignored.
  expect_refused_with(changed("{\"type\"", "{\"extra\":{\"a\":1,\"a\":1},\"type\""), "a property is given twice");
}

TEST(BadInput, TooManyValuesOrPropertiesAreRefused) {
  std::string many = "[0";
  for (int i = 0; i < 70000; ++i) {
    many += ",0";
  }
  expect_refused_with(many + "]", "too many values");
  std::string nested = "[[0]";
  for (int i = 0; i < 40000; ++i) {
    nested += ",[0]";
  }
  expect_refused_with(nested + "]", "too many values");
  std::string wide = "{\"a\":0";
  for (int i = 0; i < 300; ++i) {
    wide += ",\"a" + std::to_string(i) + "\":0";
  }
  expect_refused_with(wide + "}", "too many properties in one object");
  expect_refused_with("{\"" + std::string(300, 'k') + "\":0}", "a property name is too long");
}

TEST(BadInput, TypesAreNamedExactlyButInAnyCase) {
  for (const char* type : {"attestation", "Attestation", "aTTESTATION"}) {
    const auto parsed = parse_sign_request(changed("ATTESTATION", type), named("mainnet"));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->type, "ATTESTATION");
  }
  for (const char* type : {"", "ATTESTATIO", "ATTESTATIONS", " ATTESTATION", "BLOCK_V3", "BLS_TO_EXECUTION_CHANGE"}) {
    expect_refused(changed("ATTESTATION", type), "type: not a signing type this signer knows");
  }
  expect_refused(changed("\"ATTESTATION\"", "7"), "type: expected a string, found a number");
  expect_refused(changed("\"ATTESTATION\"", "null"), "type: missing");
}

TEST(BadInput, MissingObjectsAreNamedWithTheirPath) {
  expect_refused(changed("\"attestation\":", "\"attestations\":"), "attestation: missing");
  expect_refused(changed("\"fork_info\":", "\"fork_inf\":"), "fork_info: missing");
  expect_refused(changed("\"fork\":", "\"frk\":"), "fork_info.fork: missing");
  expect_refused(changed("\"current_version\":", "\"currentVersion\":"), "fork_info.fork.current_version: missing");
  expect_refused(changed("\"genesis_validators_root\":", "\"root\":"), "fork_info.genesis_validators_root: missing");
  expect_refused(changed("\"target\":", "\"goal\":"), "attestation.target: missing");
  expect_refused(changed("\"epoch\":\"375000\"", "\"epoch\":null"), "attestation.target.epoch: missing");
  expect_refused(changed("\"target\":{", "\"target\":[],\"x\":{"),
                 "attestation.target: expected an object, found an array");
  expect_refused(changed("\"attestation\":{", "\"attestation\":7,\"x\":{"),
                 "attestation: expected an object, found a number");
  expect_refused(changed("\"fork\":{", "\"fork\":[1],\"x\":{"), "fork_info.fork: expected an object, found an array");
}

TEST(BadInput, IntegersAreExactOverTheWholeRangeOrRefused) {
  const auto target = [](const std::string& value) { return changed("\"epoch\":\"375000\"", "\"epoch\":" + value); };
  const auto epoch_of = [&](const std::string& value) -> std::string {
    const auto parsed = parse_sign_request(target(value), named("mainnet"));
    return parsed ? std::to_string(std::get<AttestationDuty>(parsed->duty).target.value) : parsed.error().message;
  };
  for (const char* exact : {"0", "1", "9007199254740992", "9007199254740993", "9223372036854775807",
                            "9223372036854775808", "18446744073709551615"}) {
    EXPECT_EQ(epoch_of(exact), exact);
    EXPECT_EQ(epoch_of('"' + std::string(exact) + '"'), exact);
  }
  const std::string path = "attestation.target.epoch: ";
  for (const char* large :
       {"18446744073709551616", "99999999999999999999", "340282366920938463463374607431768211456"}) {
    expect_refused(target(large), path + "expected an unsigned integer below 2^64");
    expect_refused(target('"' + std::string(large) + '"'), path + "expected an unsigned integer below 2^64");
  }
  for (const char* odd : {"-1", "-0", "1.0", "1e3", "1E3", "\"-1\"", "\"+1\"", "\"1.0\"", "\" 1\"", "\"1 \"", "\"\"",
                          "\"0x10\"", "\"1e3\"", "\"\\u0031\\u0660\""}) {
    expect_refused(target(odd), path + "expected an unsigned integer in decimal digits");
  }
  expect_refused(target("true"), path + "expected an unsigned integer, found a boolean");
  expect_refused(target("[1]"), path + "expected an unsigned integer, found an array");
  expect_refused(target("{}"), path + "expected an unsigned integer, found an object");
}

TEST(BadInput, HexadecimalOfTheWrongLengthOrAlphabetIsRefused) {
  const auto root = [](const std::string& value) { return changed("\"" + root_text('3') + "\"", value); };
  const std::string path = "attestation.target.root: ";
  expect_refused(root("\"0x33\""), path + "expected 32 bytes of hexadecimal, found 2 digits");
  expect_refused(root("\"" + root_text('3') + "3\""), path + "expected 32 bytes of hexadecimal, found 65 digits");
  expect_refused(root("\"\""), path + "expected 32 bytes of hexadecimal, found 0 digits");
  expect_refused_with(root("\"0x" + std::string(63, '3') + "g\""), path + "not a hexadecimal digit");
  expect_refused(root("3"), path + "expected 32 bytes as a hexadecimal string, found a number");
  const auto plain = parse_sign_request(root("\"" + std::string(64, '3') + "\""), named("mainnet"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->signing_root, parse_sign_request(attestation_request(), named("mainnet"))->signing_root);
  expect_refused(changed("0x05000000", "0x050000"),
                 "fork_info.fork.current_version: expected 4 bytes of hexadecimal, found 6 digits");
}

TEST(BadInput, TheNamedRootMustBeARoot) {
  for (const char* spelling : {"signingRoot", "signing_root"}) {
    const auto named_root = [&](const std::string& value) {
      return changed("{\"type\"", "{\"" + std::string(spelling) + "\":" + value + ",\"type\"");
    };
    EXPECT_EQ(refusal(named_root("\"" + root_text('0') + "\"")).kind, ErrorKind::signing_root_mismatch);
    expect_refused_with(named_root("\"0x00\""), "expected 32 bytes of hexadecimal");
    expect_refused_with(named_root("7"), "expected 32 bytes as a hexadecimal string");
    EXPECT_EQ(refusal(named_root("null")).message, "accepted");
  }
}

TEST(BadInput, BooleansAreBooleans) {
  const auto message = [](const std::string& present) {
    return request("PAYLOAD_ATTESTATION_MESSAGE",
                   R"("payload_attestation_message":{"version":"GLOAS","data":{"beacon_block_root":")" +
                       root_text('1') + R"(","slot":"1","payload_present":)" + present +
                       R"(,"blob_data_available":true}})");
  };
  EXPECT_EQ(refusal(message("false")).message, "accepted");
  for (const char* odd : {"\"true\"", "1", "0", "[]"}) {
    expect_refused_with(message(odd), "payload_attestation_message.data.payload_present: expected a boolean");
  }
}

std::string aggregate(const std::string& bits, const std::string& more = "") {
  return request(
      "AGGREGATE_AND_PROOF_V2",
      R"("aggregate_and_proof":{"version":"electra","data":{"aggregator_index":"1","aggregate":{"aggregation_bits":")" +
          bits + R"(","data":)" + attestation_data() + R"(,"signature":")" + signature_text() + "\"" + more +
          R"(},"selection_proof":")" + signature_text() + "\"}}");
}

TEST(BadInput, BitlistsAndBitvectorsKeepTheirLimits) {
  const std::string committees = R"(,"committee_bits":"0x0100000000000000")";
  const std::string path = "aggregate_and_proof.data.aggregate.aggregation_bits: ";
  EXPECT_EQ(refusal(aggregate("0x01", committees)).message, "accepted");
  EXPECT_EQ(refusal(aggregate("0x" + std::string(32768, 'f') + "01", committees)).message, "accepted");
  expect_refused(aggregate("0x" + std::string(32768, 'f') + "02", committees),
                 path + "expected at most 131072 bits, found 131073");
  expect_refused(aggregate("0x" + std::string(900000, 'f'), committees), path + "expected at most 16385 bytes");
  expect_refused(aggregate("0x", committees), path + "expected a bitlist whose last byte holds the delimiter bit");
  expect_refused(aggregate("0xff00", committees), path + "expected a bitlist whose last byte holds the delimiter bit");
  expect_refused_with(aggregate("0xf", committees), path);
  expect_refused(aggregate("0x01", R"(,"committee_bits":"0x01")"),
                 "aggregate_and_proof.data.aggregate.committee_bits: expected 8 bytes of hexadecimal, found 2 digits");
  const auto minimal = parse_sign_request(aggregate("0x01", R"(,"committee_bits":"0x1f")"), named("minimal"));
  ASSERT_FALSE(minimal);
  EXPECT_EQ(minimal.error().message,
            "aggregate_and_proof.data.aggregate.committee_bits: bits beyond the last of 4 are set");
}

TEST(BadInput, UnknownPropertiesAndKeyOrderDoNotMatter) {
  const auto plain = parse_sign_request(attestation_request(), named("mainnet"));
  const auto more = parse_sign_request(
      changed("\"target\":{", "\"new\":[1,{\"a\":\"\\u00e9\\n\"}],\"target\":{\"extra\":1.5,"), named("mainnet"));
  const auto reordered = parse_sign_request(
      "{\"attestation\":" + attestation_data() + "," + fork_info() + ",\"type\":\"ATTESTATION\"}", named("mainnet"));
  ASSERT_TRUE(plain && more && reordered);
  EXPECT_EQ(more->signing_root, plain->signing_root);
  EXPECT_EQ(reordered->signing_root, plain->signing_root);
}

TEST(BadInput, EscapedTextMeansTheSame) {
  const auto plain = parse_sign_request(attestation_request(), named("mainnet"));
  const auto escaped = parse_sign_request(with(changed("ATTESTATION", "ATT\\u0045STATION"), "\"slot\":\"12000000\"",
                                               "\"s\\u006cot\":\"1\\u0032000\\u003000\""),
                                          named("mainnet"));
  ASSERT_TRUE(plain);
  ASSERT_TRUE(escaped) << escaped.error().message;
  EXPECT_EQ(escaped->signing_root, plain->signing_root);
}

TEST(BadInput, MessagesDoNotRepeatWhatTheClientWroteAsAKey) {
  const Error error =
      refusal("{\"type\":\"ATTESTATION\"," + fork_info() + ",\"attestation\":{\"slot\":{\"\\u001b[31m\":1}}}");
  EXPECT_EQ(error.message, "attestation.slot: expected an unsigned integer, found an object");
}

TEST(BadInput, EveryTruncationOfEveryRequestIsRefused) {
  const std::string body = attestation_request();
  for (std::size_t length = 0; length < body.size(); ++length) {
    EXPECT_EQ(refusal(body.substr(0, length)).kind, ErrorKind::malformed_request) << length;
  }
}

}  // namespace
}  // namespace cc::ethereum::test
