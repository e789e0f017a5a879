#include "proxy/admin/images.hpp"

#include "tests/integration/images.hpp"
#include "tests/proxy/admin/bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const std::string path = "/api/v1/images/";

/// amd64 is published as me/app:1, arm64 apart, as me/app-arm64:1.
struct Published : test::AdminBench {
  explicit Published(Settings with = {}) : AdminBench(std::move(with)) {
    publish(upstream, "me/app", amd64);
    publish(upstream, "me/app", amd64.manifest, "1");
    publish(upstream, "me/app-arm64", arm64);
    publish(upstream, "me/app-arm64", arm64.manifest, "1");
  }
  test::Image amd64 = test::make_image("linux/amd64", "one");
  test::Image arm64 = test::make_image("linux/arm64", "two");
};

const std::string both = "?member=linux/amd64=me/app&member=linux/arm64=me/app-arm64";

/// `platform: why` of those that were missing.
std::string missing_of(const test::AdminBench::Answer& answer) {
  std::string text;
  const auto document = answer.json();
  for (const auto& one : document.at("missing").as_array()) {
    CHECK(!one.at("why").as_string().empty());
    text += std::string(one.at("platform").as_string().c_str()) + "=" +
            one.at("image").as_string().c_str() + " ";
  }
  return text;
}

TEST_CASE("an image is made, listed, replaced and removed, and outlives a restart until then") {
  Published bench;
  CHECK(bench.ask("/api/v1/images").body == "[]\n");
  const auto made = bench.put(path + "docker.io/me/app:1" + both);
  CHECK(made.status == 200);
  CHECK(made.json().at("name") == "docker.io/me/app");
  CHECK(made.json().at("tag") == "1");
  CHECK(missing_of(made) == "");
  const std::string index = made.json().at("index").as_string().c_str();
  CHECK(index.starts_with("sha256:"));
  CHECK(bench.ask("/api/v1/images").body ==
        R"([{"name":"docker.io/me/app","tag":"1","configured":false,"members":[)"
        R"({"platform":"linux/amd64","image":"docker.io/me/app"},)"
        R"({"platform":"linux/arm64","image":"docker.io/me/app-arm64"}]}])"
        "\n");
  // What it says of itself is what clients get.
  CHECK(bench.ask("/api/v1/explain?image=me/app:1&platform=arm64")
            .body.find("\"digest\":\"" + bench.arm64.manifest.digest + "\"") != std::string::npos);
  CHECK(bench.ask("/api/v1/explain?image=me/app:1").body.find("\"digest\":\"" + index + "\"") !=
        std::string::npos);
  const VirtualImages after_restart(bench.settings, bench.cache->index());
  CHECK(after_restart.all() == bench.shared->virtual_images.all());

  const auto again = bench.put(path + "me/app:1?member=linux/arm64=me/app-arm64");
  CHECK(again.status == 200);
  CHECK(again.json().at("index").as_string() != index);
  CHECK(bench.shared->virtual_images.all().size() == 1);

  const auto gone = bench.remove(path + "docker.io/me/app:1");
  CHECK(gone.status == 200);
  CHECK(gone.body == "{\"name\":\"docker.io/me/app\",\"tag\":\"1\"}\n");
  CHECK(bench.ask("/api/v1/images").body == "[]\n");
  CHECK(VirtualImages(bench.settings, bench.cache->index()).all().empty());
  const auto twice = bench.remove(path + "docker.io/me/app:1");
  CHECK(twice.status == 404);
  CHECK(twice.error().find("docker.io/me/app:1") != std::string::npos);
}

TEST_CASE("an image for every tag has no index of its own, and its name may be escaped") {
  Published bench;
  bench.upstream.on("/v2/me/app/tags/list").answer(200).json(R"({"name":"me/app","tags":["1"]})");
  const auto made = bench.put(path + "docker.io%2Fme%2Fapp" + both);
  CHECK(made.status == 200);
  CHECK(made.json().at("tag").is_null());
  CHECK(made.json().at("index").is_null());
  CHECK(missing_of(made) == "linux/arm64=docker.io/me/app-arm64 ");  // It has no list of tags.
  CHECK(bench.remove(path + "docker.io%2Fme%2Fapp").status == 200);
}

TEST_CASE("members that cannot be had are told, and with strict nothing is kept") {
  struct Row {
    const char* why;
    std::string member;
    bool missing;
  };
  for (const auto& row : std::vector<Row>{
           {"there", "me/app-arm64", false},
           {"there by its digest", "", false},
           {"no such tag", "me/app-arm64:2", true},
           {"no such image", "me/nothing", true},
           {"an index that has it", "me/index:1", false},
           {"an index without it", "me/others:1", true},
       }) {
    CAPTURE(row.why);
    Published bench;
    test::publish(bench.upstream, "me/index", bench.arm64);
    test::publish(bench.upstream, "me/index", test::make_index({bench.arm64}), "1");
    test::publish(bench.upstream, "me/others", test::make_index({bench.amd64}), "1");
    const auto member =
        row.member.empty() ? "me/app-arm64@" + bench.arm64.manifest.digest : row.member;
    const auto target = path + "me/all:1?member=amd64=me/app&member=arm64=" + member;
    const auto strict = bench.put(target + "&strict=1");
    CHECK(strict.status == (row.missing ? 409 : 200));
    CHECK(bench.shared->virtual_images.all().size() == (row.missing ? 0 : 1));
    if (row.missing) {
      CHECK(strict.error().find("nothing was kept") != std::string::npos);
      CHECK(missing_of(strict).starts_with("linux/arm64=docker.io/me/"));
      CHECK(strict.json().at("index").is_null());
    }
    const auto made = bench.put(target);
    CHECK(made.status == 200);
    CHECK(missing_of(made).empty() == !row.missing);
    CHECK(made.json().at("index").is_string());  // Of those that are there.
    CHECK(bench.shared->virtual_images.all().size() == 1);
  }
}

TEST_CASE("what cannot be kept is refused with its reason") {
  Settings settings;
  const ImageName configured{"docker.io", *Repository::parse("me/fixed")};
  settings.images = {{.name = configured,
                      .tag = *Tag::parse("1"),
                      .members = {{.platform = *Platform::parse("arm64"), .image = configured}}}};
  struct Row {
    const char* why;
    std::string target;
    int status;
    const char* says;
  };
  for (const auto& row : std::vector<Row>{
           {"one of the configuration", "me/fixed:1" + both, 409, "the configuration"},
           {"no members", "me/app:1", 400, "parameter member"},
           {"a platform twice", "me/app:1?member=arm64=a&member=aarch64=b", 400, "twice"},
           {"another registry", "quay.io/me/app:1" + both, 404, "quay.io"},
           {"a member elsewhere", "me/app:1?member=arm64=quay.io/a", 400, "quay.io"},
           {"a digest", "me/app@sha256:" + std::string(64, 'a') + both, 400, "digest"},
           {"a member that is virtual", "me/app:1?member=arm64=me/fixed", 409, "virtual image"},
           {"an unknown parameter", "me/app:1?members=arm64=a", 400, "allowed: member, strict"},
           {"strict how?", "me/app:1" + both + "&strict=very", 400, "allowed: 0 and 1"},
       }) {
    CAPTURE(row.why);
    test::AdminBench bench(settings);
    const auto answer = bench.put(path + row.target);
    CHECK(answer.status == row.status);
    CHECK(answer.error().find(row.says) != std::string::npos);
    CHECK(bench.shared->virtual_images.all().size() == 1);
    CHECK(bench.upstream.requests().empty());
  }
  test::AdminBench bench(settings);
  const auto kept = bench.remove(path + "me/fixed:1");
  CHECK(kept.status == 409);
  CHECK(kept.error().find("the configuration") != std::string::npos);
  CHECK(bench.ask("/api/v1/images").body.find("\"configured\":true") != std::string::npos);
  CHECK(bench.remove(path + "me/fixed").status == 404);
}

}  // namespace
}  // namespace archway::proxy
