#include "tests/resolver/indexes.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;
using archway::Descriptor;

namespace {

/// The notes, one a line.
std::string notes(const Manifest& top, const ClientPlatform& who,
                  const VerdictPolicy& policy = {}) {
  std::string text;
  for (const auto& each : look_at(top, who, policy)) text += each.note + "\n";
  return text;
}

}  // namespace

TEST_CASE("every entry is looked at, in index order, with what is said of it") {
  const auto top =
      index({entry(1, "linux/arm/v6"), entry(2, "linux/amd64"), entry(3, "linux/arm64"),
             attestation(4, 3), entry(5, ""), nested_entry(6),
             entry(7, "linux/arm64", "application/vnd.example"), entry(8, "linux/s390x"),
             entry(9, "linux/riscv64"), nested_entry(10, "linux/arm64"),
             entry(11, "unknown/unknown"), entry(12, "windows(10.0.20348.1)/amd64")});
  const auto who = client("linux/arm64", platforms({"linux/riscv64", "linux/amd64"}));
  CHECK(notes(top, who) ==
        "fits, 3rd choice\n"
        "emulated, 2nd choice\n"
        "fits, 1st choice\n"
        "an attestation\n"
        "no platform stated\n"
        "an index within the index\n"
        "neither manifest nor index\n"
        "another platform\n"
        "emulated, 1st choice\n"
        "fits, 2nd choice\n"
        "no platform stated\n"
        "another platform\n");
  const auto looked = look_at(top, who, {});
  REQUIRE(looked.size() == 12);
  CHECK(looked[0].platform == "linux/arm/v6");
  CHECK(looked[0].digest == digest(1));
  CHECK(looked[0].size == 1);
  CHECK(looked[4].platform == "");
}

TEST_CASE("what is not allowed and what is for another build is told from what does not fit") {
  const auto top =
      index({entry(1, "windows(10.0.17763.1)/amd64"), entry(2, "windows(10.0.20348.1)/amd64"),
             entry(3, "windows(10.0.20348.1)/arm64"), entry(4, "linux/amd64")});
  CHECK(notes(top, client("windows(10.0.20348)/amd64")) ==
        "another Windows build\n"
        "fits, 1st choice\n"
        "another platform\n"
        "another platform\n");
  CHECK(notes(top, client("windows/amd64")) ==
        "fits, 2nd choice\n"
        "fits, 1st choice\n"
        "another platform\n"
        "another platform\n");
  CHECK(notes(top, client("linux/amd64"),
              {.allow = platforms({"windows(10.0.17763)/amd64", "linux/arm64"})}) ==
        "another platform\n"
        "not allowed (platforms.allow)\n"
        "not allowed (platforms.allow)\n"
        "not allowed (platforms.allow)\n");
}

TEST_CASE("entries are not compared with a client that nobody knows") {
  CHECK(notes(usual, {}) == "not compared\nnot compared\nnot compared\n");
  CHECK(notes(usual, client("linux/arm64/v10")) == "not compared\nnot compared\nnot compared\n");
  CHECK(notes(index({attestation(1, 2), entry(2, "")}), {}) ==
        "an attestation\nno platform stated\n");
  auto hinted = client("linux/amd64");
  hinted.resolves = false;
  CHECK(notes(usual, hinted) == "fits, 1st choice\nanother platform\nanother platform\n");
  CHECK(notes(image_for("linux/amd64"), client("linux/amd64")) == "");
}

TEST_CASE("choices are counted as people do, and the first is what decide() takes") {
  std::vector<Descriptor> entries;
  for (int i = 1; i <= 23; ++i) entries.push_back(entry(i, "linux/amd64"));
  const auto top = index(entries);
  const auto looked = look_at(top, client("linux/amd64"), {});
  struct Row {
    std::size_t number;
    std::string want;
  };
  const Row rows[] = {{1, "1st"},   {2, "2nd"},   {3, "3rd"},   {4, "4th"},
                      {10, "10th"}, {11, "11th"}, {12, "12th"}, {13, "13th"},
                      {20, "20th"}, {21, "21st"}, {22, "22nd"}, {23, "23rd"}};
  for (const auto& row : rows) {
    CAPTURE(row.number);
    CHECK(looked[row.number - 1].note == "fits, " + row.want + " choice");
  }
  CHECK(Fetched{}.decide(top, client("linux/amd64")).target->digest == looked[0].digest);
}
