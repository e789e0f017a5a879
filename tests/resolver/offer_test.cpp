#include "resolver/offer.hpp"

#include "tests/resolver/indexes.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;

TEST_CASE("an offer names each platform once, in index order, and not without end") {
  const auto nothing = Fetched{}.nested();
  CHECK(offer(usual, nothing) == "linux/amd64, linux/arm64, linux/arm/v6");
  CHECK(offer(index({}), nothing) == "nothing for any platform");
  std::vector<archway::Descriptor> entries;
  for (int i = 0; i < 40; ++i) {
    const auto on = "linux/x" + std::to_string(i);
    entries.push_back(entry(i * 2, on));
    entries.push_back(entry(i * 2 + 1, on));
  }
  const auto text = offer(index(entries), nothing);
  CHECK(text.starts_with("linux/x0, linux/x1, "));
  CHECK(text.ends_with("linux/x29 and 10 more"));
}

TEST_CASE("an offer has what nested indexes and configs say, as far as they are there") {
  Fetched fetched;
  const auto top = index({nested_entry(10), entry(11, ""), entry(1, "linux/s390x"),
                          attestation(12, 1), entry(13, "linux/386", "application/vnd.example")});
  CHECK(offer(top, fetched.nested()) == "linux/s390x");
  fetched.documents[digest(10)] = usual;
  fetched.documents[digest(11)] = image_for("windows/amd64");
  CHECK(offer(top, fetched.nested()) ==
        "linux/amd64, linux/arm64, linux/arm/v6, windows/amd64, linux/s390x");
}

TEST_CASE("an offer comes to an end where indexes lead to each other") {
  Fetched fetched;
  fetched.documents[digest(10)] = index({nested_entry(11), nested_entry(11)});
  fetched.documents[digest(11)] =
      index({nested_entry(10), nested_entry(10), entry(1, "linux/arm64")});
  CHECK(offer(index({nested_entry(10)}), fetched.nested()) == "linux/arm64");
}

TEST_CASE("a list of platforms is written for people") {
  CHECK(listed({}) == "");
  CHECK(listed(platforms({"linux/amd64", "linux/arm/v7"})) == "linux/amd64, linux/arm/v7");
  CHECK(listed(std::vector(33, platform("linux/amd64"))).ends_with("linux/amd64 and 3 more"));
}
