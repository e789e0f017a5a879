// What a client says it takes decides what a tag is; a digest is always those bytes.

#include "tests/integration/gateway.hpp"
#include "tests/integration/images.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::test {
namespace {

TEST_CASE("a digest is those very bytes, whatever the client says it takes") {
  ScriptedUpstream upstream;
  const std::vector<Image> images{make_image("linux/amd64", noise(1000, 1)),
                                  make_image("linux/arm64", noise(1000, 2))};
  const auto index = make_index(images);
  for (const auto& image : images) publish(upstream, "library/hi", image);
  publish(upstream, "library/hi", index, "1");
  Gateway gateway(upstream);
  gateway.start();
  struct Row {
    const char* why;
    Headers headers;
  };
  const std::string image_only = "application/vnd.oci.image.manifest.v1+json";
  std::string long_list = image_only;
  while (long_list.size() < 20'000) long_list += ", " + image_only;
  const Row rows[] = {
      {"nothing", {}},
      {"an empty list", {{"Accept", ""}}},
      {"nothing at all, it says", {{"Accept", "*/*;q=0"}}},
      {"another type", {{"Accept", "text/html"}}},
      {"images, and this is an index", {{"Accept", image_only}}},
      {"a list as long as a header may be", {{"Accept", long_list}}},
      {"many lines", Headers(50, {"Accept", image_only})},
      {"nonsense", {{"Accept", ";;q=,,/"}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    for (const auto* document : {&index, &images[1].manifest}) {
      const auto target = manifest_path("library/hi", document->digest);
      const auto got = gateway.get(target, row.headers);
      const auto head = gateway.head(target, row.headers);
      CHECK(got.status == 200);
      CHECK(got.body == document->bytes);
      CHECK(got.header("Content-Type") == document->media_type);
      CHECK(head.status == 200);
      CHECK(head.header("Docker-Content-Digest") == document->digest);
    }
  }
}

}  // namespace
}  // namespace archway::test
