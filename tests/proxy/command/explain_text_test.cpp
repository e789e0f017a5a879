#include "proxy/command/explain_text.hpp"

#include "proxy/pull/explanation.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

Digest digest_of(char c) {
  return *Digest::parse("sha256:" + std::string(64, c));
}

ImageName image_of(const std::string& repository) {
  return {.upstream = "docker.io", .repository = *Repository::parse(repository)};
}

/// A child of an index for a client whose path says what it is.
Explanation resolved() {
  Explanation why;
  why.asked = "docker.io/arm64v8/alpine:3";
  why.image = "docker.io/library/alpine:3";
  why.rewritten = "architecture organisation";
  why.client.platform = *Platform::parse("linux/arm/v7");
  why.client.source = resolver::PlatformSource::path;
  why.client.resolves = true;
  why.ladder = {"linux/arm/v7", "linux/arm/v6"};
  why.policy.missing = resolver::VerdictPolicy::Missing::refuse;
  why.policy_rule = "docker.io/library/*";
  why.tag_digest = digest_of('a').str();
  why.tag_outcome = "hit";
  why.entries = {{"linux/amd64", digest_of('b'), 500, "another platform"},
                 {"linux/arm/v7", digest_of('c'), 2048, "fits, 1st choice"},
                 {"", digest_of('d'), 600, "an attestation"}};
  why.verdict = "child";
  why.reason = "exact";
  why.status = 200;
  why.digest = digest_of('c').str();
  why.media_type = "application/vnd.oci.image.manifest.v1+json";
  why.size = 2048;
  why.cached = true;
  why.parts = {{"config", digest_of('e').str(), 1024, true},
               {"layer", digest_of('f').str(), 1024 * 1024, false}};
  return why;
}

std::string text_of(const Explanation& why, bool terminal = true) {
  return explain_text(boost::json::parse(explanation_json(why)).as_object(), terminal);
}

TEST_CASE("an explanation is every step of the decision in order") {
  const std::string a(64, 'a');
  const std::string b(64, 'b');
  const std::string c(64, 'c');
  const std::string d(64, 'd');
  CHECK(text_of(resolved(), false) ==
        "Asked for docker.io/arm64v8/alpine:3.\n"
        "Looked for as docker.io/library/alpine:3, rewritten by architecture organisation.\n"
        "The client is linux/arm/v7, as the path of the request says.\n"
        "It runs, best first: linux/arm/v7, linux/arm/v6.\n"
        "The policy is answer: resolve, missing: refuse, wrong: warn, by the rule for "
        "docker.io/library/*.\n"
        "The tag stands for sha256:" +
            a +
            ", as the cache knows (it is fresh).\n"
            "The index has 3 entries:\n"
            "linux/amd64\tsha256:" +
            b + "\t500 B\tanother platform\nlinux/arm/v7\tsha256:" + c +
            "\t2.0 KiB\tfits, 1st choice\n-\tsha256:" + d +
            "\t600 B\tan attestation\n"
            "The verdict: hand out one child of the index: exact.\n"
            "The client gets sha256:" +
            c +
            ", application/vnd.oci.image.manifest.v1+json, 2.0 KiB.\n"
            "Its manifest was in the cache; of its 2 blobs 1 is (1.0 KiB of 1.0 MiB).\n");
  CHECK(text_of(resolved()).find("PLATFORM      DIGEST") != std::string::npos);
}

TEST_CASE("each step says what there is to say") {
  struct Row {
    const char* why;
    void (*change)(Explanation&);
    const char* want;
  };
  using Policy = resolver::VerdictPolicy;
  const Row rows[] = {
      {"nobody says the platform", [](Explanation& why) { why.client = {}; },
       "Nobody says what platform the client is: it chooses for itself.\n"},
      {"a hint",
       [](Explanation& why) {
         why.client.source = resolver::PlatformSource::user_agent;
         why.client.resolves = false;
         why.client.variant_unknown = true;
       },
       "The client is linux/arm/v7, as the client's User-Agent says; that decides nothing, it "
       "chooses for itself.\nWhich arm it is was not said.\n"},
      {"a conflict",
       [](Explanation& why) { why.client.conflict = "the address says this, docker says that"; },
       "There is a conflict: the address says this, docker says that.\n"},
      {"what is allowed",
       [](Explanation& why) {
         why.policy.answer = Policy::Answer::filter;
         why.policy.allow = {*Platform::parse("linux/amd64"), *Platform::parse("linux/arm64")};
       },
       "The policy is answer: filter, missing: refuse, wrong: warn, allow: linux/amd64, "
       "linux/arm64, by the rule for docker.io/library/*.\n"},
      {"a tag that was asked for", [](Explanation& why) { why.tag_outcome = "miss"; },
       ", as the upstream was just asked.\n"},
      {"a stale tag", [](Explanation& why) { why.tag_outcome = "stale"; },
       ", as the cache remembers (it is stale, and the upstream fails).\n"},
      {"a virtual image",
       [](Explanation& why) {
         VirtualImage image{.name = image_of("username/test"), .tag = std::nullopt, .members = {}};
         image.members = {{*Platform::parse("linux/amd64"), image_of("username/test")},
                          {*Platform::parse("linux/arm64"), image_of("username/arm64v8-test"),
                           Reference(*Tag::parse("1"))},
                          {*Platform::parse("linux/arm/v7"), image_of("username/v7"),
                           Reference(digest_of('1'))}};
         why.virtual_image = image;
       },
       "docker.io/username/test is a virtual image: linux/amd64 from docker.io/username/test, "
       "linux/arm64 from docker.io/username/arm64v8-test:1, linux/arm/v7 from "
       "docker.io/username/v7@sha256:1111"},
      {"one entry", [](Explanation& why) { why.entries.resize(1, why.entries.front()); },
       "The index has 1 entry:\n"},
      {"passed on",
       [](Explanation& why) {
         why.verdict = "pass";
         why.reason = "not an index";
       },
       "The verdict: pass it on as it is: not an index.\n"},
      {"a filtered index", [](Explanation& why) { why.verdict = "filter"; },
       "The verdict: hand out an index of what the client runs: exact.\n"},
      {"a warning", [](Explanation& why) { why.warning = "it is for linux/amd64"; },
       "With a warning: it is for linux/amd64\n"},
      {"nothing cached, no parts",
       [](Explanation& why) {
         why.cached = false;
         why.parts.clear();
       },
       "Its manifest was not in the cache.\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    Explanation why = resolved();
    row.change(why);
    const auto text = text_of(why);
    CAPTURE(text);
    CHECK(text.find(row.want) != std::string::npos);
  }
}

TEST_CASE("a refusal is shown as docker prints it") {
  struct Row {
    const char* why;
    std::uint16_t status;
    const char* code;
    const char* want;
  };
  const Row rows[] = {
      {"by policy", 403, "DENIED",
       "The client gets 403 DENIED.\ndocker pull ends with: denied: there is none\n"},
      {"no such tag", 404, "MANIFEST_UNKNOWN",
       "The client gets 404 MANIFEST_UNKNOWN.\ndocker pull ends with: manifest unknown: there is "
       "none\n"},
      {"a failure", 504, "UNAVAILABLE", "The client gets 504. The reason: there is none\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    Explanation why = resolved();
    why.status = row.status;
    why.error_code = row.code;
    why.message = "there is none";
    CHECK(text_of(why).ends_with(row.want));
  }
}

TEST_CASE("a request by digest is explained without a decision") {
  Explanation why;
  why.asked = why.image = "docker.io/library/alpine@sha256:" + std::string(64, 'a');
  why.status = 200;
  why.digest = digest_of('a').str();
  why.media_type = "application/vnd.oci.image.index.v1+json";
  why.size = 10;
  const auto text = text_of(why);
  CHECK(text.find("Who asks by digest gets those very bytes.\n") != std::string::npos);
  CHECK(text.find("policy") == std::string::npos);
  CHECK(text.find("Looked for") == std::string::npos);
}

}  // namespace
}  // namespace archway::proxy
