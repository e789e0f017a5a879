#include "resolver/verdict.hpp"

#include <cstdio>
#include <doctest/doctest.h>
#include <map>
#include <string>

using namespace archway::resolver;
using archway::Descriptor;
using archway::Digest;
using archway::ManifestKind;
using archway::Platform;
using Kind = Verdict::Kind;

namespace {

Digest digest(int number) {
  char hex[65];
  std::snprintf(hex, sizeof hex, "%064d", number);
  return *Digest::parse(std::string("sha256:") + hex);
}

/// An index entry whose digest is its number; "" is no platform.
Descriptor entry(int number, std::string_view platform,
                 std::string_view type = archway::media_type::oci_manifest) {
  Descriptor d{
      .media_type = std::string(type), .digest = digest(number), .size = 1, .platform = {}};
  if (!platform.empty()) d.platform = *Platform::parse(platform);
  return d;
}

Descriptor nested_entry(int number, std::string_view platform = "") {
  return entry(number, platform, archway::media_type::oci_index);
}

Manifest index(std::vector<Descriptor> entries) {
  return {.kind = ManifestKind::index, .interpretable = true, .manifests = std::move(entries)};
}

Manifest image_for(std::string_view platform) {
  return {
      .kind = ManifestKind::manifest, .interpretable = true, .runs_on = *Platform::parse(platform)};
}

ClientPlatform client(std::string_view platform) {
  return {
      .platform = *Platform::parse(platform), .source = PlatformSource::address, .resolves = true};
}

const VerdictPolicy refusing{.missing = VerdictPolicy::Missing::refuse};
const std::string image = "docker.io/library/golang:1.22";

/// What was fetched; `decide` with it.
struct Fetched {
  std::map<Digest, Manifest> documents = {};

  Verdict decide(const Manifest& top, const ClientPlatform& who,
                 const VerdictPolicy& policy = {}) const {
    return archway::resolver::decide(top, who, policy, image, [this](const Digest& d) {
      const auto found = documents.find(d);
      return found == documents.end() ? nullptr : &found->second;
    });
  }
};

/// `kind number reason`, to compare with.
std::string shown(const Verdict& verdict) {
  const char* const kinds[] = {"pass", "child", "load", "refuse"};
  std::string text = kinds[static_cast<int>(verdict.kind)];
  if (verdict.target) text += " " + std::to_string(std::stoi(verdict.target->digest.hex()));
  return text + " (" + verdict.reason + ")";
}

const Manifest usual =
    index({entry(1, "linux/amd64"), entry(2, "linux/arm64"), entry(3, "linux/arm/v6")});

}  // namespace

TEST_CASE("a client whose platform is stated gets the best child for it") {
  const Fetched none;
  CHECK(shown(none.decide(usual, client("linux/arm64"))) == "child 2 (exact)");
  CHECK(shown(none.decide(usual, client("linux/arm/v7"))) == "child 3 (runs there)");
  CHECK(shown(none.decide(usual, client("linux/s390x"))) == "pass (nothing fits)");
}

TEST_CASE("nothing is decided where there is nothing to decide or no ground to") {
  const Fetched none;
  const auto arm64 = client("linux/arm64");
  CHECK(shown(none.decide(image_for("linux/amd64"), arm64)) == "pass (not an index)");
  auto unread = usual;
  unread.interpretable = false;
  unread.why = "it is not JSON";
  CHECK(shown(none.decide(unread, arm64, refusing)) == "pass (not interpreted: it is not JSON)");
  const VerdictPolicy passing{.answer = VerdictPolicy::Answer::pass,
                              .missing = VerdictPolicy::Missing::refuse};
  CHECK(shown(none.decide(usual, arm64, passing)) == "pass (the rules say so)");
  CHECK(shown(none.decide(usual, {}, refusing)) == "pass (no platform known)");
  auto hinted = client("linux/s390x");
  hinted.resolves = false;
  CHECK(shown(none.decide(usual, hinted, refusing)) == "pass (the platform is only a hint)");
  hinted.conflict = "x";
  CHECK(shown(none.decide(usual, hinted, refusing)) == "pass (rule and User-Agent differ)");
  auto some_arm = client("linux/arm");
  some_arm.variant_unknown = true;
  CHECK(shown(none.decide(usual, some_arm, refusing)) == "pass (variant unknown)");
  CHECK(shown(none.decide(usual, client("linux/arm64/v10"), refusing)) == "pass (variant unknown)");
}

TEST_CASE("a conflict that the rules trust does not stop the decision") {
  auto trusted = client("linux/arm64");
  trusted.conflict = "x";
  CHECK(shown(Fetched{}.decide(usual, trusted)) == "child 2 (exact)");
}

TEST_CASE("a refusal says what was asked, for whom, who said so and what there is") {
  const Fetched none;
  const auto verdict = none.decide(usual, client("linux/s390x"), refusing);
  CHECK(shown(verdict) == "refuse (nothing fits)");
  CHECK(
      verdict.message ==
      "docker.io/library/golang:1.22 has no image for linux/s390x (as the client's address says); "
      "it has linux/amd64, linux/arm64, linux/arm/v6");
  CHECK(
      none.decide(index({}), client("linux/s390x"), refusing).message ==
      "docker.io/library/golang:1.22 has no image for linux/s390x (as the client's address says); "
      "it has nothing for any platform");
}

TEST_CASE("a refusal lists each platform once and not without end") {
  std::vector<Descriptor> entries;
  for (int i = 0; i < 40; ++i) {
    const auto platform = "linux/x" + std::to_string(i);
    entries.push_back(entry(i * 2, platform));
    entries.push_back(entry(i * 2 + 1, platform));
  }
  const auto verdict = Fetched{}.decide(index(entries), client("linux/s390x"), refusing);
  CHECK(verdict.message.find("it has linux/x0, linux/x1, ") != std::string::npos);
  CHECK(verdict.message.ends_with("linux/x29 and 10 more"));
}

TEST_CASE("what the machine emulates is tried after all that it runs") {
  auto who = client("linux/arm64");
  who.emulates = {*Platform::parse("linux/riscv64"), *Platform::parse("linux/amd64")};
  const Fetched none;
  CHECK(shown(none.decide(index({entry(1, "linux/amd64"), entry(2, "linux/arm/v5")}), who)) ==
        "child 2 (runs there)");
  CHECK(shown(none.decide(index({entry(1, "linux/amd64"), entry(2, "linux/riscv64")}), who)) ==
        "child 2 (emulated)");
  CHECK(shown(none.decide(index({entry(1, "linux/amd64")}), who, refusing)) ==
        "child 1 (emulated)");
  // qemu for amd64 is no qemu for 386.
  CHECK(shown(none.decide(index({entry(1, "linux/386")}), who, refusing)) ==
        "refuse (nothing fits)");
}

TEST_CASE("attestations and what is neither manifest nor index are never chosen") {
  auto attestation = entry(1, "linux/arm64");
  attestation.reference_type = "attestation-manifest";
  const auto other = entry(2, "linux/arm64", "application/vnd.example");
  const auto unknown = entry(3, "unknown/unknown");
  const Fetched none;
  const auto with_image = index({attestation, other, unknown, entry(4, "linux/arm64")});
  CHECK(shown(none.decide(with_image, client("linux/arm64"))) == "child 4 (exact)");
  const auto without =
      none.decide(index({attestation, other, unknown}), client("linux/arm64"), refusing);
  CHECK(without.message.ends_with("it has nothing for any platform"));
  CHECK(none.decide(index({unknown}), client("unknown/unknown")).kind == Kind::pass);
}

TEST_CASE("a Windows of unknown build facing several builds gets the index") {
  const auto builds = index({entry(1, "windows(10.0.17763.1)/amd64"),
                             entry(2, "windows(10.0.20348.1)/amd64"), entry(3, "linux/amd64")});
  const Fetched none;
  CHECK(shown(none.decide(builds, client("windows/amd64"), refusing)) ==
        "pass (a Windows of unknown build, several builds)");
  CHECK(shown(none.decide(builds, client("windows(10.0.20348)/amd64"))) == "child 2 (exact)");
  CHECK(shown(none.decide(index({builds.manifests[0]}), client("windows/amd64"))) ==
        "child 1 (exact)");
}

TEST_CASE("a nested index is fetched and entered where nothing with a platform fits") {
  const auto top = index({nested_entry(10), entry(1, "linux/amd64")});
  Fetched fetched;
  CHECK(shown(fetched.decide(top, client("linux/amd64"))) == "child 1 (exact)");
  CHECK(shown(fetched.decide(top, client("linux/arm64"))) == "load 10 (an index within the index)");
  fetched.documents[digest(10)] = usual;
  CHECK(shown(fetched.decide(top, client("linux/arm64"))) == "child 2 (exact)");
  const auto refused = fetched.decide(top, client("linux/s390x"), refusing);
  CHECK(refused.message.ends_with("it has linux/amd64, linux/arm64, linux/arm/v6"));
}

TEST_CASE("a nested index with a platform of its own stands in line with the manifests") {
  const auto top = index(
      {nested_entry(10, "linux/amd64"), nested_entry(11, "linux/arm64"), entry(1, "linux/arm/v7")});
  Fetched fetched;
  CHECK(shown(fetched.decide(top, client("linux/arm64"))) == "load 11 (an index within the index)");
  fetched.documents[digest(11)] = index({entry(2, "linux/arm64")});
  CHECK(shown(fetched.decide(top, client("linux/arm64"))) == "child 2 (exact)");
  // It promised arm64 and has none: the next rung is tried.
  fetched.documents[digest(11)] = index({entry(2, "linux/s390x")});
  CHECK(shown(fetched.decide(top, client("linux/arm64"))) == "child 1 (runs there)");
}

TEST_CASE("indexes that lead to each other or too deep come to an end") {
  Fetched fetched;
  fetched.documents[digest(10)] = index({nested_entry(11)});
  fetched.documents[digest(11)] = index({nested_entry(10)});
  CHECK(shown(fetched.decide(index({nested_entry(10)}), client("linux/arm64"), refusing)) ==
        "refuse (nothing fits)");

  for (int i = 10; i < 20; ++i) fetched.documents[digest(i)] = index({nested_entry(i + 1)});
  fetched.documents[digest(10 + index_depth_max - 1)] = usual;
  CHECK(shown(fetched.decide(index({nested_entry(10)}), client("linux/arm64"))) ==
        "child 2 (exact)");
  fetched.documents[digest(10 + index_depth_max - 1)] = index({nested_entry(50)});
  fetched.documents[digest(50)] = usual;
  CHECK(shown(fetched.decide(index({nested_entry(10)}), client("linux/arm64"), refusing)) ==
        "pass (nothing fits, but not all of it could be read)");
}

TEST_CASE("no more than a bounded number of nested indexes is asked for") {
  Fetched fetched;
  std::vector<Descriptor> entries;
  for (int i = 0; i < 100; ++i) entries.push_back(nested_entry(100 + i));
  int loads = 0;
  auto verdict = fetched.decide(index(entries), client("linux/arm64"), refusing);
  for (; verdict.kind == Kind::load && loads < 200; ++loads) {
    fetched.documents[verdict.target->digest] = index({});
    verdict = fetched.decide(index(entries), client("linux/arm64"), refusing);
  }
  CHECK(loads == nested_max);
  CHECK(shown(verdict) == "pass (nothing fits, but not all of it could be read)");
}

TEST_CASE("where part of an image could not be read nothing is refused") {
  Fetched fetched;
  fetched.documents[digest(10)] = {};  // what could not be had
  CHECK(shown(fetched.decide(index({nested_entry(10)}), client("linux/arm64"), refusing)) ==
        "pass (nothing fits, but not all of it could be read)");
  CHECK(shown(fetched.decide(index({entry(10, "")}), client("linux/arm64"), refusing)) ==
        "pass (nothing fits, but not all of it could be read)");
}

TEST_CASE("of manifests without a platform the first is asked by its config") {
  const auto top = index({entry(1, "linux/amd64"), entry(2, ""), entry(3, "")});
  Fetched fetched;
  CHECK(shown(fetched.decide(top, client("linux/amd64"))) == "child 1 (exact)");
  CHECK(shown(fetched.decide(top, client("linux/arm64"))) ==
        "load 2 (its config says what it runs on)");
  fetched.documents[digest(2)] = image_for("linux/arm/v7");
  CHECK(shown(fetched.decide(top, client("linux/arm64"))) == "child 2 (runs there)");
  fetched.documents[digest(2)] = image_for("linux/s390x");
  fetched.documents[digest(3)] = image_for("linux/arm64");
  const auto verdict = fetched.decide(top, client("linux/arm64"), refusing);
  CHECK(verdict.message.ends_with("it has linux/amd64, linux/s390x, linux/arm64"));
}

TEST_CASE("a single manifest is held against what the client runs and emulates") {
  struct Row {
    std::string why;
    std::string_view runs_on;
    std::string_view wanted;
    std::string want;
  };
  const Row rows[] = {
      {"the same", "linux/arm64", "linux/arm64", "refused: no"},
      {"its 32-bit sibling", "linux/386", "linux/amd64", "refused: no"},
      {"the variant is not compared", "linux/arm/v7", "linux/arm/v6", "refused: no"},
      {"a variant that is not known", "linux/arm64", "linux/arm64/v10", "refused: no"},
      {"emulated", "linux/riscv64", "linux/arm64", "refused: no"},
      {"another architecture", "linux/amd64", "linux/arm64", "refused: yes"},
      {"another system", "windows/arm64", "linux/arm64", "refused: yes"},
      {"64 bits on 32", "linux/amd64", "linux/386", "refused: yes"},
  };
  const VerdictPolicy refuse{.wrong = VerdictPolicy::Wrong::refuse};
  const VerdictPolicy pass{.wrong = VerdictPolicy::Wrong::pass};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    auto who = client(row.wanted);
    who.emulates = {*Platform::parse("linux/riscv64")};
    const auto runs_on = *Platform::parse(row.runs_on);
    const bool wrong = row.want == "refused: yes";
    const auto verdict = decide_single(runs_on, who, refuse, image);
    CHECK(verdict.kind == (wrong ? Kind::refuse : Kind::pass));
    const auto warned = decide_single(runs_on, who, {}, image);
    CHECK(warned.kind == Kind::pass);
    CHECK(warned.message.empty() != wrong);
    CHECK(warned.message == verdict.message);
    CHECK(decide_single(runs_on, who, pass, image).message.empty());
    who.resolves = false;
    CHECK(decide_single(runs_on, who, refuse, image).kind == Kind::pass);
  }
  CHECK(decide_single(*Platform::parse("linux/amd64"), client("linux/arm64"), refuse, image)
            .message ==
        "docker.io/library/golang:1.22 is an image for linux/amd64 alone, not for linux/arm64 (as "
        "the client's address says)");
  CHECK(decide_single(*Platform::parse("linux/amd64"), {}, refuse, image).kind == Kind::pass);
}
