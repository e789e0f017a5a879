#include "resolver/search.hpp"

#include "tests/resolver/indexes.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;
using archway::Descriptor;
using Kind = Verdict::Kind;

TEST_CASE("what the machine emulates is tried after all that it runs") {
  auto who = client("linux/arm64");
  who.emulates = {platform("linux/riscv64"), platform("linux/amd64")};
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
