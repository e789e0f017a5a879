// Every vector of tests/data/platform_vectors.json: what containerd's, moby's and other clients'
// own code was seen to do, and what archway is expected to do.

#include "resolver/manifest.hpp"
#include "resolver/user_agent.hpp"
#include "resolver/verdict.hpp"
#include "tests/support/source_dir.hpp"

#include <cstdio>
#include <doctest/doctest.h>
#include <map>
#include <optional>
#include <set>
#include <simdjson.h>
#include <string>

using archway::Digest;
using archway::Platform;
using namespace archway::resolver;

namespace {

namespace dom = simdjson::dom;

dom::element vectors() {
  static dom::parser parser;
  static const dom::element root =
      parser.load(archway::source_dir + std::string("/tests/data/platform_vectors.json")).value();
  return root;
}

/// By value: what simdjson's own value() gives in the head of a loop is gone before the loop
/// starts.
dom::array list_of(dom::element element) {
  return element.get_array().value();
}

/// A member's text, "" when it is absent or null.
std::string text_of(dom::element object, const char* key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::optional<dom::element> member(dom::element object, const char* key) {
  dom::element element;
  if (object[key].get(element) != simdjson::SUCCESS || element.is_null()) return std::nullopt;
  return element;
}

Platform platform_of(dom::element object) {
  Platform platform{.os = text_of(object, "os"),
                    .architecture = text_of(object, "architecture"),
                    .variant = text_of(object, "variant"),
                    .os_version = text_of(object, "os.version")};
  if (const auto features = member(object, "os.features")) {
    for (const auto feature : list_of(*features)) {
      platform.os_features.emplace_back(feature.get_string().value());
    }
  }
  return platform;
}

/// An upstream made of one vector's `offered`: documents by digest, and which path each digest is.
class Offered {
 public:
  explicit Offered(dom::element entries) : top_(index_of(entries, "")) {}

  const Manifest& top() const { return top_; }
  const std::string& path_of(const Digest& digest) const { return paths_.at(digest); }
  const Manifest& fetch(const Digest& digest) const { return documents_.at(digest); }

 private:
  Manifest index_of(dom::element entries, const std::string& prefix) {
    std::string json = R"({"schemaVersion":2,"manifests":[)";
    int position = 0;
    for (const auto entry : list_of(entries)) {
      if (position > 0) json += ",";
      json += entry_of(entry, prefix + std::to_string(position++));
    }
    const auto index = parse_manifest(json + "]}", archway::media_type::oci_index);
    REQUIRE(index.interpretable);
    return index;
  }

  std::string entry_of(dom::element entry, const std::string& path) {
    const auto kind = text_of(entry, "kind");
    char hex[65];
    std::snprintf(hex, sizeof hex, "%064d", ++count_);
    const auto digest = *Digest::parse(std::string("sha256:") + hex);
    paths_.emplace(digest, path);
    documents_.emplace(digest, Manifest{});
    if (kind == "index") {
      documents_[digest] = index_of(entry["children"].value(), path + ".");
    } else if (const auto config = member(entry, "config_platform")) {
      documents_[digest].runs_on = parse_config_platform(simdjson::minify(*config));
    }
    const auto type =
        kind == "index" ? archway::media_type::oci_index : archway::media_type::oci_manifest;
    std::string json =
        R"({"mediaType":")" + std::string(type) + R"(","size":7,"digest":")" + digest.str() + "\"";
    if (kind == "artifact") json += R"(,"artifactType":"application/vnd.example")";
    for (const char* const key : {"platform", "annotations"}) {
      if (const auto value = member(entry, key)) {
        json += std::string(",\"") + key + "\":" + simdjson::minify(*value);
      }
    }
    return json + "}";
  }

  std::map<Digest, std::string> paths_;
  std::map<Digest, Manifest> documents_;
  int count_ = 0;
  Manifest top_;
};

/// The path of the chosen entry, "" for none; fetches what the verdict asks for, as the pull does.
std::string chosen(const Offered& offered, const Platform& wanted) {
  const ClientPlatform client{
      .platform = wanted.normalised(), .source = PlatformSource::header, .resolves = true};
  std::set<Digest> fetched;
  const NestedIndexes nested = [&](const Digest& digest) {
    return fetched.count(digest) == 0 ? nullptr : &offered.fetch(digest);
  };
  for (int round = 0; round < 20; ++round) {
    const auto verdict = decide(offered.top(), client, {}, "image", nested);
    if (verdict.kind == Verdict::Kind::pass) return "";
    if (verdict.kind == Verdict::Kind::child) return offered.path_of(verdict.target->digest);
    REQUIRE(verdict.kind == Verdict::Kind::load);
    REQUIRE(fetched.insert(verdict.target->digest).second);
  }
  FAIL("no end");
  return "";
}

}  // namespace

TEST_CASE("vectors: platform texts have the normal form that containerd gives them") {
  int count = 0;
  for (const auto row : list_of(vectors()["normalise"].value())) {
    const auto in = text_of(row, "in");
    CAPTURE(in);
    const auto platform = Platform::parse(in);
    const auto want = member(row, "expect");
    REQUIRE(platform.has_value() == want.has_value());
    if (want) CHECK(platform->str() == text_of(row, "expect"));
    ++count;
  }
  CHECK(count == 56);
}

TEST_CASE("vectors: architecture and variant of an index are made normal") {
  int count = 0;
  for (const auto row : list_of(vectors()["normalise_pairs"].value())) {
    const auto in = platform_of(row["in"].value());
    const auto want = platform_of(row["expect"].value());
    CAPTURE(in.str());
    CHECK(in.normalised() == want);
    ++count;
  }
  CHECK(count == 25);
}

TEST_CASE("vectors: the entry that containerd would choose is chosen") {
  int count = 0;
  for (const auto row : list_of(vectors()["match"].value())) {
    CAPTURE(text_of(row, "id"));
    CAPTURE(text_of(row, "note"));
    const Offered offered(row["offered"].value());
    CHECK(chosen(offered, platform_of(row["wanted"].value())) == text_of(row, "expect"));
    ++count;
  }
  CHECK(count == 73);
}

TEST_CASE("vectors: a User-Agent is read for client, version and platform") {
  int count = 0;
  for (const auto row : list_of(vectors()["user_agent"].value())) {
    const auto text = text_of(row, "ua");
    CAPTURE(text);
    const auto agent = parse_user_agent(text);
    const auto want = row["expect"].value();
    CHECK(agent.client == text_of(want, "client"));
    CHECK(agent.version == text_of(want, "version"));
    const auto platform = member(want, "platform");
    REQUIRE(agent.platform.has_value() == platform.has_value());
    if (platform) CHECK(*agent.platform == platform_of(*platform));
    ++count;
  }
  CHECK(count == 32);
}
