#include "proxy/command/manifest_virtual.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

constexpr const char* index_digest =
    "sha256:4eb3c073498e89e00f48286c459fe7b7378c347cad2daea04768b15954655a1f";

TEST_CASE("a member is an image, with its platform where it was said") {
  struct Row {
    const char* text;
    const char* platform;  ///< "" : none
    const char* name;
  };
  const Row rows[] = {
      {"me/app", "", "docker.io/me/app"},
      {"me/app:1", "", "docker.io/me/app:1"},
      {"linux/aarch64=me/app", "linux/arm64", "docker.io/me/app"},
      {"windows(10.0.20348.1)/amd64=r.lan:5000/app:2", "windows(10.0.20348.1)/amd64",
       "r.lan:5000/app:2"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto member = parse_member(row.text);
    REQUIRE(member);
    CHECK((member->platform ? member->platform->str() : "") == row.platform);
    CHECK(member->name() == row.name);
  }
  for (const char* const bad : {"linux=me/app", "=me/app", "linux/arm64=", "linux/arm64=Me/App"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_member(bad));
  }
}

TEST_CASE("the admin API is given every member once, percent-encoded") {
  const std::vector<WantedMember> members = {*parse_member("linux/amd64=me/app"),
                                             *parse_member("linux/arm/v6=me/arm-app:1")};
  CHECK(virtual_image_target("docker.io/me/app", members, false) ==
        "/api/v1/images/docker.io/me/app?member=linux%2Famd64%3Ddocker.io%2Fme%2Fapp"
        "&member=linux%2Farm%2Fv6%3Ddocker.io%2Fme%2Farm-app%3A1");
  CHECK(virtual_image_target("a/b", {*parse_member("linux/386=c")}, true) ==
        "/api/v1/images/a/b?member=linux%2F386%3Ddocker.io%2Flibrary%2Fc&strict=1");
}

/// A gateway's admin port that gives this answer, and a registry with a single image.
struct VirtualBench : ManifestBench {
  ScriptedRegistry registry;
  test::ScriptedUpstream admin;
  std::unique_ptr<Session> connected = session();

  VirtualBench(unsigned status, const std::string& answer, const std::string& image = "me/app:1") {
    registry.hold("me/arm", test::make_image("linux/arm64", "layer"), "1");
    test::publish(registry, "me/both", test::make_index({test::make_image("linux/386", "x")}), "1");
    admin.on("/api/v1/images/docker.io/" + image).answer(status).json(answer).close();
  }

  int create(const std::vector<std::string>& sources, bool strict = false,
             const std::string& target = "me/app:1") {
    const CreateOptions options{.target = target,
                                .sources = sources,
                                .virtual_image = true,
                                .strict = strict,
                                .admin = "127.0.0.1:" + std::to_string(admin.port())};
    return create_virtual(options, surroundings(), *connected);
  }
};

const std::string taken = std::string(R"({"name":"docker.io/me/app","tag":"1","index":")") +
                          index_digest + R"(","missing":[]})";

TEST_CASE("a gateway takes a virtual image, and its index is told by digest") {
  VirtualBench bench(200, taken);
  CHECK(bench.create({"linux/amd64=me/app", bench.registry.image("me/arm:1")}) == exits::ok);
  CHECK(bench.printed() ==
        "Created virtual image docker.io/me/app:1\n"
        "linux/amd64\tdocker.io/me/app\tthere\n"
        "linux/arm64\t" +
            bench.registry.image("me/arm:1") + "\tthere\n" + std::string(index_digest) + "\n");
  REQUIRE(bench.admin.requests().size() == 1);
  CHECK(bench.admin.requests()[0].method == "PUT");
  CHECK(contains(bench.admin.requests()[0].target, "member=linux%2Farm64%3D127.0.0.1%3A"));
}

TEST_CASE("the tag of the virtual image counts for members that have none") {
  VirtualBench bench(200, taken);
  CHECK(bench.create({bench.registry.image("me/arm")}) == exits::ok);
  CHECK(bench.registry.count("GET", "/v2/me/arm/manifests/1") == 1);
  CHECK(contains(bench.printed(), "linux/arm64\t" + bench.registry.image("me/arm") + "\t"));
}

TEST_CASE("an image of every tag has no digest") {
  VirtualBench bench(200, R"({"name":"docker.io/me/app","tag":null,"index":null,"missing":[]})",
                     "me/app");
  CHECK(bench.create({"linux/amd64=me/app"}, false, "me/app") == exits::ok);
  CHECK(bench.printed() ==
        "Created virtual image docker.io/me/app\n"
        "linux/amd64\tdocker.io/me/app\tthere\n");
}

TEST_CASE("members that are missing are told, and that it is only partly done") {
  VirtualBench bench(200, R"({"index":null,"missing":[{"platform":"linux/arm64",)"
                          R"("image":"docker.io/me/arm","why":"no such image"}]})");
  CHECK(bench.create({"linux/amd64=me/app", "linux/arm64=me/arm"}) == exits::partly);
  CHECK(contains(bench.printed(), "linux/arm64\tdocker.io/me/arm\tmissing\n"));
  CHECK(bench.complained() ==
        "warning: docker.io/me/arm (linux/arm64) is missing: no such image\n");
}

TEST_CASE("a refusal is told in the gateway's words") {
  VirtualBench bench(409, R"({"error":"nothing was kept","missing":[{"platform":"linux/arm64",)"
                          R"("image":"docker.io/me/arm","why":"no such image"}]})");
  CHECK(bench.create({"linux/amd64=me/app", "linux/arm64=me/arm"}, true) == exits::failed);
  const auto said = bench.complained();
  CHECK(contains(said, "nothing was kept"));
  CHECK(contains(said, "\n  docker.io/me/arm (linux/arm64) is missing: no such image"));
  CHECK(contains(bench.admin.requests()[0].target, "&strict=1"));
  CHECK(bench.printed().empty());
}

TEST_CASE("what cannot become a virtual image never reaches the gateway") {
  VirtualBench bench(200, taken);
  struct Row {
    const char* why;
    std::vector<std::string> sources;
    int code;
    const char* want;
  };
  const Row rows[] = {
      {"a platform twice",
       {"linux/amd64=me/app", "linux/x86_64=me/b"},
       exits::failed,
       "two members are for linux/amd64"},
      {"no platform", {"linux=me/app"}, exits::usage, "is not a platform"},
      {"an index without a word about the platform",
       {bench.registry.image("me/both:1")},
       exits::failed,
       "write PLATFORM="},
      {"too many", std::vector<std::string>(33, "me/app"), exits::usage, "at most 32 members"},
      {"a member that is not there",
       {bench.registry.image("me/none:1")},
       exits::not_found,
       "no such image"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(bench.create(row.sources) == row.code);
    CHECK(contains(bench.complained(), row.want));
  }
  CHECK(bench.admin.requests().empty());
}

TEST_CASE("without a gateway there is no virtual image") {
  ManifestBench bench;
  const CreateOptions options{
      .target = "me/app", .sources = {"linux/amd64=me/app"}, .admin = "127.0.0.1:1"};
  const auto session = bench.session();
  CHECK(create_virtual(options, bench.surroundings(), *session) == exits::unreachable);
  CHECK(contains(bench.complained(), "127.0.0.1:1 cannot be reached"));
}

}  // namespace
}  // namespace archway::proxy
