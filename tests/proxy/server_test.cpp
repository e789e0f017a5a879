#include "proxy/server.hpp"

#include "proxy/loop.hpp"
#include "tests/integration/images.hpp"
#include "tests/proxy/http/client_authority.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/sanitizers.hpp"
#include "tests/support/scripted_upstream.hpp"
#include "tests/support/temp_dir.hpp"

#include <algorithm>
#include <atomic>
#include <doctest/doctest.h>
#include <filesystem>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <thread>

namespace archway::proxy {
namespace {

using test::RawClient;

/// A server on ports of the kernel's choice.
class Running {
 public:
  Settings settings;
  test::TempDir dir;
  test::QuietLog log;

  Running() {
    settings.listen = {{.endpoint = {.address = "127.0.0.1", .port = 0}}};
    settings.threads = 2;
    settings.cache.directory = dir.path() / "cache";
  }
  void with_upstream(const test::ScriptedUpstream& upstream) {
    settings.upstreams = {
        {.name = "docker.io", .url = *resolver::Url::parse(upstream.url()), .is_default = true}};
  }
  void start() {
    auto made = Server::start(settings, &log);
    if (!made) FAIL(made.error().message);
    server = *std::move(made);
  }
  std::uint16_t port() const { return server->endpoints().front().port; }

  std::unique_ptr<Server> server;
};

std::string asking(const std::string& method, const std::string& target) {
  return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

TEST_CASE("the certificates of clients are checked, and their authority is read again on reload") {
  const test::TestCertificate own({});
  const test::ClientAuthority before("before");
  const test::ClientAuthority after("after");
  Running running;
  const auto ca = running.dir.write("ca.pem", "");
  before.write(ca);
  running.settings.listen.front().tls = Settings::Tls{.certificate = own.certificate_file(),
                                                      .key = own.key_file(),
                                                      .client_ca = ca,
                                                      .client_required = true};
  running.start();
  const auto is_let_in = [&](const test::ClientAuthority& authority) {
    const auto context = authority.client({.common_names = {"pi-07"}});
    auto client = RawClient::to_port(running.port());
    client.start_tls(context.get(), "localhost");
    client.say(asking("GET", "/v2/"));
    return client.hear_answer().head.starts_with("HTTP/1.1 200");
  };
  CHECK(is_let_in(before));
  CHECK(!is_let_in(after));
  after.write(ca);
  running.server->reload();
  CHECK(!is_let_in(before));
  CHECK(is_let_in(after));
  running.dir.write("ca.pem", "no longer PEM");
  running.server->reload();
  CHECK(running.log.count("the new certificate cannot be used; the old one stays") == 1);
  CHECK(is_let_in(after));
}

TEST_CASE("a listener whose clients cannot be checked does not begin") {
  const test::TestCertificate own({});
  Running running;
  running.settings.listen.front().tls = Settings::Tls{
      .certificate = own.certificate_file(), .key = own.key_file(), .client_ca = "/nowhere/ca.pem"};
  const auto made = Server::start(running.settings, &running.log);
  REQUIRE(!made);
  CHECK(made.error().code == Errc::configuration_invalid);
  CHECK(made.error().message.find("/nowhere/ca.pem") != std::string::npos);
}

TEST_CASE("the operator's port on a unix socket takes everything, however long its target") {
  test::ScriptedUpstream upstream;
  const auto image = test::make_image("linux/amd64", "layer");
  test::publish(upstream, "me/app", image);
  test::publish(upstream, "me/app", image.manifest, "1");
  Running running;
  running.with_upstream(upstream);
  running.settings.admin = Settings::Endpoint{
      .address = "", .port = 0, .unix_path = (running.dir.path() / "admin.sock").string()};
  running.start();
  auto client = RawClient::to_path(running.settings.admin->unix_path);
  const auto ask = [&](const std::string& method, const std::string& target) {
    client.say(method + " " + target + " HTTP/1.1\r\nHost: archway\r\n\r\n");
    return client.hear_answer();
  };
  CHECK(ask("GET", "/readyz").status() == 200);
  const auto made = ask("PUT", "/api/v1/images/me/all:1?member=amd64=me/app");
  CHECK(made.status() == 200);
  CHECK(made.body.find("\"missing\":[]") != std::string::npos);
  CHECK(ask("GET", "/api/v1/images").body.find("docker.io/me/all") != std::string::npos);
  const auto explained = ask("GET", "/api/v1/explain?image=me/all:1&platform=amd64");
  CHECK(explained.body.find(image.manifest.digest) != std::string::npos);
  CHECK(ask("DELETE", "/api/v1/images/me/all:1").status() == 200);
  std::string digests;
  for (int i = 0; i < 256; ++i) digests += "&digest=sha256%3A" + std::string(64, 'a');
  CHECK(ask("GET", "/api/v1/cached?image=me/app" + digests).status() == 200);
  CHECK(ask("GET", "/api/v1/status?x=" + std::string(25 * 1024, 'a')).status() == 414);
}

TEST_CASE("the operator sees the listeners with the ports that they have") {
  Running running;
  running.settings.admin = Settings::Endpoint{.address = "127.0.0.1", .port = 0};
  running.start();
  auto client = RawClient::to_port(running.server->endpoints().back().port);
  client.say(asking("GET", "/api/v1/listeners"));
  CHECK(client.hear_answer().body ==
        "[{\"address\":\"127.0.0.1:" + std::to_string(running.port()) +
            "\",\"tls\":false,\"platform\":null,\"client_certificates\":\"none\"}]\n");
}

TEST_CASE("clients change nothing, whatever they ask for") {
  Running running;
  running.start();
  for (const std::string method : {"PUT", "DELETE", "POST"}) {
    CAPTURE(method);
    auto client = RawClient::to_port(running.port());
    client.say(asking(method, "/v2/a/manifests/1"));
    const auto answer = client.hear_answer();
    CHECK(answer.status() == 405);
    CHECK(answer.field("Allow") == "GET, HEAD");
  }
}

TEST_CASE("with prefetch.layers a manifest's parts come before they are asked for") {
  test::ScriptedUpstream upstream;
  const auto image = test::make_image("linux/amd64", "layer");
  test::publish(upstream, "me/app", image);
  test::publish(upstream, "me/app", image.manifest, "1");
  Running running;
  running.with_upstream(upstream);
  running.settings.prefetch.layers = true;
  running.start();
  auto client = RawClient::to_port(running.port());
  client.say(asking("GET", "/v2/me/app/manifests/1"));
  CHECK(client.hear_answer().status() == 200);
  for (const auto& part : {image.config, image.layer}) {
    CHECK(upstream.wait_for("GET", test::blob_path("me/app", test::digest_of(part))));
  }
}

TEST_CASE("a server that watches what is pulled ends while it waits") {
  test::ScriptedUpstream upstream;
  const auto image = test::make_image("linux/amd64", "layer");
  test::publish(upstream, "me/app", image);
  test::publish(upstream, "me/app", image.manifest, "1");
  Running running;
  running.with_upstream(upstream);
  running.settings.prefetch.seen = true;
  running.start();
  auto client = RawClient::to_port(running.port());
  client.say("GET /v2/me/app/manifests/1 HTTP/1.1\r\nHost: a\r\nArchway-Platform: amd64\r\n\r\n");
  CHECK(client.hear_answer().status() == 200);
  running.server->drain();
  running.server.reset();
  CHECK(running.log.count("background work ended") == 0);
}

TEST_CASE("a thousand new certificates, and every handshake gets one of them, whole") {
  const test::TestCertificate one({});
  const test::TestCertificate other({});
  Running running;
  const auto certificate = running.dir.path() / "tls.crt";
  const auto key = running.dir.path() / "tls.key";
  const auto take = [&](const std::filesystem::path& from, const std::filesystem::path& to) {
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
  };
  take(one.certificate_file(), certificate);
  take(one.key_file(), key);
  running.settings.listen.front().tls = Settings::Tls{.certificate = certificate, .key = key};
  running.start();
  const auto taking_any = TlsContext::client_unverified();  // A key that does not fit shows anyway.
  REQUIRE(taking_any);
  std::atomic<bool> swapping = true;
  std::thread client([&] {
    for (int handshakes = 0; swapping || handshakes < 20; ++handshakes) {
      auto wire = RawClient::to_port(running.port());
      const bool shaken = wire.start_tls((*taking_any)->native(), "localhost");
      CHECK(shaken);
      if (!shaken) return;
      wire.say(asking("GET", "/v2/"));
      CHECK(wire.hear_answer().status() == 200);
    }
  });
  for (int swaps = 0; swaps < 1000; ++swaps) {
    const auto& next = swaps % 2 == 0 ? other : one;
    take(next.certificate_file(), certificate);
    if (swaps % 10 == 0) running.server->reload();  // Now they do not match: the old ones stay.
    take(next.key_file(), key);
    running.server->reload();
  }
  swapping = false;
  client.join();
  CHECK(running.log.count("certificate read again") == 1000);
  CHECK(running.log.count("the new certificate cannot be used; the old one stays") == 100);
}

TEST_CASE("alive and ready say nothing about upstreams: neither needs one to answer") {
  Running running;
  {
    const test::ScriptedUpstream gone;
    running.with_upstream(gone);
  }
  running.settings.admin = Settings::Endpoint{.address = "127.0.0.1", .port = 0};
  running.start();
  const auto status = [](std::uint16_t port, const std::string& target) {
    auto client = RawClient::to_port(port);
    client.say(asking("GET", target));
    return client.hear_answer().status();
  };
  const auto admin = running.server->endpoints().back().port;
  for (int times = 0; times < 2; ++times) {
    CHECK(status(admin, "/healthz") == 200);
    CHECK(status(admin, "/readyz") == 200);
    CHECK(status(running.port(), "/v2/library/hi/manifests/1") >= 500);
  }
}

TEST_CASE("a server whose loops run answers for all of them") {
  Running running;
  running.start();
  CHECK(running.server->answers(std::chrono::seconds(20)));
}

TEST_CASE("one loop that hangs is noticed, however many others run") {
  boost::asio::io_context runs{1};
  boost::asio::io_context hangs{1};
  const auto guard = boost::asio::make_work_guard(runs);
  std::thread thread([&] { runs.run(); });
  CHECK(all_answer({&runs}, std::chrono::seconds(20)));
  CHECK(!all_answer({&runs, &hangs}, std::chrono::milliseconds(20)));
  hangs.run();
  runs.stop();
  thread.join();
}

rlim_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<rlim_t>(std::distance(begin(all), end(all)));
}

/// While it lives no descriptor of this number or above can be had.
class DescriptorsBelow {
 public:
  explicit DescriptorsBelow(rlim_t limit) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit lower{.rlim_cur = std::min(limit, before_.rlim_max), .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &lower);
  }
  DescriptorsBelow(const DescriptorsBelow&) = delete;
  DescriptorsBelow& operator=(const DescriptorsBelow&) = delete;
  ~DescriptorsBelow() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// A sanitizer needs a descriptor to look at an object, and takes it for a wrong one without.
TEST_CASE("a start without enough descriptors fails with a sentence, wherever they run out" *
          doctest::skip(test::sanitized)) {
  const test::TempDir dir;
  test::QuietLog log;
  Settings settings;
  settings.listen = {{.endpoint = {.address = "127.0.0.1", .port = 0}}};
  settings.threads = 2;
  settings.cache.directory = dir.path() / "cache";
  int failed = 0;
  {
    const auto started = Server::start(settings, &log);  // So that all that is made once is there.
    REQUIRE(started);
  }
  constexpr rlim_t more_max = 100;
  for (rlim_t more = 0; more < more_max; ++more) {
    CAPTURE(more);
    const DescriptorsBelow few(open_descriptors() + more);
    const auto server = Server::start(settings, &log);
    if (server) break;
    CHECK(server.error().message.size() > 20);
    ++failed;
  }
  CHECK(failed > 3);
  CHECK(failed < static_cast<int>(more_max));
}

}  // namespace
}  // namespace archway::proxy
