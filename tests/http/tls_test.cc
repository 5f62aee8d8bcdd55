#include <gtest/gtest.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>

#include "http/client.h"
#include "http/test_server.h"
#include "http/tls_client.h"
#include "support/process.h"

namespace cc::http {
namespace {

using test::Certificate;
using test::CertificateWish;
using test::make_certificate;
using test::write_file;
using testing::get;
using testing::post;
using testing::RawClient;
using testing::TestServer;
using testing::TlsCaller;

class Tls : public ::testing::Test {
 protected:
  Tls() { install(server_certificate); }

  void install(const Certificate& certificate) {
    write_file(folder / "cert.pem", certificate.pem() + authority.pem());
    write_file(folder / "key.pem", certificate.key_pem());
  }
  TlsOptions options() const {
    TlsOptions out;
    out.certificate_path = (folder / "cert.pem").string();
    out.key_path = (folder / "key.pem").string();
    return out;
  }
  std::shared_ptr<TlsIdentity> identity(TlsOptions options) const {
    auto loaded = TlsIdentity::load(std::move(options));
    if (!loaded) {
      throw std::runtime_error(loaded.error().message);
    }
    return *std::move(loaded);
  }
  std::shared_ptr<TlsIdentity> identity() const { return identity(options()); }
  TlsOptions with_clients(ClientCertificates mode) {
    write_file(folder / "clients.pem", authority.pem());
    TlsOptions out = options();
    out.clients = mode;
    out.client_ca_path = (folder / "clients.pem").string();
    return out;
  }
  static ServerOptions served_with(std::shared_ptr<const TlsIdentity> tls) {
    ServerOptions out;
    out.tls = std::move(tls);
    return out;
  }
  static std::string refusal(TlsOptions options) {
    auto loaded = TlsIdentity::load(std::move(options));
    EXPECT_FALSE(loaded);
    if (loaded) {
      return "accepted";
    }
    EXPECT_EQ(loaded.error().kind, ErrorKind::config_invalid);
    return loaded.error().message;
  }
  static bool answers(const TlsCaller& caller) {
    return caller.exchange(get("/upcheck")).find("200 OK") != std::string::npos;
  }

  const test::TemporaryFolder folder;
  const Certificate authority = make_certificate({.name = "authority", .authority = true});
  const Certificate server_certificate = make_certificate({.issuer = &authority});
};

TEST_F(Tls, ServesRequestsAndNamesTheCallerEncrypted) {
  TestServer server(served_with(identity()));
  const TlsCaller caller(server.port(), {.alpn = "\x08http/1.1"});
  EXPECT_EQ(caller.alpn(), "http/1.1");
  EXPECT_NE(caller.exchange(get("/caller")).find("127.0.0.1 loopback encrypted"), std::string::npos);
  const std::string body(300'000, 'x');
  EXPECT_NE(caller.exchange(post("/echo", body)).find(body), std::string::npos);
  EXPECT_NE(caller.exchange(post("/later", "later")).find("later"), std::string::npos);
  EXPECT_EQ(server.server->counters().handshakes_total, 1U);
}

TEST_F(Tls, TakesTls12And13AndNothingOlder) {
  TestServer server(served_with(identity()));
  EXPECT_TRUE(answers(TlsCaller(server.port(), {.version = TLS1_2_VERSION})));
  EXPECT_TRUE(answers(TlsCaller(server.port(), {.version = TLS1_3_VERSION})));
  EXPECT_FALSE(TlsCaller(server.port(), {.version = TLS1_1_VERSION}).connected());
  EXPECT_FALSE(TlsCaller(server.port(), {.version = TLS1_VERSION}).connected());
  TlsOptions strict = options();
  strict.only_tls13 = true;
  TestServer newest(served_with(identity(std::move(strict))));
  EXPECT_FALSE(TlsCaller(newest.port(), {.version = TLS1_2_VERSION}).connected());
  EXPECT_TRUE(answers(TlsCaller(newest.port(), {.version = TLS1_3_VERSION})));
}

TEST_F(Tls, RefusesAClientThatOffersOnlyOtherProtocols) {
  TestServer server(served_with(identity()));
  EXPECT_FALSE(TlsCaller(server.port(), {.alpn = "\x02h2"}).connected());
  EXPECT_TRUE(TlsCaller(server.port(), {.alpn = "\x02h2\x08http/1.1"}).connected());
  EXPECT_TRUE(TlsCaller(server.port()).connected());
}

TEST_F(Tls, IssuesNoSessionTicketsAndRefusesRenegotiation) {
  TestServer server(served_with(identity()));
  const TlsCaller caller(server.port(), {.version = TLS1_2_VERSION});
  ASSERT_TRUE(answers(caller));
  EXPECT_EQ(SSL_SESSION_has_ticket(SSL_get_session(caller.session())), 0);
  SSL_renegotiate(caller.session());
  EXPECT_LE(SSL_do_handshake(caller.session()), 0);
}

TEST_F(Tls, TellsAPlainCallerWhatItDidWrong) {
  TestServer server(served_with(identity()));
  RawClient caller(server.port());
  caller.send(get("/upcheck"));
  const testing::RawReply reply = caller.read_reply();
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("https://"), std::string::npos);
  EXPECT_EQ(caller.read_to_end(), "");
}

TEST_F(Tls, SurvivesGarbageSilenceAndHalfAHandshake) {
  ServerOptions impatient = served_with(identity());
  impatient.handshake_timeout = Milliseconds(300);
  TestServer server(std::move(impatient));
  RawClient silent(server.port());
  RawClient garbage(server.port());
  garbage.send(std::string(1000, '\x16'));
  RawClient half(server.port());
  half.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8));
  EXPECT_EQ(silent.read_to_end(), "");
  garbage.read_to_end();
  half.read_to_end();
  EXPECT_TRUE(answers(TlsCaller(server.port())));
  EXPECT_GE(server.server->counters().handshakes_failed_total, 3U);
}

TEST_F(Tls, StopsWithCallersInEveryStage) {
  auto server = std::make_unique<TestServer>(served_with(identity()));
  RawClient half(server->port());
  half.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8));
  const TlsCaller idle(server->port());
  const TlsCaller waiting(server->port());
  waiting.send(post("/held", "x"));
  const auto held = server->held.take(1);
  server->server->stop(Milliseconds(100));
  EXPECT_EQ(idle.read(1), "");
  EXPECT_EQ(waiting.read(1), "");
}

TEST_F(Tls, AFinishedRequestIsAnsweredWhileDraining) {
  TestServer server(served_with(identity()));
  const TlsCaller caller(server.port());
  caller.send(post("/held", "x"));
  auto held = server.held.take(1);
  server.server->drain();
  std::thread stopping([&] { server.server->stop(Milliseconds(20'000)); });
  held.front()(text(200, "done"));
  held.clear();
  EXPECT_NE(caller.read(100).find("200 OK"), std::string::npos);
  stopping.join();
}

TEST_F(Tls, RequiresAClientCertificateOfTheAuthority) {
  TestServer server(served_with(identity(with_clients(ClientCertificates::required))));
  const Certificate friendly = make_certificate({.name = "client-1", .issuer = &authority});
  const Certificate strangers_authority = make_certificate({.name = "other", .authority = true});
  const Certificate stranger = make_certificate({.name = "client-1", .issuer = &strangers_authority});
  const Certificate expired =
      make_certificate({.name = "client-1", .issuer = &authority, .begins_in_seconds = -900, .ends_in_seconds = -60});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_FALSE(answers(TlsCaller(server.port(), {.version = version})));
    EXPECT_TRUE(answers(TlsCaller(server.port(), {.certificate = &friendly, .version = version})));
    EXPECT_FALSE(answers(TlsCaller(server.port(), {.certificate = &stranger, .version = version})));
    EXPECT_FALSE(answers(TlsCaller(server.port(), {.certificate = &expired, .version = version})));
  }
}

TEST_F(Tls, AnOptionalCertificateMayBeAbsentButNotBad) {
  TestServer server(served_with(identity(with_clients(ClientCertificates::optional))));
  const Certificate friendly = make_certificate({.name = "client-1", .issuer = &authority});
  const Certificate stranger = make_certificate({.name = "client-1"});
  EXPECT_TRUE(answers(TlsCaller(server.port())));
  EXPECT_TRUE(answers(TlsCaller(server.port(), {.certificate = &friendly})));
  EXPECT_FALSE(answers(TlsCaller(server.port(), {.certificate = &stranger})));
}

TEST_F(Tls, TheAllowListTakesCommonAndAlternativeNames) {
  TlsOptions options = with_clients(ClientCertificates::required);
  options.allowed_clients = {"client-1", "vc.example", "mailto@example.org", "spiffe://vc/1"};
  TestServer server(served_with(identity(std::move(options))));
  const auto let_in = [&](const CertificateWish& wish) {
    const Certificate made = make_certificate(wish);
    return answers(TlsCaller(server.port(), {.certificate = &made}));
  };
  EXPECT_TRUE(let_in({.name = "client-1", .alternative_names = "", .issuer = &authority}));
  EXPECT_TRUE(let_in({.name = "x", .alternative_names = "DNS:vc.example", .issuer = &authority}));
  EXPECT_TRUE(let_in({.name = "x", .alternative_names = "email:mailto@example.org", .issuer = &authority}));
  EXPECT_TRUE(let_in({.name = "x", .alternative_names = "URI:spiffe://vc/1", .issuer = &authority}));
  EXPECT_FALSE(let_in({.name = "client-10", .alternative_names = "DNS:vc.example.org", .issuer = &authority}));
  // The name alone is worth nothing.
  EXPECT_FALSE(let_in({.name = "client-1", .alternative_names = ""}));
}

TEST_F(Tls, KnownClientsNeedNoAuthorityButNameAndFingerprint) {
  const Certificate known = make_certificate({.name = "validator one"});
  const Certificate renamed = make_certificate({.name = "validator two"});
  const Certificate other = make_certificate({.name = "validator one"});
  write_file(folder / "known", "# who may\n\nvalidator one " + fingerprint_of(known.certificate.get()) + "\nsomebody " +
                                   fingerprint_of(renamed.certificate.get()) + "\n");
  TlsOptions options = this->options();
  options.clients = ClientCertificates::required;
  options.known_clients_path = (folder / "known").string();
  TestServer server(served_with(identity(std::move(options))));
  EXPECT_TRUE(answers(TlsCaller(server.port(), {.certificate = &known})));
  EXPECT_FALSE(answers(TlsCaller(server.port(), {.certificate = &renamed})));
  EXPECT_FALSE(answers(TlsCaller(server.port(), {.certificate = &other})));
  EXPECT_FALSE(answers(TlsCaller(server.port())));
}

TEST_F(Tls, AReloadServesNewConnectionsAndLeavesTheOldOnesAlone) {
  const auto tls = identity();
  TestServer server(served_with(tls));
  const TlsCaller before(server.port());
  ASSERT_TRUE(answers(before));
  EXPECT_FALSE(tls->files_changed());
  const Certificate next = make_certificate({.name = "next", .issuer = &authority});
  install(next);
  EXPECT_TRUE(tls->files_changed());
  ASSERT_TRUE(tls->reload(std::time(nullptr)));
  EXPECT_FALSE(tls->files_changed());
  EXPECT_TRUE(answers(before));
  EXPECT_EQ(TlsCaller(server.port()).server_fingerprint(), fingerprint_of(next.certificate.get()));
  EXPECT_EQ(before.server_fingerprint(), fingerprint_of(server_certificate.certificate.get()));
}

TEST_F(Tls, ABrokenNewPairLeavesTheOldOneInForce) {
  const auto tls = identity();
  TestServer server(served_with(tls));
  const std::string in_force = fingerprint_of(server_certificate.certificate.get());
  const auto refused = [&] {
    const Result<void> outcome = tls->reload(std::time(nullptr));
    EXPECT_FALSE(outcome);
    EXPECT_EQ(TlsCaller(server.port()).server_fingerprint(), in_force);
    EXPECT_FALSE(tls->files_changed()) << "the same files would be tried again and again";
    return outcome ? std::string() : outcome.error().message;
  };
  const Certificate next = make_certificate({.name = "next", .issuer = &authority});
  write_file(folder / "cert.pem", next.pem());
  EXPECT_NE(refused().find("is not the key of the certificate"), std::string::npos);
  write_file(folder / "cert.pem", next.pem().substr(0, 200));
  EXPECT_NE(refused().find("damaged"), std::string::npos);
  std::filesystem::remove(folder / "cert.pem");
  EXPECT_NE(refused().find("cannot be read"), std::string::npos);
  install(make_certificate({.name = "old", .begins_in_seconds = -900, .ends_in_seconds = -60}));
  EXPECT_NE(refused().find("has expired"), std::string::npos);
  install(make_certificate({.name = "early", .begins_in_seconds = 900, .ends_in_seconds = 9000}));
  EXPECT_NE(refused().find("not valid yet"), std::string::npos);
  install(next);
  EXPECT_TRUE(tls->reload(std::time(nullptr)));
}

TEST_F(Tls, ErrorsAtStartNameTheFileAndWhatToDo) {
  TlsOptions missing = options();
  missing.certificate_path += ".missing";
  EXPECT_NE(refusal(std::move(missing)).find("No such file"), std::string::npos);
  TlsOptions swapped = options();
  std::swap(swapped.certificate_path, swapped.key_path);
  EXPECT_NE(refusal(std::move(swapped)).find("holds no certificate in PEM form"), std::string::npos);
  TlsOptions folder_for_key = options();
  folder_for_key.key_path = folder.string();
  EXPECT_NE(refusal(std::move(folder_for_key)).find("it is not a file"), std::string::npos);
  write_file(folder / "key.pem", make_certificate({}).key_pem());
  EXPECT_NE(refusal(options()).find("is not the key of the certificate"), std::string::npos);
  write_file(folder / "key.pem", "");
  EXPECT_NE(refusal(options()).find("it is empty"), std::string::npos);
  write_file(folder / "key.pem", "-----BEGIN PRIVATE KEY-----\nxxxx\n-----END PRIVATE KEY-----\n");
  EXPECT_NE(refusal(options()).find("holds no private key"), std::string::npos);
  TlsOptions clientless = options();
  clientless.clients = ClientCertificates::required;
  EXPECT_NE(refusal(std::move(clientless)).find("tls.client.ca_path"), std::string::npos);
}

TEST_F(Tls, AKeyWithAPasswordNeedsTheRightOne) {
  write_file(folder / "key.pem", server_certificate.key_pem("open sesame"));
  EXPECT_NE(refusal(options()).find("tls.file.key_password"), std::string::npos);
  TlsOptions wrong = options();
  wrong.key_password = SecretBytes::copy_of(std::string_view("open barley"));
  EXPECT_NE(refusal(std::move(wrong)).find("wrong password"), std::string::npos);
  TlsOptions right = options();
  right.key_password = SecretBytes::copy_of(std::string_view("open sesame"));
  const auto tls = identity(std::move(right));
  EXPECT_TRUE(tls->reload(std::time(nullptr))) << "the password is kept for reloads";
}

TEST_F(Tls, AKeyOthersMayReadIsNamed) {
  EXPECT_EQ(identity()->facts().key_path_warning, "");
  ::chmod((folder / "key.pem").c_str(), 0644);
  EXPECT_NE(identity()->facts().key_path_warning.find("chmod 600"), std::string::npos);
}

TEST_F(Tls, FactsTellSubjectAndDates) {
  const TlsFacts facts = identity()->facts();
  EXPECT_EQ(facts.subject, "CN=signer");
  EXPECT_EQ(facts.fingerprint, fingerprint_of(server_certificate.certificate.get()));
  EXPECT_NEAR(static_cast<double>(facts.not_after - std::time(nullptr)), 30.0 * 86'400, 60.0);
  EXPECT_NEAR(static_cast<double>(facts.not_before - std::time(nullptr)), -86'400.0, 60.0);
}

TEST_F(Tls, ManyCallersAtOnceAreAllServed) {
  TestServer server(served_with(identity()));
  std::atomic<int> good{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 16; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        good += answers(TlsCaller(server.port())) ? 1 : 0;
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  EXPECT_EQ(good.load(), 320);
}

TEST_F(Tls, OurClientTrustsTheGivenAuthorityAndNoOther) {
  TestServer server(served_with(identity()));
  write_file(folder / "ca.pem", authority.pem());
  write_file(folder / "other.pem", make_certificate({.name = "other", .authority = true}).pem());
  const auto ask = [&](const std::string& host, const std::string& ca) {
    ClientRequest request;
    request.url = "https://" + host + ":" + std::to_string(server.port()) + "/upcheck";
    request.tls.ca_path = ca;
    return http::send(request);
  };
  const auto good = ask("localhost", (folder / "ca.pem").string());
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->body, "OK");
  EXPECT_TRUE(ask("127.0.0.1", (folder / "ca.pem").string()));
  for (const std::string& ca : {std::string(), (folder / "other.pem").string()}) {
    const auto refused = ask("localhost", ca);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::unreachable);
    EXPECT_NE(refused.error().message.find("--ca-cert"), std::string::npos) << refused.error().message;
  }
  const auto unusable = ask("localhost", (folder / "key.pem").string());
  ASSERT_FALSE(unusable);
  EXPECT_EQ(unusable.error().kind, ErrorKind::usage) << unusable.error().message;
}

TEST_F(Tls, OurClientRefusesAnotherHostName) {
  install(make_certificate({.alternative_names = "DNS:elsewhere.example", .issuer = &authority}));
  TestServer server(served_with(identity()));
  write_file(folder / "ca.pem", authority.pem());
  ClientRequest request;
  request.url = "https://localhost:" + std::to_string(server.port()) + "/upcheck";
  request.tls.ca_path = (folder / "ca.pem").string();
  const auto refused = http::send(request);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("cannot be trusted"), std::string::npos);
}

TEST_F(Tls, OurClientShowsItsCertificate) {
  TestServer server(served_with(identity(with_clients(ClientCertificates::required))));
  const Certificate ours = make_certificate({.name = "operator", .issuer = &authority});
  write_file(folder / "ca.pem", authority.pem());
  write_file(folder / "ours.pem", ours.pem());
  write_file(folder / "ours.key", ours.key_pem());
  write_file(folder / "both.pem", ours.pem() + ours.key_pem());
  const auto ask = [&](const std::string& certificate, const std::string& key) {
    ClientRequest request;
    request.url = "https://localhost:" + std::to_string(server.port()) + "/upcheck";
    request.tls = {(folder / "ca.pem").string(), certificate, key};
    return http::send(request);
  };
  EXPECT_TRUE(ask((folder / "ours.pem").string(), (folder / "ours.key").string()));
  EXPECT_TRUE(ask((folder / "both.pem").string(), ""));
  EXPECT_FALSE(ask("", ""));
  const auto mismatch = ask((folder / "ours.pem").string(), (folder / "key.pem").string());
  ASSERT_FALSE(mismatch);
  EXPECT_EQ(mismatch.error().kind, ErrorKind::usage) << mismatch.error().message;
}

}  // namespace
}  // namespace cc::http
