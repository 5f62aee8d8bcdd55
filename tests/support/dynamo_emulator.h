// DynamoDB on loopback for a test program: moto's server (tools/moto.sh) and dynoxide (tools/dynoxide.sh), each started
// once per program on a free port, gone when the program ends, however it ends. A table of its own per case.
//
// moto undoes a failed transaction by putting back a copy of all tables, whatever others did meanwhile: races are
// tested on dynoxide only.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <iostream>
#include <vector>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "adapters/aws/aws.h"
#include "adapters/dynamodb/table.h"
#include "base/log.h"
#include "base/random.h"

namespace cc::test {

enum class DynamoKind { moto, dynoxide };

inline std::uint16_t free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  (void)::bind(probe, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(probe);
  return ntohs(address.sin_port);
}

// An emulator on a busy machine takes its time; how the client gives up is tested elsewhere.
inline aws::Patience patient() {
  aws::Patience out;
  out.budget = Milliseconds(120'000);
  out.attempt = Milliseconds(60'000);
  out.connect = Milliseconds(10'000);
  out.attempts = 60;  // moto answers 500 to transactions that get in each other's way
  return out;
}

class DynamoEmulator {
 public:
  static DynamoEmulator& get(DynamoKind kind) {
    log::configure(log::Level::warn, log::Format::text);
    static DynamoEmulator moto(DynamoKind::moto), dynoxide(DynamoKind::dynoxide);
    DynamoEmulator& out = kind == DynamoKind::moto ? moto : dynoxide;
    out.start();
    return out;
  }
  ~DynamoEmulator() { stop(); }
  DynamoEmulator(const DynamoEmulator&) = delete;
  DynamoEmulator& operator=(const DynamoEmulator&) = delete;

  // Whether the program is installed.
  static bool installed(DynamoKind kind) { return std::filesystem::exists(program(kind)); }
  bool up() const { return process_ > 0; }
  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void stop() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      int status = 0;
      ::waitpid(process_, &status, 0);
      process_ = -1;
    }
  }

  std::unique_ptr<aws::Aws> client(aws::Patience patience = patient()) const { return client_to(endpoint(), patience); }
  static std::unique_ptr<aws::Aws> client_to(const std::string& endpoint, aws::Patience patience = patient()) {
    static SystemClock clock;
    static SystemRandom random;
    aws::AwsOptions options;
    options.credentials.environment = {{"AWS_ACCESS_KEY_ID", "test"},
                                       {"AWS_SECRET_ACCESS_KEY", "test"},
                                       {"AWS_EC2_METADATA_DISABLED", "true"},
                                       {"AWS_CONFIG_FILE", "/nonexistent"},
                                       {"AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"}};
    options.endpoints = {{"dynamodb", endpoint}};
    options.patience = patience;
    auto made = aws::Aws::make(std::move(options), clock, random);
    EXPECT_TRUE(made) << made.error().message;
    return *std::move(made);
  }

 private:
  explicit DynamoEmulator(DynamoKind kind) : kind_(kind) {}
  static std::string program(DynamoKind kind) {
    const std::string build = std::string(CC_SOURCE_DIR) + "/build/";
    return build + (kind == DynamoKind::moto ? "moto-venv/bin/moto_server" : "dynoxide/bin/dynoxide");
  }
  bool listens() const {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    const bool out = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    return out;
  }
  void start() {
    if (up() || !installed(kind_)) {
      return;
    }
    port_ = port_ == 0 ? free_port() : port_;
    const std::string port = std::to_string(port_);
    const std::string name = program(kind_);
    const char* const host = kind_ == DynamoKind::moto ? "-H" : "--host";
    const pid_t parent = ::getpid();
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) {
        ::_exit(1);
      }
      const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
      ::dup2(nothing, 1);
      ::dup2(nothing, 2);
      ::execl(name.c_str(), name.c_str(), host, "127.0.0.1", "-p", port.c_str(), nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 1200 && !listens(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  DynamoKind kind_;
  pid_t process_ = -1;
  std::uint16_t port_ = 0;
};

// A table that goes with its case, and what asks it.
class DynamoTable {
 public:
  explicit DynamoTable(DynamoEmulator& emulator, aws::Patience patience = patient())
      : aws_(emulator.client(patience)), name_(fresh_name()) {
    create();
  }
  ~DynamoTable() { drop(); }
  DynamoTable(const DynamoTable&) = delete;
  DynamoTable& operator=(const DynamoTable&) = delete;

  const std::string& name() const { return name_; }
  aws::Aws& aws() { return *aws_; }
  std::shared_ptr<dynamodb::Table> table() {
    return std::make_shared<dynamodb::Table>(aws_->client(), aws_->credentials(), dynamodb::TableName{name_, "", ""},
                                             "eu-west-1");
  }
  void create(const std::string& sort_key = "sk") {
    EXPECT_EQ(ask("CreateTable", R"(,"BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[)"
                                 R"({"AttributeName":"pk","AttributeType":"S"},{"AttributeName":")" +
                                     sort_key + R"(","AttributeType":"S"}],"KeySchema":[)" +
                                     R"({"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":")" + sort_key +
                                     R"(","KeyType":"RANGE"}])"),
              200);
  }
  void drop() { ask("DeleteTable", ""); }
  int ask(const std::string& operation, const std::string& members) {
    const aws::ServiceCall call{"dynamodb",
                                "eu-west-1",
                                "dynamodb:" + operation,
                                "application/x-amz-json-1.0",
                                "DynamoDB_20120810." + operation,
                                R"({"TableName":")" + name_ + "\"" + members + "}"};
    const aws::Exchange said = aws_->client().exchange(call, &aws_->credentials());
    EXPECT_FALSE(said.trouble) << said.trouble->message;
    return said.answer.status;
  }

 private:
  static std::string fresh_name() {
    static int count = 0;
    return "case-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  }
  std::unique_ptr<aws::Aws> aws_;
  std::string name_;
};

// moto always; dynoxide where it is installed (tools/dynoxide.sh wants a cargo of 1.88).
inline std::vector<DynamoKind> every_emulator() {
  std::vector<DynamoKind> out{DynamoKind::moto};
  if (DynamoEmulator::installed(DynamoKind::dynoxide)) {
    out.push_back(DynamoKind::dynoxide);
  }
  return out;
}
// Those that let transactions run side by side: dynoxide, or none, which is said.
inline std::vector<DynamoKind> racing_emulators() {
  std::vector<DynamoKind> out = every_emulator();
  std::erase(out, DynamoKind::moto);
  if (out.empty()) {
    std::cout << "not run: races and rates of DynamoDB; dynoxide is not installed (tools/dynoxide.sh)\n";
  }
  return out;
}

// In SetUp(): the case fails, and its body does not run.
#define CC_NEEDS_DYNAMO(kind)                                                                                        \
  ASSERT_TRUE(::cc::test::DynamoEmulator::installed(kind)) << "run tools/moto.sh first (./dev check and ./dev test " \
                                                              "do)"

}  // namespace cc::test
