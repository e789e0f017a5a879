#include "proxy/command/session.hpp"

#include "tests/support/scripted_upstream.hpp"
#include "tests/support/temp_dir.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <doctest/doctest.h>
#include <sstream>

namespace archway::proxy {
namespace {

const std::string path = "/v2/user/app/manifests/1";
const std::string user_secret = "Basic dXNlcjpzM2NyZXQ=";  // user:s3cret

/// A command's surroundings, with a folder for docker's configuration.
struct Bench {
  test::TempDir folder;
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  RegistryOptions options;

  Result<std::unique_ptr<Session>> make() {
    const auto none = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
    Surroundings surroundings{
        .out = out, .err = err, .environment = {.variable = none}, .serve = {}, .in = &in};
    if (options.docker_config.empty()) options.docker_config = folder.path();
    return Session::make(options, surroundings);
  }
  void log_in(const std::string& host) const {
    folder.write("config.json",
                 "{\"auths\": {\"" + host + "\": {\"auth\": \"dXNlcjpzM2NyZXQ=\"}}}");
  }
};

std::string host_of(const test::ScriptedUpstream& registry) {
  return "127.0.0.1:" + std::to_string(registry.port());
}

Result<Registry::Document> get(Session& session, const std::string& host) {
  const auto registry = session.registry(host);
  if (!registry) return registry.error();
  const Reference tag = *Tag::parse("1");
  return session.run((*registry)->get_manifest(*Repository::parse("user/app"), tag));
}

TEST_CASE("a registry on loopback is spoken to by http when https does not answer there") {
  test::ScriptedUpstream registry;
  registry.on("/v2/").answer(200);
  registry.on(path).answer(200).body("{}");
  Bench bench;
  const auto session = bench.make();
  REQUIRE(session);
  const auto got = get(**session, host_of(registry));
  REQUIRE(got);
  CHECK(got->bytes == "{}");
  CHECK(get(**session, host_of(registry)));
  CHECK(registry.count("GET", "/v2/") == 1);  // found out once
  CHECK(*(*session)->registry(host_of(registry)) == *(*session)->registry(host_of(registry)));
  CHECK(bench.err.str().empty());
}

TEST_CASE("https is verified, by the CA that is named, or not at all where that is asked for") {
  struct Row {
    const char* why;
    bool ca_file;
    bool insecure;
    bool good;
  };
  const Row rows[] = {{"a certificate that nobody vouches for", false, false, false},
                      {"its own CA", true, false, true},
                      {"insecure", false, true, true}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    test::ScriptedUpstream registry({.tls = true});
    registry.on("/v2/").answer(401);
    registry.on(path).answer(200).body("{}");
    Bench bench;
    if (row.ca_file) bench.options.ca_file = registry.ca_file();
    bench.options.insecure = row.insecure;
    const auto session = bench.make();
    REQUIRE(session);
    const auto got = get(**session, host_of(registry));
    REQUIRE(got.has_value() == row.good);
    if (!got) CHECK(got.error().code == Errc::upstream_unreachable);
  }
}

TEST_CASE("what answers http and is no registry is not taken for one") {
  test::ScriptedUpstream other;
  other.on("/v2/").answer(400);
  Bench bench;
  const auto session = bench.make();
  REQUIRE(session);
  const auto registry = (*session)->registry(host_of(other));
  REQUIRE_FALSE(registry);
  CHECK(registry.error().code == Errc::upstream_unreachable);
  CHECK(registry.error().message.find("by http the answer is status 400") != std::string::npos);
}

TEST_CASE("who is not on loopback is not asked before something is wanted of it") {
  Bench bench;
  const auto session = bench.make();
  REQUIRE(session);
  CHECK((*session)->registry("registry.test"));
  CHECK((*session)->pusher("docker.io"));
}

TEST_CASE("a host on the command line is https there, Docker Hub where it really is") {
  struct Row {
    const char* host;
    const char* url;  // "" : no host
    const char* realm;
  };
  const Row rows[] = {{"ghcr.io", "https://ghcr.io/", ""},
                      {"registry.lan:5000", "https://registry.lan:5000/", ""},
                      {"[::1]:5000", "https://[::1]:5000/", ""},
                      {"docker.io", "https://registry-1.docker.io/", "auth.docker.io"},
                      {"", "", ""},
                      {"ghcr.io/", "", ""},
                      {"ghcr.io/user", "", ""},
                      {"user@ghcr.io", "", ""},
                      {"https://ghcr.io", "", ""},
                      {"a b", "", ""}};
  for (const auto& row : rows) {
    CAPTURE(row.host);
    const auto upstream = upstream_of_host(row.host);
    REQUIRE(upstream.has_value() == (*row.url != '\0'));
    if (!upstream) {
      CHECK(upstream.error().code == Errc::configuration_invalid);
      continue;
    }
    CHECK(upstream->name == row.host);
    CHECK(upstream->url.str() == row.url);
    CHECK(upstream->token_realms.size() == (*row.realm == '\0' ? 0 : 1));
    if (*row.realm != '\0') CHECK(upstream->token_realms.front() == row.realm);
  }
}

TEST_CASE("credentials come from docker's configuration, and go to their registry alone") {
  test::ScriptedUpstream registry;
  test::ScriptedUpstream other;
  for (auto* const one : {&registry, &other}) {
    one->on("/v2/").answer(200);
    one->on(path).answer(200).body("{}");
    one->guard("/v2/user/", user_secret, "Basic realm=\"x\"");
  }
  Bench bench;
  bench.log_in(host_of(registry));
  const auto session = bench.make();
  REQUIRE(session);
  CHECK(get(**session, host_of(registry)));
  const auto refused = get(**session, host_of(other));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::denied);
}

TEST_CASE("--username is for one registry, the named one or the first") {
  for (const bool named : {false, true}) {
    CAPTURE(named);
    test::ScriptedUpstream registry;
    test::ScriptedUpstream other;
    for (auto* const one : {&registry, &other}) {
      one->on("/v2/").answer(200);
      one->on(path).answer(200).body("{}");
      one->guard("/v2/user/", user_secret, "Basic realm=\"x\"");
    }
    Bench bench;
    bench.options.username = "user";
    bench.options.password_stdin = true;
    if (named) bench.options.username_for = host_of(registry);
    bench.in.str("s3cret\nmore\n");
    const auto session = bench.make();
    REQUIRE(session);
    if (named) CHECK_FALSE(get(**session, host_of(other)));
    CHECK(get(**session, host_of(registry)));
    if (!named) CHECK_FALSE(get(**session, host_of(other)));
    for (const auto& request : other.requests()) CHECK(request.header("Authorization").empty());
  }
}

TEST_CASE("a name and a password are given together or not at all") {
  struct Row {
    const char* why;
    const char* username;
    bool password_stdin;
    const char* in;
    const char* says;
  };
  const Row rows[] = {{"no password", "user", false, "", "--username needs --password-stdin"},
                      {"no name", "", true, "x\n", "--password-stdin needs --username"},
                      {"an empty line", "user", true, "\n", "no password on standard input"},
                      {"nothing", "user", true, "", "no password on standard input"}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Bench bench;
    bench.options.username = row.username;
    bench.options.password_stdin = row.password_stdin;
    bench.in.str(row.in);
    const auto session = bench.make();
    REQUIRE_FALSE(session);
    CHECK(session.error().code == Errc::configuration_invalid);
    CHECK(session.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("--debug shows every request and no secret") {
  test::ScriptedUpstream registry;
  registry.on("/v2/").answer(200);
  registry.guard("/v2/user/", user_secret, "Basic realm=\"x\"");
  registry.on(path).answer(404);
  Bench bench;
  bench.log_in(host_of(registry));
  bench.options.debug = true;
  const auto session = bench.make();
  REQUIRE(session);
  CHECK_FALSE(get(**session, host_of(registry)));
  const auto text = bench.err.str();
  CAPTURE(text);
  for (const auto* const part :
       {"GET", "/v2/user/app/manifests/1", "status=401", "status=404", "status=200", "seconds="}) {
    CHECK(text.find(part) != std::string::npos);
  }
  for (const auto* const secret : {"s3cret", "dXNlcjpzM2NyZXQ"}) {
    CHECK(text.find(secret) == std::string::npos);
  }
}

TEST_CASE("what is pushed through a session arrives") {
  test::ScriptedUpstream registry;
  registry.on("/v2/").answer(200);
  registry.on(path).answer(201);
  Bench bench;
  const auto session = bench.make();
  REQUIRE(session);
  const auto pusher = (*session)->pusher(host_of(registry));
  REQUIRE(pusher);
  const Reference tag = *Tag::parse("1");
  const auto done = (*session)->run(
      (*pusher)->put_manifest(*Repository::parse("user/app"), tag, "application/json", "{}"));
  REQUIRE(done);
  CHECK(registry.requests().back().body == "{}");
}

TEST_CASE("the options are read") {
  CLI::App app;
  RegistryOptions options;
  add_registry_options(app, options);
  const char* const argv[] = {"archway",   "--config",        "/etc/docker",   "--username",
                              "user",      "--insecure",      "--token-realm", "auth.lan",
                              "--ca-file", "/etc/ca.pem",     "--token-realm", "auth2.lan:8443",
                              "--debug",   "--password-stdin"};
  app.parse(static_cast<int>(std::size(argv)), argv);
  CHECK(options.docker_config == "/etc/docker");
  CHECK(options.username == "user");
  CHECK(options.password_stdin);
  CHECK(options.insecure);
  CHECK(options.debug);
  CHECK(options.ca_file == "/etc/ca.pem");
  CHECK(options.token_realms == std::vector<std::string>{"auth.lan", "auth2.lan:8443"});
}

}  // namespace
}  // namespace archway::proxy
