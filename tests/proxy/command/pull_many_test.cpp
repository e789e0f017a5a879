#include "proxy/command/pull_many.hpp"

#include "tests/proxy/command/pull_bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

Descriptor blob(const std::string& bytes) {
  return {.media_type = "",
          .digest = *Digest::parse(test::digest_of(bytes)),
          .size = bytes.size(),
          .platform = {}};
}

PullTask task_of(const std::string& name, const std::vector<std::string>& blobs) {
  const auto image = image_of(name);
  PullTask task{.asked = name};
  task.image = PulledImage{
      .name = {.image = image, .path = image.image.repository},
      .top = {.digest = blob(name).digest, .media_type = "", .bytes = name, .manifest = {}}};
  for (const auto& bytes : blobs) task.image->blobs.push_back(blob(bytes));
  return task;
}

TEST_CASE("platforms are written with commas, or one option each") {
  const auto platforms = wanted_platforms({"linux/arm64,arm/v6", "linux/arm64", "windows/amd64"});
  REQUIRE(platforms);
  std::string all;
  for (const auto& platform : *platforms) all += platform.str() + " ";
  CHECK(all == "linux/arm64 linux/arm/v6 windows/amd64 ");
  CHECK(wanted_platforms({})->empty());
  const auto bad = wanted_platforms({"linux/arm64,a/b/c/d"});
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == Errc::platform_invalid);
}

TEST_CASE("a blob of several images is transferred once, and one that is there not at all") {
  const std::vector<PullTask> tasks{task_of("a:1", {"shared", "of a"}),
                                    {.asked = "failed:1"},
                                    task_of("b:1", {"shared", "of b", "cached"})};
  const auto transfers =
      transfers_of(tasks, [](const Digest& digest) { return digest == blob("cached").digest; });
  std::vector<std::uint64_t> sizes;
  for (const auto& transfer : transfers) sizes.push_back(transfer.blob.size);
  CHECK(sizes == std::vector<std::uint64_t>{6, 4, 4});
}

TEST_CASE("a blob that failed fails every image that needs it") {
  std::vector<PullTask> tasks{task_of("a:1", {"shared"}), task_of("b:1", {"shared", "of b"}),
                              task_of("c:1", {"of c"})};
  auto transfers = transfers_of(tasks, [](const Digest&) { return false; });
  transfers[0].error = Error{.code = Errc::upstream_failed, .message = "it is cut"};
  transfers[2].brought = 4;
  settle(tasks, transfers);
  CHECK(tasks[0].error);
  CHECK(tasks[1].error);
  CHECK_FALSE(tasks[2].error);
  CHECK(tasks[2].brought == 4);
  PullBench bench;
  CHECK(report_failures("warm", tasks, bench.surroundings(), {}) == exits::failed);
  CHECK(bench.complained() ==
        "archway warm: docker.io/library/a:1: it is cut\n"
        "archway warm: docker.io/library/b:1: it is cut\n");
}

TEST_CASE("what was left out is a remark, a platform that is not there a failure") {
  PullBench bench;
  std::vector<PullTask> tasks{task_of("a:1", {})};
  tasks[0].image->left_out = {"linux/arm64: denied"};
  CHECK(report_failures("warm", tasks, bench.surroundings(), {}) == exits::ok);
  CHECK(bench.complained() == "left out of docker.io/library/a:1: linux/arm64: denied\n");
  CHECK(report_failures("warm", tasks, bench.surroundings(), {.quiet = true}) == exits::ok);
  CHECK(bench.complained().empty());
  tasks[0].image->not_there = {"linux/s390x"};
  CHECK(report_failures("warm", tasks, bench.surroundings(), {.quiet = true}) == exits::failed);
  CHECK(contains(bench.complained(), "has nothing for linux/s390x"));
}

TEST_CASE("every image is looked up, and each failure is its own") {
  PullBench bench;
  const auto image = test::make_image("linux/amd64", "layer");
  bench.gateway.hold("docker.io/library/a", image, "1");
  auto pull = bench.open();
  const auto tasks = look_up_all(pull, {"a:1", "gone:1", "UPPER"}, {}, 2);
  REQUIRE(tasks.size() == 3);
  CHECK(tasks[0].image);
  CHECK(tasks[0].bytes() == image.config.size() + image.layer.size());
  CHECK(tasks[0].name() == "docker.io/library/a:1");
  REQUIRE(tasks[1].error);
  CHECK(tasks[1].error->code == Errc::manifest_unknown);
  REQUIRE(tasks[2].error);
  CHECK(tasks[2].error->code == Errc::name_invalid);
  CHECK(tasks[2].name() == "UPPER");
  const auto json = tasks_json(tasks);
  CHECK(json[0].at("digest").as_string() == image.manifest.digest.c_str());
  CHECK(json[0].at("error").is_null());
  CHECK(json[1].at("digest").is_null());
  CHECK(json[1].at("error").is_string());
  CHECK(tasks_table(tasks, false).starts_with("docker.io/library/a:1\tas it is\t"));
}

}  // namespace
}  // namespace archway::proxy
