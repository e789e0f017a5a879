#include "proxy/config/print.hpp"

#include "proxy/config/defaults.hpp"
#include "proxy/config/keys.hpp"
#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>
#include <sstream>
#include <string>

namespace archway::proxy {
namespace {

const std::string digest_of_test = "sha256:" + std::string(64, 'a');

/// A configuration that says something of everything.
std::string everything(const TempFolder& folder) {
  const std::string pem = folder.write("a.pem", "PEM");
  return "listen:\n"
         "  - {address: \"[::]:5000\"}\n"
         "  - {address: 0.0.0.0:5443, tls: {certificate: " +
         pem + ", key: " + pem +
         "}}\n"
         "  - {address: 0.0.0.0:5444, tls: {certificate: " +
         pem + ", key: " + pem + ", client_ca: " + pem +
         "}}\n"
         "  - {address: 0.0.0.0:5445, tls: {certificate: " +
         pem + ", key: " + pem + ", client_ca: " + pem +
         ", clients: require}, access: {from: [10.0.0.0/8], certificates: required}}\n"
         "  - {address: 0.0.0.0:5007, platform: windows(10.0.20348)/amd64}\n"
         "admin: \"unix:/run/a b.sock\"\n"
         "drain: 90s\nthreads: 3\nconnections_max: 7\noffline: true\n"
         "cache: {directory: /srv/a b, max_size: 50GiB, keep_free: 1536MiB, durability: relaxed, "
         "pin: [\"docker.io/a:3*\", ghcr.io/b/c], scrub: 7d}\n"
         "upstreams:\n"
         "  - {name: docker.io, token_realms: [], credentials: {username: me, password: s3cret}, "
         "access: client, recheck: 1h}\n"
         "  - {name: ghcr.io, credentials: {username: me, password_file: " +
         pem +
         "}, access: shared}\n"
         "  - {name: quay.io, credentials: [{helper: x}, {docker_config: " +
         pem +
         "}, {username: you, password: s3cret}], access: shared}\n"
         "  - {name: \"registry.lan:5000\", url: \"http://10.0.0.5:5000\", default: true, hosts: "
         "[a.lan, b.lan], ca_file: " +
         pem +
         ", token_realms: [\"auth.lan:81\"], requests: 8, bandwidth: 4MiB, "
         "tags: {fresh_for: 1h, serve_deleted: false}}\n"
         "  - {name: two.lan, urls: [\"https://a.two.lan\", \"http://b.two.lan:81\"], proxy: "
         "\"http://me:s3cret@proxy.lan:3128\", server_name: two.lan, redirects: [\"*.cdn.lan\"], "
         "client_certificate: {certificate: " +
         pem + ", key: " + pem +
         "}, access: shared}\n"
         "  - {name: three.lan, proxy: none}\n"
         "access: {allow: [\"*\"], deny: [ghcr.io/a], rules: [{match: docker.io/b, access: "
         "shared}]}\n"
         "tags: {fresh_for: 0, stale_for: 36h, absent_for: 20s, no_cache_from: [10.0.0.0/8], "
         "rules: "
         "[{match: \"*/a:[0-9]\", fresh_for: 1d, stale_for: 2d, serve_deleted: true}]}\n"
         "platforms:\n"
         "  header: X-Arch\n  trust: [10.0.0.0/8, \"fd00::/8\"]\n"
         "  hosts: {a.lan: arm64, b.lan: arm/v6}\n"
         "  clients: [{from: 10.0.0.7, platform: arm64, emulates: [amd64, 386]}, {from: "
         "\"fd00::/16\", platform: amd64}]\n"
         "  user_agent: ignore\n  default: none\n  answer: pass\n  missing: refuse\n"
         "  wrong: pass\n  allow: [arm, windows(10.0.20348)/amd64, amd64, arm64]\n"
         "  certificates: {\"system:node: a\": arm64, pi: arm/v6}\n"
         "  conflict: trust\n"
         "  rules:\n"
         "    - {match: \"ghcr.io/b/*\", answer: filter, missing: pass}\n"
         "    - {match: \"ghcr.io/c/*\", wrong: refuse}\n"
         "    - {match: \"ghcr.io/*\", answer: resolve, missing: refuse, wrong: warn}\n"
         "rewrite:\n"
         "  architecture_organisations: true\n"
         "  rules: [{from: \"docker.io/(.*)-\\\\d+\", to: \"docker.io/$1\"}]\n"
         "images:\n"
         "  docker.io/alpine: {386: alpine, \"windows(10.0.20348)/amd64\": \"docker.io/a/b@" +
         digest_of_test +
         "\"}\n"
         "  registry.lan:5000/app:1.0: {arm64/v8: registry.lan:5000/app-arm:2, amd64: x}\n"
         "prefetch: {layers: true, seen: true, transfers: 9, forget: 36h}\n"
         "timeouts: {connect: 1500ms, idle: 2m}\n"
         "log: {level: error, format: text}\n";
}

TEST_CASE("what is printed reads back as the same settings") {
  const TempFolder folder;
  for (const std::string& text : {std::string(), everything(folder)}) {
    for (const bool comments : {false, true}) {
      CAPTURE(comments);
      const std::string printed = print_settings(settings_of(text), comments);
      CAPTURE(printed);
      CHECK(print_settings(settings_of(printed), comments) == printed);
      CHECK(print_settings(settings_of(printed), false) ==
            print_settings(settings_of(text), false));
    }
  }
}

TEST_CASE("everything that was said is printed") {
  const TempFolder folder;
  const std::string printed = print_settings(settings_of(everything(folder)), false);
  CAPTURE(printed);
  for (const char* part :
       {"  - address: \"[::]:5000\"\n",
        "    platform: \"windows(10.0.20348)/amd64\"\n",
        "admin: \"unix:/run/a b.sock\"\n",
        "drain: 90s\n",
        "threads: 3\n",
        "connections_max: 7\n",
        "  directory: \"/srv/a b\"\n",
        "  max_size: 50GiB\n",
        "  keep_free: 1536MiB\n",
        "  durability: relaxed\n",
        "  scrub: 7d\n",
        "    token_realms: []\n",
        "      password_file: /",
        "    credentials: [{helper: x}, {docker_config: /",
        "a.pem}, {username: you, password: \"********\"}]\n",
        "    url: http://10.0.0.5:5000\n",
        "    default: true\n",
        "    hosts: [a.lan, b.lan]\n",
        "    token_realms: [auth.lan:81]\n",
        "    requests: 8\n    bandwidth: 4MiB\n    tags:\n      fresh_for: 1h\n      "
        "serve_deleted: false\n",
        "offline: true\n",
        "  absent_for: 20s\n  no_cache_from: [10.0.0.0/8]\n",
        "      fresh_for: 1d\n      stale_for: 2d\n      serve_deleted: true\n",
        "  fresh_for: 0\n",
        "  stale_for: 36h\n",
        "    - match: \"*/a:[0-9]\"\n",
        "  header: X-Arch\n",
        "  trust: [10.0.0.0/8, fd00::/8]\n",
        "  hosts: {a.lan: linux/arm64, b.lan: linux/arm/v6}\n",
        "      emulates: [linux/amd64, linux/386]\n",
        "  user_agent: ignore\n",
        "  default: none\n",
        "  answer: pass\n",
        "  missing: refuse\n",
        "  wrong: pass\n",
        "  conflict: trust\n",
        "  allow: [linux/arm, \"windows(10.0.20348)/amd64\", linux/amd64, "
        "linux/arm64]\n",
        "  certificates: {pi: linux/arm/v6, \"system:node: a\": linux/arm64}\n",
        "    - match: \"ghcr.io/b/*\"\n      answer: filter\n      missing: "
        "pass\n",
        "    - match: \"ghcr.io/c/*\"\n      wrong: refuse\n",
        "      answer: resolve\n      missing: refuse\n      wrong: warn\n",
        "  architecture_organisations: true\n",
        "    - from: \"docker.io/(.*)-\\\\d+\"\n      to: \"docker.io/$1\"\n",
        "  docker.io/library/alpine:\n    linux/386: registry.lan:5000/alpine\n",
        "  registry.lan:5000/app:1.0:\n    linux/arm64: "
        "registry.lan:5000/app-arm:2\n    linux/amd64: registry.lan:5000/x\n",
        "prefetch:\n  layers: true\n  seen: true\n  transfers: 9\n  forget: "
        "36h\n",
        "  connect: 1500ms\n",
        "  idle: 2m\n",
        "  level: error\n",
        "  format: text\n"}) {
    CAPTURE(part);
    CHECK(printed.find(part) != std::string::npos);
  }
}

TEST_CASE("a password is never printed") {
  const TempFolder folder;
  for (const bool comments : {false, true}) {
    const std::string printed = print_settings(settings_of(everything(folder)), comments);
    CHECK(printed.find("s3cret") == std::string::npos);
    CHECK(printed.find("password: \"********\"\n") != std::string::npos);
  }
}

TEST_CASE("the commented defaults explain every key once") {
  const std::string printed = print_settings(default_settings(environment_of_test()), true);
  for (const Key& key : config_keys()) {
    CAPTURE(key.path);
    const std::string help = "# " + std::string(key.help) + "\n";
    const auto at = printed.find(help);
    REQUIRE(at != std::string::npos);
    // What stands under its help is the key itself, as a setting or as an example.
    std::istringstream rest(printed.substr(at + help.size()));
    std::string line;
    std::getline(rest, line);
    CAPTURE(line);
    CHECK(line.find(std::string(leaf(key)) + ":") != std::string::npos);
  }
}

TEST_CASE("nothing in the commented defaults is unwise") {
  const auto outcome = outcome_of(print_settings(default_settings(environment_of_test()), true));
  CHECK(outcome.settings.has_value());
  CHECK(outcome.warnings.empty());
}

TEST_CASE("the examples in the commented defaults are configurations, too") {
  std::istringstream lines(print_settings(default_settings(environment_of_test()), true));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    const auto mark = line.find('#');
    // `# ` and a word explain; `#key` and `#  key` are examples.
    const bool comment = mark != std::string::npos && line.find_first_not_of(' ') == mark;
    const bool example = comment && (line[mark + 1] != ' ' || line[mark + 2] == ' ');
    if (example) line.erase(mark, 1);
    text += line + "\n";
  }
  CAPTURE(text);
  std::string found;
  for (const ConfigProblem& problem : outcome_of(text).problems) {
    found += problem.message + "\n";
  }
  // Files that are examples only, and examples that exclude each other.
  CHECK(found ==
        "listen[0].tls.certificate: the file /etc/archway/tls.crt does not exist\n"
        "listen[0].tls.key: the file /etc/archway/tls.key does not exist\n"
        "listen[0].tls.client_ca: the file /etc/archway/clients.crt does not exist\n"
        "listen[0].access.htpasswd: the file /etc/archway/htpasswd does not exist\n"
        "upstreams[0].urls: found beside url; allowed: one of the two\n"
        "upstreams[0].credentials: found several ways to log in; allowed: username with one of "
        "password, password_file and password_env; or docker_config; or helper; several of them "
        "as a list\n"
        "upstreams[0].ca_file: the file /etc/archway/ca.crt does not exist\n"
        "upstreams[0].client_certificate.certificate: the file /etc/archway/client.crt does not "
        "exist\n"
        "upstreams[0].client_certificate.key: the file /etc/archway/client.key does not exist\n"
        "upstreams[0].access: the registry would judge archway's own client_certificate, not the "
        "client; allowed beside one: shared\n");
}

}  // namespace
}  // namespace archway::proxy
