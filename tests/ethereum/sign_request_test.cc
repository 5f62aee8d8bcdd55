// Shapes, contradictions, exits and duties.
#include <gtest/gtest.h>

#include "ethereum/domains.h"
#include "ethereum/requests.h"

namespace cc::ethereum::test {
namespace {

namespace json = boost::json;

json::object synthetic_body(const std::string& name) {
  static const json::value file = read_json("synthetic-vectors-minimal.json");
  for (const json::value& vector : file.at("vectors").as_array()) {
    if (text_of(vector.at("name")) == name) {
      return vector.at("body").as_object();
    }
  }
  throw std::runtime_error("no vector " + name);
}
Network synthetic_network() { return network_of(read_json("synthetic-vectors-minimal.json").at("config")); }

Result<SignRequest> parse(const json::object& body, const Network& network = synthetic_network()) {
  return parse_sign_request(json::serialize(body), network);
}
std::string message_of(const Result<SignRequest>& parsed) { return parsed ? "accepted" : parsed.error().message; }

TEST(Duties, BlocksAndAttestationsCarryWhatTheGuardChecks) {
  const auto attestation = parse(synthetic_body("ATTESTATION electra"));
  ASSERT_TRUE(attestation);
  const auto& votes = std::get<AttestationDuty>(attestation->duty);
  const json::object vote = synthetic_body("ATTESTATION electra").at("attestation").as_object();
  EXPECT_EQ(std::to_string(votes.source.value), text_of(vote.at("source").at("epoch")));
  EXPECT_EQ(std::to_string(votes.target.value), text_of(vote.at("target").at("epoch")));
  EXPECT_EQ(std::get<BlockDuty>(parse(synthetic_body("BLOCK_V2 gloas"))->duty).slot, Slot{571});
  EXPECT_EQ(std::get<BlockDuty>(parse(synthetic_body("BLOCK_V2 altair"))->duty).slot, Slot{91});
  EXPECT_EQ(std::get<BlockDuty>(parse(synthetic_body("BLOCK phase0 (deprecated)"))->duty).slot, Slot{11});
  for (const char* name : {"RANDAO_REVEAL fulu", "AGGREGATE_AND_PROOF_V2 fulu", "EXECUTION_PAYLOAD_BID gloas",
                           "PAYLOAD_ATTESTATION_MESSAGE gloas", "VOLUNTARY_EXIT fulu", "DEPOSIT"}) {
    EXPECT_TRUE(std::holds_alternative<std::monostate>(parse(synthetic_body(name))->duty)) << name;
  }
}

TEST(Duties, OnlyTypesWithForkInfoNameANetwork) {
  for (const char* name : {"DEPOSIT", "VALIDATOR_REGISTRATION", "BUILDER_REQUEST_AUTH gloas"}) {
    EXPECT_FALSE(parse(synthetic_body(name))->genesis_validators_root) << name;
  }
  EXPECT_EQ(parse(synthetic_body("BLOCK_V2 gloas"))->genesis_validators_root,
            synthetic_network().genesis_validators_root);
}

TEST(Aggregates, BothShapesAreAcceptedUnderBothNames) {
  for (const char* name :
       {"AGGREGATE_AND_PROOF_V2 electra", "AGGREGATE_AND_PROOF_V2 deneb", "AGGREGATE_AND_PROOF_V2 gloas"}) {
    json::object body = synthetic_body(name);
    const Root expected = fixed<32>(body.at("signingRoot"));
    body["type"] = "aggregate_and_proof";
    const auto old_name = parse(body);
    ASSERT_TRUE(old_name) << old_name.error().message;
    EXPECT_EQ(old_name->signing_root, expected);
    EXPECT_EQ(old_name->type, "AGGREGATE_AND_PROOF");
    const json::value data = body.at("aggregate_and_proof").at("data");
    for (const char* type : {"AGGREGATE_AND_PROOF", "AGGREGATE_AND_PROOF_V2"}) {
      body["type"] = type;
      body["aggregate_and_proof"] = data;
      const auto old_shape = parse(body);
      ASSERT_TRUE(old_shape) << name << old_shape.error().message;
      EXPECT_EQ(old_shape->signing_root, expected) << name;
    }
  }
}

TEST(Aggregates, ElectraAndGloasDifferForTheSameJson) {
  json::object body = synthetic_body("AGGREGATE_AND_PROOF_V2 gloas");
  body.erase("signingRoot");
  const auto gloas = parse(body);
  body["aggregate_and_proof"].at("version") = "FULU";
  EXPECT_NE(message_of(parse(body)).find("contradicts fork_info, which stands for GLOAS"), std::string::npos);
  body["fork_info"].at("fork").at("current_version") = "0xffffffff";  // a fork the network does not know
  const auto fulu = parse(body);
  ASSERT_TRUE(gloas && fulu) << message_of(fulu);
  EXPECT_NE(gloas->object_root, fulu->object_root);
}

TEST(Aggregates, VersionAndCommitteeBitsMustAgree) {
  json::object electra = synthetic_body("AGGREGATE_AND_PROOF_V2 electra");
  electra["aggregate_and_proof"].at("version") = "DENEB";
  EXPECT_NE(message_of(parse(electra)).find("committee_bits: contradicts the fork DENEB"), std::string::npos);
  electra["aggregate_and_proof"].at("version") = "ELECTRA";
  electra["aggregate_and_proof"].at("data").at("aggregate").as_object().erase("committee_bits");
  EXPECT_EQ(message_of(parse(electra)),
            "aggregate_and_proof.data.aggregate: committee_bits is missing, which the fork ELECTRA has");
  json::object bare = synthetic_body("AGGREGATE_AND_PROOF deneb");
  bare["aggregate_and_proof"].at("aggregate").as_object()["committee_bits"] = "0x01";
  EXPECT_NE(message_of(parse(bare)).find("contradicts the fork DENEB"), std::string::npos);
}

TEST(Aggregates, VersionIsReadInAnyCaseAndMustBeKnown) {
  json::object body = synthetic_body("AGGREGATE_AND_PROOF_V2 electra");
  body["aggregate_and_proof"].at("version") = "electra";
  EXPECT_EQ(message_of(parse(body)), "accepted");
  body["aggregate_and_proof"].at("version") = "OSAKA";
  EXPECT_EQ(message_of(parse(body)), "aggregate_and_proof.version: not a fork this signer knows (PHASE0 to GLOAS)");
  body["aggregate_and_proof"].as_object().erase("version");
  EXPECT_EQ(message_of(parse(body)), "aggregate_and_proof: version and data belong together: both or neither");
}

TEST(Blocks, VersionIsUpperCaseAndPicksTheShape) {
  json::object body = synthetic_body("BLOCK_V2 deneb");
  body["beacon_block"].at("version") = "deneb";
  EXPECT_EQ(message_of(parse(body)),
            "beacon_block.version: not a fork this signer knows (PHASE0 to GLOAS, in upper case)");
  body["beacon_block"].at("version") = "ALTAIR";
  EXPECT_EQ(message_of(parse(body)),
            "beacon_block.block_header: contradicts the version ALTAIR, which is signed from block");
  json::object whole = synthetic_body("BLOCK_V2 altair");
  whole["beacon_block"].at("version") = "BELLATRIX";
  EXPECT_EQ(message_of(parse(whole)),
            "beacon_block.block: contradicts the version BELLATRIX, which is signed from block_header");
  whole["beacon_block"].at("version") = "PHASE0";
  EXPECT_EQ(message_of(parse(whole)),
            "beacon_block.block.body.sync_aggregate: contradicts the version PHASE0, which has no sync_aggregate");
  json::object phase0 = synthetic_body("BLOCK_V2 phase0");
  phase0["beacon_block"].at("version") = "ALTAIR";
  EXPECT_EQ(message_of(parse(phase0)), "beacon_block.block.body.sync_aggregate: missing");
}

TEST(Blocks, ListsKeepTheirLimitsAndDepositsTheirProofLength) {
  json::object body = synthetic_body("BLOCK_V2 phase0");
  json::value& lists = body["beacon_block"].at("block").at("body");
  json::array& exits = lists.at("voluntary_exits").as_array();
  exits.resize(17, exits.at(0));
  EXPECT_EQ(message_of(parse(body)), "beacon_block.block.body.voluntary_exits: expected at most 16 elements");
  exits.resize(1);
  lists.at("deposits").at(0).at("proof").as_array().pop_back();
  EXPECT_EQ(message_of(parse(body)), "beacon_block.block.body.deposits[0].proof: expected 33 elements, found 32");
  lists.at("deposits").at(0).at("proof").as_array().resize(34, root_text('0').c_str());
  EXPECT_EQ(message_of(parse(body)), "beacon_block.block.body.deposits[0].proof: expected at most 33 elements");
}

TEST(Gloas, MessagesNameTheirVersion) {
  json::object body = synthetic_body("PROPOSER_PREFERENCES gloas");
  body["proposer_preferences"].at("version") = "gloas";
  EXPECT_EQ(message_of(parse(body)), "accepted");
  body["proposer_preferences"].at("version") = "FULU";
  EXPECT_NE(message_of(parse(body)).find("proposer_preferences.version: expected GLOAS"), std::string::npos);
  body["proposer_preferences"].as_object().erase("version");
  EXPECT_EQ(message_of(parse(body)), "proposer_preferences.version: missing");
}

// EIP-7044.
class Exits : public testing::Test {
 protected:
  Network network = synthetic_network();
  json::object body = synthetic_body("VOLUNTARY_EXIT deneb");
  Root exit_root = fixed<32>(body.at("signingRoot"));  // under the Capella version

  void fork(const std::string& previous, const std::string& current, const std::string& epoch) {
    body["fork_info"].at("fork") = {{"previous_version", previous}, {"current_version", current}, {"epoch", epoch}};
  }
  Root root_under(const Version& version) {
    const Root object_root = parse(body, network)->object_root;
    return compute_signing_root(object_root,
                                compute_domain(domain_type::kVoluntaryExit, version, *network.genesis_validators_root));
  }
};

TEST_F(Exits, FromDenebOnUseTheCapellaVersionAlone) {
  for (const char* version : {"0x04000001", "0x05000001", "0x06000001", "0x07000001"}) {
    fork("0x03000001", version, "40");
    EXPECT_EQ(message_of(parse(body, network)), "accepted") << version;
    json::object current = body;
    current["signingRoot"] = to_0x(root_under(fixed<4>(json::value(version))));
    EXPECT_EQ(parse(current, network).error().kind, ErrorKind::signing_root_mismatch) << version;
    current.erase("signingRoot");
    EXPECT_EQ(parse(current, network)->signing_root, exit_root) << version;
  }
}

TEST_F(Exits, AnOldExitEpochUnderADenebForkStillUsesCapella) {
  body.erase("signingRoot");
  body["voluntary_exit"].at("epoch") = "5";
  EXPECT_EQ(parse(body, network)->signing_root, root_under({0x03, 0x00, 0x00, 0x01}));
}

TEST_F(Exits, ACapellaForkInfoGivesTheSameRoot) {
  fork("0x02000001", "0x03000001", "30");
  EXPECT_EQ(message_of(parse(body, network)), "accepted");
  body.erase("signingRoot");
  EXPECT_EQ(parse(body, network)->signing_root, exit_root);
}

TEST_F(Exits, BeforeDenebTheExitEpochDecidesUnlessTheRootAsksForCapella) {
  fork("0x02000001", "0x03000001", "30");
  body["voluntary_exit"].at("epoch") = "29";
  body.erase("signingRoot");
  const Root by_epoch = root_under({0x02, 0x00, 0x00, 0x01});
  const Root capella = root_under({0x03, 0x00, 0x00, 0x01});
  EXPECT_EQ(parse(body, network)->signing_root, by_epoch);
  body["signingRoot"] = to_0x(by_epoch);
  EXPECT_EQ(parse(body, network)->signing_root, by_epoch);
  body["signingRoot"] = to_0x(capella);
  EXPECT_EQ(parse(body, network)->signing_root, capella);
  body["signing_root"] = to_0x(by_epoch);
  EXPECT_EQ(parse(body, network).error().kind, ErrorKind::signing_root_mismatch);
}

TEST_F(Exits, AnUnknownVersionIsJudgedByTheSchedule) {
  body.erase("signingRoot");
  fork("0x07000001", "0x08000001", "80");
  EXPECT_EQ(parse(body, network)->signing_root, exit_root);
  fork("0xaa000000", "0xbb000000", "39");
  EXPECT_EQ(parse(body, network)->signing_root, root_under({0xbb, 0x00, 0x00, 0x00}));
}

TEST_F(Exits, ANetworkWithoutCapellaSaysSo) {
  network.versions[static_cast<std::size_t>(Fork::capella)].reset();
  EXPECT_EQ(parse(body, network).error().kind, ErrorKind::config_invalid);
}

TEST(Domains, RegistrationsFollowTheNetworkAndDepositsTheRequest) {
  json::object registration = synthetic_body("VALIDATOR_REGISTRATION");
  registration.erase("signingRoot");
  EXPECT_NE(parse(registration, named("mainnet"))->domain, parse(registration, named("sepolia"))->domain);
  json::object deposit = synthetic_body("DEPOSIT");
  EXPECT_EQ(parse(deposit, named("mainnet"))->domain, parse(deposit, named("sepolia"))->domain);
  EXPECT_EQ(to_0x(compute_domain(domain_type::kDeposit, {0, 0, 0, 0}, Root{})),
            "0x03000000f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a9");
}

TEST(Domains, SlotsBecomeEpochsByThePreset) {
  // Slot 571 lies in epoch 17 of mainnet, 35 of gnosis and 71 of the minimal preset; the fork begins at epoch 30.
  json::object body = synthetic_body("AGGREGATION_SLOT gloas");
  body.erase("signingRoot");
  body["fork_info"].at("fork").at("epoch") = "30";
  const Root genesis = fixed<32>(body.at("fork_info").at("genesis_validators_root"));
  const Root before = compute_domain(domain_type::kSelectionProof, {0x06, 0, 0, 1}, genesis);
  const Root after = compute_domain(domain_type::kSelectionProof, {0x07, 0, 0, 1}, genesis);
  EXPECT_EQ(parse(body, named("mainnet"))->domain, before);
  EXPECT_EQ(parse(body, named("gnosis"))->domain, after);
  EXPECT_EQ(parse(body, named("minimal"))->domain, after);
}

}  // namespace
}  // namespace cc::ethereum::test
