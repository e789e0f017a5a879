#include "proxy/pull/explanation.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

namespace json = boost::json;

Digest digest(char digit) {
  return *Digest::parse("sha256:" + std::string(64, digit));
}

ImageName image(const std::string& repository) {
  return {.upstream = "docker.io", .repository = *Repository::parse(repository)};
}

Explanation full() {
  Explanation why;
  why.asked = "docker.io/arm64v8/test:1";
  why.image = "docker.io/u/test:1";
  why.rewritten = "rule 1: x";
  why.virtual_image = VirtualImage{.name = image("u/test"), .members = {}};
  why.virtual_image->members = {
      {.platform = *Platform::parse("linux/amd64"), .image = image("u/a")},
      {.platform = *Platform::parse("linux/arm64"),
       .image = image("u/b"),
       .reference = Reference(*Tag::parse("2"))}};
  why.client.platform = *Platform::parse("linux/arm64");
  why.client.source = resolver::PlatformSource::header;
  why.client.resolves = true;
  why.client.emulates = {*Platform::parse("linux/amd64")};
  why.ladder = {"linux/arm64", "linux/arm/v8"};
  why.policy.answer = resolver::VerdictPolicy::Answer::filter;
  why.policy.missing = resolver::VerdictPolicy::Missing::refuse;
  why.policy.wrong = resolver::VerdictPolicy::Wrong::refuse;
  why.policy.allow = {*Platform::parse("linux/arm64")};
  why.policy_rule = "docker.io/u/*";
  why.tag_digest = digest('1').str();
  why.tag_outcome = "stale";
  why.entries = {{.platform = "linux/arm64", .digest = digest('2'), .size = 7, .note = "fits"}};
  why.verdict = "filter";
  why.reason = "1 of 2";
  why.status = 200;
  why.digest = digest('3').str();
  why.media_type = "application/x";
  why.size = 99;
  why.index = digest('1').str();
  why.warning = "a \"warning\"";
  why.cached = true;
  why.parts = {{.kind = "layer", .digest = digest('4').str(), .size = 5, .cached = true}};
  return why;
}

TEST_CASE("an explanation is one JSON document with every member under its own name") {
  const auto document = json::parse(explanation_json(full())).as_object();
  const auto want = json::parse(R"({
    "asked": "docker.io/arm64v8/test:1", "image": "docker.io/u/test:1", "rewritten": "rule 1: x",
    "virtual_image": {"name": "docker.io/u/test", "members": [
      {"platform": "linux/amd64", "image": "docker.io/u/a", "reference": ""},
      {"platform": "linux/arm64", "image": "docker.io/u/b", "reference": "2"}]},
    "client": {"platform": "linux/arm64", "source": "header", "resolves": true,
               "variant_unknown": false, "emulates": ["linux/amd64"], "conflict": ""},
    "ladder": ["linux/arm64", "linux/arm/v8"],
    "policy": {"answer": "filter", "missing": "refuse", "wrong": "refuse",
               "allow": ["linux/arm64"]},
    "policy_rule": "docker.io/u/*", "tag_digest": ")" +
                                digest('1').str() + R"(",
    "tag_outcome": "stale",
    "entries": [{"platform": "linux/arm64", "digest": ")" +
                                digest('2').str() + R"(",
                 "size": 7, "note": "fits"}],
    "verdict": "filter", "reason": "1 of 2", "status": 200, "digest": ")" +
                                digest('3').str() +
                                R"(", "media_type": "application/x", "size": 99,
    "index": ")" + digest('1').str() +
                                R"(", "warning": "a \"warning\"", "error_code": "",
    "message": "", "cached": true,
    "parts": [{"kind": "layer", "digest": ")" +
                                digest('4').str() + R"(", "size": 5,
               "cached": true}]})")
                        .as_object();
  CHECK(document == want);
  std::vector<std::string> order;
  for (const auto& member : document) order.emplace_back(member.key());
  CHECK(order.front() == "asked");
  CHECK(order.back() == "parts");
}

TEST_CASE("what is not there is empty, and never left out") {
  const auto document = json::parse(explanation_json(Explanation{})).as_object();
  CHECK(document.size() == json::parse(explanation_json(full())).as_object().size());
  CHECK(document.at("virtual_image").is_null());
  CHECK(document.at("client").as_object().at("platform").as_string().empty());
  CHECK(document.at("client").as_object().at("source") == "none");
  CHECK(document.at("policy").as_object().at("answer") == "resolve");
  CHECK(document.at("policy").as_object().at("wrong") == "warn");
  CHECK(document.at("entries").as_array().empty());
  CHECK(document.at("parts").as_array().empty());
  CHECK(document.at("status") == 0);
}

}  // namespace
}  // namespace archway::proxy
