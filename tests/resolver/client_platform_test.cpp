#include "resolver/client_platform.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string>

using namespace archway::resolver;
using archway::Errc;
using archway::Platform;
using UserAgent = PlatformRules::UserAgent;

namespace {

Platform platform(const char* text) {
  return *Platform::parse(text);
}
Network network(const char* text) {
  return *Network::parse(text);
}

const std::string dockerd = "docker/28 os/linux arch/amd64";
const std::string_view index_type = "application/vnd.oci.image.index.v1+json";
const std::string_view manifest_type = "application/vnd.oci.image.manifest.v1+json";

PlatformRules rules() {
  return {
      .hosts = {{"arm64.mirror.lan", platform("linux/arm64")}},
      .certificates = {{"pi", platform("linux/arm/v6")}},
      .clients = {{network("10.0.0.0/8"), platform("linux/s390x")},
                  {network("10.30.0.0/16"), platform("linux/arm/v7"), {platform("linux/amd64")}},
                  {network("10.30.0.0/16"), platform("linux/386")}}};
}

ClientFacts from(const char* address) {
  return {.address = *Address::parse(address), .accept = {index_type}};
}

/// `platform source resolves|passes [+emulated…] [!conflict]`, to compare with.
std::string shown(const ClientPlatform& client) {
  std::string text = client.platform ? client.platform->str() : "-";
  text += " " + std::string(name(client.source)) + (client.resolves ? " resolves" : " passes");
  for (const auto& e : client.emulates) text += " +" + e.str();
  if (client.variant_unknown) text += " ?variant";
  if (!client.conflict.empty()) text += " !conflict";
  return text;
}

std::string shown(const ClientFacts& facts, const PlatformRules& r) {
  const auto client = client_platform(facts, r);
  return client ? shown(*client) : "error: " + client.error().message;
}

}  // namespace

TEST_CASE("the strongest source that answers says which platform a client is") {
  // Everything is said at once; then the strongest is taken away, one after the other.
  auto facts = from("10.30.1.1");
  facts.path = platform("linux/riscv64");
  facts.header = {"linux/ppc64le"};
  facts.host = "ARM64.mirror.lan:5000";
  facts.listener = platform("linux/amd64/v3");
  facts.certificate = "pi";
  CHECK(shown(facts, rules()) == "linux/riscv64 path resolves");
  facts.path.reset();
  CHECK(shown(facts, rules()) == "linux/ppc64le header resolves");
  facts.header.clear();
  CHECK(shown(facts, rules()) == "linux/arm64 host resolves");
  facts.host = "mirror.lan";
  facts.server_name = "arm64.mirror.lan.";
  CHECK(shown(facts, rules()) == "linux/arm64 host resolves");
  facts.server_name = {};
  CHECK(shown(facts, rules()) == "linux/amd64/v3 listener resolves");
  facts.listener.reset();
  CHECK(shown(facts, rules()) == "linux/arm/v6 certificate resolves +linux/amd64");
  facts.certificate = {};
  CHECK(shown(facts, rules()) == "linux/arm/v7 address resolves +linux/amd64");
  facts.address = *Address::parse("10.31.1.1");
  CHECK(shown(facts, rules()) == "linux/s390x address resolves");
  facts.address = *Address::parse("192.168.1.1");
  facts.user_agent = dockerd;
  CHECK(shown(facts, rules()) == "linux/amd64 user-agent passes");
  facts.user_agent = {};
  CHECK(shown(facts, rules()) == "- none passes");
}

TEST_CASE("host names, SNI, certificates and addresses speak for clients, trusted or not") {
  struct Row {
    std::string why;
    ClientFacts facts;
    std::string trusting;
    std::string distrusting;  // with platforms.trust for 127.0.0.1 alone
  };
  const auto plain = [](ClientFacts facts) {
    facts.address = *Address::parse("192.168.1.1");
    facts.accept = {index_type};
    return facts;
  };
  const auto agent = [&](ClientFacts facts) {
    facts.user_agent = dockerd;
    return plain(facts);
  };
  const std::string arm64 = "linux/arm64 host resolves";
  const std::string by_certificate = "linux/arm/v6 certificate resolves";
  const std::string disputed = "linux/arm/v6 certificate passes !conflict";
  const Row rows[] = {
      {"the host that was asked", plain({.host = "arm64.mirror.lan"}), arm64, arm64},
      {"SNI, where the Host header is an address",
       plain({.host = "10.0.0.1:5443", .server_name = "ARM64.mirror.lan"}), arm64, arm64},
      {"SNI of another name", plain({.host = "x", .server_name = "mirror.lan"}), "- none passes",
       "- none passes"},
      {"SNI before the certificate",
       plain({.server_name = "arm64.mirror.lan", .certificate = "pi"}), arm64, arm64},
      {"SNI and User-Agent differ", agent({.server_name = "arm64.mirror.lan"}),
       "linux/arm64 host passes !conflict", "linux/arm64 host passes !conflict"},
      {"the certificate", plain({.certificate = "pi"}), by_certificate, by_certificate},
      {"a certificate that no rule names", plain({.certificate = "Pi"}), "- none passes",
       "- none passes"},
      {"certificate and User-Agent differ", agent({.certificate = "pi"}), disputed, disputed},
      {"certificate and User-Agent agree",
       [&] {
         auto facts = plain({.certificate = "pi"});
         facts.user_agent = "docker/28 os/linux arch/arm";
         return facts;
       }(),
       by_certificate, by_certificate},
      {"the header before the certificate", plain({.header = {"linux/arm64"}, .certificate = "pi"}),
       "linux/arm64 header resolves", by_certificate},
      {"the path before the certificate",
       plain({.path = platform("linux/arm64"), .certificate = "pi"}), "linux/arm64 path resolves",
       by_certificate},
      {"a header that contradicts the User-Agent", agent({.header = {"linux/arm64"}}),
       "linux/arm64 header resolves", "linux/amd64 user-agent passes"},
  };
  auto distrusting = rules();
  distrusting.trust = {network("127.0.0.1")};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(shown(row.facts, rules()) == row.trusting);
    CHECK(shown(row.facts, distrusting) == row.distrusting);
  }
}

TEST_CASE("the platform header may be a list or several lines; the first that can be read counts") {
  struct Row {
    std::string why;
    std::vector<std::string_view> lines;
    std::string want;
  };
  const Row rows[] = {
      {"one", {"linux/arm64/v8"}, "linux/arm64 header resolves"},
      {"with spaces", {" \tlinux/arm64 "}, "linux/arm64 header resolves"},
      {"the kernel's word", {"armv7l"}, "linux/arm/v7 header resolves"},
      {"a list", {"linux/arm64, linux/amd64"}, "linux/arm64 header resolves"},
      {"a list that starts badly", {"?, linux/amd64"}, "linux/amd64 header resolves"},
      {"several lines", {"?", "linux/s390x"}, "linux/s390x header resolves"},
      {"a Windows build",
       {"windows(10.0.20348)/amd64"},
       "windows(10.0.20348)/amd64 header resolves"},
      {"unreadable",
       {"toaster"},
       "error: the request header Archway-Platform cannot be read: \"toaster\" is not a platform: "
       "it "
       "names no architecture that is known; write it like linux/arm64 or linux/arm/v7"},
      {"the first of several unreadable ones is told",
       {"a, b", "c"},
       "error: the request header Archway-Platform cannot be read: \"a\" is not a platform: it "
       "names "
       "no architecture that is known; write it like linux/arm64 or linux/arm/v7"},
      {"empty",
       {""},
       "error: the request header Archway-Platform cannot be read: \"\" is not a platform: it is "
       "empty; write it like linux/arm64 or linux/arm/v7"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    auto facts = from("192.168.1.1");
    facts.header = row.lines;
    CHECK(shown(facts, rules()) == row.want);
  }
  auto facts = from("192.168.1.1");
  facts.header = {"?"};
  CHECK(client_platform(facts, rules()).error().code == Errc::platform_invalid);
  facts.path = platform("linux/arm64");
  CHECK(shown(facts, rules()) == "linux/arm64 path resolves");
}

TEST_CASE("path and header are believed from trusted networks alone") {
  auto r = rules();
  r.trust = {network("10.0.0.0/8"), network("::1")};
  auto facts = from("10.30.1.1");
  facts.path = platform("linux/arm64");
  CHECK(shown(facts, r) == "linux/arm64 path resolves");
  facts.address = *Address::parse("192.168.1.1");
  CHECK(shown(facts, r) == "- none passes");
  facts.path.reset();
  facts.header = {"toaster"};
  CHECK(shown(facts, r) == "- none passes");
  facts.address = *Address::parse("::1");
  CHECK(shown(facts, r).find("error: ") == 0);
}

TEST_CASE("a User-Agent hints and resolves only for clients that cannot choose") {
  struct Row {
    std::string why;
    std::string user_agent;
    UserAgent rule;
    std::vector<std::string_view> accept;
    std::string want;
  };
  const std::string arm = "docker/28 os/linux arch/arm";
  const Row rows[] = {
      {"can choose", dockerd, UserAgent::hint, {index_type}, "linux/amd64 user-agent passes"},
      {"no Accept: takes anything", dockerd, UserAgent::hint, {}, "linux/amd64 user-agent passes"},
      {"cannot choose",
       dockerd,
       UserAgent::hint,
       {manifest_type},
       "linux/amd64 user-agent resolves"},
      {"decide", dockerd, UserAgent::decide, {index_type}, "linux/amd64 user-agent resolves"},
      {"ignore", dockerd, UserAgent::ignore, {index_type}, "- none passes"},
      {"ignore, cannot choose",
       dockerd,
       UserAgent::ignore,
       {manifest_type},
       "linux/amd64 default resolves"},
      {"arm", arm, UserAgent::decide, {index_type}, "linux/arm user-agent resolves ?variant"},
      {"arm, a hint", arm, UserAgent::hint, {index_type}, "linux/arm user-agent passes ?variant"},
      {"arm is not overruled by the default",
       arm,
       UserAgent::hint,
       {manifest_type},
       "linux/arm user-agent resolves ?variant"},
      {"others", "curl/8", UserAgent::decide, {index_type}, "- none passes"},
      {"others that cannot choose",
       "curl/8",
       UserAgent::hint,
       {manifest_type},
       "linux/amd64 default resolves"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    auto r = rules();
    r.user_agent = row.rule;
    auto facts = from("192.168.1.1");
    facts.user_agent = row.user_agent;
    facts.accept = row.accept;
    CHECK(shown(facts, r) == row.want);
  }
}

TEST_CASE("without a default a client that cannot choose gets what there is") {
  auto r = rules();
  r.fallback.reset();
  auto facts = from("192.168.1.1");
  facts.accept = {manifest_type};
  CHECK(shown(facts, r) == "- none passes");
}

TEST_CASE("a rule that the User-Agent contradicts is not trusted") {
  auto facts = from("10.30.1.1");
  facts.user_agent = dockerd;
  CHECK(shown(facts, rules()) == "linux/arm/v7 address passes +linux/amd64 !conflict");
  CHECK(client_platform(facts, rules())->conflict ==
        "a rule (address) says that the client is linux/arm/v7, but its User-Agent says "
        "linux/amd64");
  auto trusting = rules();
  trusting.conflict = PlatformRules::Conflict::trust;
  CHECK(shown(facts, trusting) == "linux/arm/v7 address resolves +linux/amd64 !conflict");
  auto ignoring = rules();
  ignoring.user_agent = UserAgent::ignore;
  CHECK(shown(facts, ignoring) == "linux/arm/v7 address resolves +linux/amd64");
}

TEST_CASE("only rules can be contradicted, and only by another architecture or system") {
  auto facts = from("10.30.1.1");
  facts.user_agent = "docker/28 os/linux arch/arm";
  CHECK(shown(facts, rules()) == "linux/arm/v7 address resolves +linux/amd64");
  facts.user_agent = "docker/28 os/windows arch/arm";
  CHECK(shown(facts, rules()) == "linux/arm/v7 address passes +linux/amd64 !conflict");
  facts.user_agent = "my-agent/1 os/linux arch/amd64";
  CHECK(shown(facts, rules()) == "linux/arm/v7 address resolves +linux/amd64");
  facts.user_agent = dockerd;
  facts.header = {"linux/arm64"};
  CHECK(shown(facts, rules()) == "linux/arm64 header resolves");
  facts.header.clear();
  facts.address = *Address::parse("192.168.1.1");
  facts.listener = platform("linux/arm64");
  CHECK(shown(facts, rules()) == "linux/arm64 listener passes !conflict");
}

TEST_CASE("what a machine emulates counts for whoever states that machine's platform") {
  auto facts = from("10.30.1.1");
  facts.header = {"linux/arm/v6"};
  CHECK(shown(facts, rules()) == "linux/arm/v6 header resolves +linux/amd64");
  facts.header = {"linux/arm64"};
  CHECK(shown(facts, rules()) == "linux/arm64 header resolves");
}

TEST_CASE("a client cannot choose when its Accept lists types but no index and no wildcard") {
  CHECK(cannot_choose({manifest_type}));
  CHECK(cannot_choose({"application/json", manifest_type}));
  CHECK(cannot_choose({"application/vnd.oci.image.index.v1+json;q=0, text/html"}));
  CHECK(!cannot_choose({manifest_type, index_type}));
  CHECK(!cannot_choose({"application/vnd.docker.distribution.manifest.list.v2+json"}));
  CHECK(!cannot_choose({"text/html, */*;q=0.1"}));
  CHECK(!cannot_choose({"application/*"}));
  CHECK(!cannot_choose({}));
  CHECK(!cannot_choose({""}));
}

TEST_CASE("every source of a platform has a word and a phrase of its own") {
  std::set<std::string_view> words;
  std::set<std::string_view> phrases;
  constexpr int last = static_cast<int>(PlatformSource::none);
  for (int source = 0; source <= last; ++source) {
    words.insert(name(static_cast<PlatformSource>(source)));
    phrases.insert(phrase(static_cast<PlatformSource>(source)));
  }
  CHECK(words.size() == last + 1);
  CHECK(words.count("unknown") == 0);
  CHECK(phrases.size() == last + 1);
}
