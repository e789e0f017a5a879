#include "resolver/filter.hpp"

#include "tests/resolver/indexes.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;
using archway::Descriptor;

namespace {

const VerdictPolicy filtering{.answer = VerdictPolicy::Answer::filter,
                              .missing = VerdictPolicy::Missing::refuse};

std::string filtered(const Manifest& top, const ClientPlatform& who) {
  return shown(Fetched{}.decide(top, who, filtering));
}

Descriptor without_subject(Descriptor entry) {
  entry.about.reset();
  return entry;
}

}  // namespace

TEST_CASE("a filtered index has what the client runs or emulates and the attestations about it") {
  const auto amd64 = entry(1, "linux/amd64");
  const auto arm64 = entry(2, "linux/arm64");
  const auto armv7 = entry(3, "linux/arm/v7");
  const auto s390x = entry(4, "linux/s390x");
  struct Row {
    std::string why;
    std::vector<Descriptor> entries;
    ClientPlatform who;
    std::string want;
  };
  const Row rows[] = {
      {"one of them", {amd64, arm64}, client("linux/arm64"), "filter 1 (1 of 2 entries kept)"},
      {"all rungs, in index order",
       {armv7, amd64, arm64},
       client("linux/arm64"),
       "filter 0 2 (2 of 3 entries kept)"},
      {"a rung below", {amd64, armv7}, client("linux/arm64"), "filter 1 (1 of 2 entries kept)"},
      {"what is emulated, too",
       {amd64, arm64, s390x},
       client("linux/arm64", platforms({"linux/amd64"})),
       "filter 0 1 (2 of 3 entries kept)"},
      {"only what is emulated",
       {amd64, s390x},
       client("linux/arm64", platforms({"linux/amd64"})),
       "filter 0 (1 of 2 entries kept)"},
      {"with its attestations",
       {amd64, arm64, attestation(5, 1), attestation(6, 2), attestation(7, 2)},
       client("linux/arm64"),
       "filter 1 3 4 (3 of 5 entries kept)"},
      {"an attestation that stands before",
       {attestation(6, 2), amd64, arm64},
       client("linux/arm64"),
       "filter 0 2 (2 of 3 entries kept)"},
      {"an attestation about nothing",
       {arm64, without_subject(attestation(6, 2))},
       client("linux/arm64"),
       "filter 0 (1 of 2 entries kept)"},
      {"an attestation about another attestation",
       {arm64, attestation(6, 2), attestation(7, 6)},
       client("linux/arm64"),
       "filter 0 1 (2 of 3 entries kept)"},
      {"one image under two platforms",
       {amd64, entry(1, "linux/arm64"), attestation(6, 1)},
       client("linux/arm64"),
       "filter 1 2 (2 of 3 entries kept)"},
      {"every one",
       {arm64, armv7, attestation(6, 2)},
       client("linux/arm64"),
       "pass (filter leaves everything)"},
      {"a nested index by its own platform",
       {nested_entry(10, "linux/arm64"), nested_entry(11, "linux/amd64")},
       client("linux/arm64"),
       "filter 0 (1 of 2 entries kept)"},
      {"what has no platform is not kept",
       {entry(8, ""), nested_entry(10), arm64},
       client("linux/arm64"),
       "filter 2 (1 of 3 entries kept)"},
      {"what is neither manifest nor index is not",
       {entry(8, "linux/arm64", "application/vnd.example"), arm64},
       client("linux/arm64"),
       "filter 1 (1 of 2 entries kept)"},
      {"os.features that the client has not",
       {entry(8, "linux(+gpu)/arm64"), arm64},
       client("linux/arm64"),
       "filter 1 (1 of 2 entries kept)"},
      {"nothing fits", {amd64, attestation(5, 1)}, client("linux/arm64"), "refuse (nothing fits)"},
      {"nothing fits that says what it is for",
       {amd64, entry(8, "")},
       client("linux/arm64"),
       "pass (nothing fits, but not all of it could be read)"},
      {"nothing at all", {}, client("linux/arm64"), "refuse (nothing fits)"},
      {"a variant that is not known",
       {arm64, amd64},
       client("linux/arm64/v10"),
       "pass (variant unknown)"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(filtered(index(row.entries), row.who) == row.want);
  }
}

TEST_CASE("a filter that lets nothing through says so like any other refusal") {
  const auto verdict = Fetched{}.decide(usual, client("linux/s390x"), filtering);
  CHECK(verdict.message ==
        "docker.io/library/golang:1.22 has no image for linux/s390x (as the client's address "
        "says); it has linux/amd64, linux/arm64, linux/arm/v6");
  auto passing = filtering;
  passing.missing = VerdictPolicy::Missing::pass;
  CHECK(shown(Fetched{}.decide(usual, client("linux/s390x"), passing)) == "pass (nothing fits)");
}
