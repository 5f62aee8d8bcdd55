// The execution payload and its requests inside a Gloas envelope (EIP-7732, EIP-7688, EIP-7928, EIP-8282).
#include "ethereum/container_reader.h"
#include "ethereum/messages.h"

namespace cc::ethereum {
namespace {

constexpr std::size_t kLogsBloom = 256;
constexpr std::size_t kMaxExtraData = 32;

Result<Root> withdrawal_root(JsonValue value) {
  return ContainerReader(value).u64("index").u64("validator_index").bytes("address", kAddress).u64("amount").root();
}

Result<Root> deposit_request_root(JsonValue value) {
  return ContainerReader(value)
      .bytes("pubkey", kPublicKey)
      .bytes("withdrawal_credentials", kRoot)
      .u64("amount")
      .bytes("signature", kSignature)
      .u64("index")
      .root();
}

Result<Root> withdrawal_request_root(JsonValue value) {
  return ContainerReader(value)
      .bytes("source_address", kAddress)
      .bytes("validator_pubkey", kPublicKey)
      .u64("amount")
      .root();
}

Result<Root> consolidation_request_root(JsonValue value) {
  return ContainerReader(value)
      .bytes("source_address", kAddress)
      .bytes("source_pubkey", kPublicKey)
      .bytes("target_pubkey", kPublicKey)
      .root();
}

Result<Root> builder_deposit_request_root(JsonValue value) {
  return ContainerReader(value)
      .bytes("pubkey", kPublicKey)
      .bytes("withdrawal_credentials", kRoot)
      .u64("amount")
      .bytes("signature", kSignature)
      .root();
}

Result<Root> builder_exit_request_root(JsonValue value) {
  return ContainerReader(value).bytes("source_address", kAddress).bytes("pubkey", kPublicKey).root();
}

}  // namespace

Result<Root> execution_payload_root(JsonValue value, std::uint64_t* slot) {
  return ContainerReader(value)
      .bytes("parent_hash", kRoot)
      .bytes("fee_recipient", kAddress)
      .bytes("state_root", kRoot)
      .bytes("receipts_root", kRoot)
      .bytes("logs_bloom", kLogsBloom)
      .bytes("prev_randao", kRoot)
      .u64("block_number")
      .u64("gas_limit")
      .u64("gas_used")
      .u64("timestamp")
      .byte_list("extra_data", kMaxExtraData)
      .u256("base_fee_per_gas")
      .bytes("block_hash", kRoot)
      .progressive_list("transactions", progressive_bytes_root)
      .progressive_list("withdrawals", withdrawal_root)
      .u64("blob_gas_used")
      .u64("excess_blob_gas")
      .progressive_byte_list("block_access_list")
      .u64("slot_number", slot)
      .progressive_root();
}

Result<Root> execution_requests_root(JsonValue value) {
  return ContainerReader(value)
      .progressive_list("deposits", deposit_request_root)
      .progressive_list("withdrawals", withdrawal_request_root)
      .progressive_list("consolidations", consolidation_request_root)
      .progressive_list("builder_deposits", builder_deposit_request_root)
      .progressive_list("builder_exits", builder_exit_request_root)
      .progressive_root();
}

}  // namespace cc::ethereum
