#include "proxy/pull/virtual_images.hpp"

#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <future>
#include <memory>
#include <string>

namespace archway::proxy {
namespace {

ImageName name(const std::string& repository, const std::string& upstream = "docker.io") {
  return {.upstream = upstream, .repository = *Repository::parse(repository)};
}

Tag tag(const std::string& text) {
  return *Tag::parse(text);
}

VirtualImage image(const std::string& repository, std::optional<Tag> of,
                   const std::vector<ImageName>& members) {
  VirtualImage made{.name = name(repository), .tag = std::move(of), .members = {}};
  const std::vector<std::string> platforms{"linux/amd64", "linux/arm64", "linux/arm/v7"};
  for (std::size_t i = 0; i < members.size(); ++i) {
    made.members.push_back({.platform = *Platform::parse(platforms[i]), .image = members[i]});
  }
  return made;
}

struct Fixture {
  Fixture() : index(*cache::Index::open(directory.path())) {
    settings.upstreams.push_back({.name = "docker.io", .url = *resolver::Url::parse("http://a")});
    settings.images = {image("u/test", std::nullopt, {name("u/test"), name("u/test-arm64")})};
  }
  void keep(const VirtualImage& kept) {
    std::promise<bool> done;
    cache::Changes changes;
    changes.images.push_back(kept);
    index->commit(std::move(changes), [&](Result<void> result) { done.set_value(bool(result)); });
    REQUIRE(done.get_future().get());
  }
  test::TempDir directory;
  std::unique_ptr<cache::Index> index;
  Settings settings;
};

TEST_CASE_FIXTURE(Fixture, "one for that very tag goes before one for every tag") {
  keep(image("u/test", tag("9"), {name("u/nine")}));
  const VirtualImages images(settings, *index);
  REQUIRE(images.find(name("u/test"), tag("1")));
  CHECK(images.find(name("u/test"), tag("1"))->members.size() == 2);
  REQUIRE(images.find(name("u/test"), tag("9")));
  CHECK(images.find(name("u/test"), tag("9"))->members.front().image == name("u/nine"));
  CHECK_FALSE(images.find(name("u/other"), tag("1")));
  CHECK(images.all().size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "the members of a name are those of all its virtual images, once each") {
  keep(image("u/test", tag("9"), {name("u/nine"), name("u/test-arm64")}));
  keep(image("u/zzz", std::nullopt, {name("u/z")}));
  const VirtualImages images(settings, *index);
  const std::vector<ImageName> want{name("u/test"), name("u/test-arm64"), name("u/nine")};
  CHECK(images.members_of(name("u/test")) == want);
  CHECK(images.members_of(name("u/test-arm64")).empty());
}

TEST_CASE_FIXTURE(Fixture, "a name with tags of its own is a member of itself") {
  keep(image("u/some", tag("1"), {name("u/a"), name("u/b")}));
  const VirtualImages images(settings, *index);
  const std::vector<ImageName> want{name("u/a"), name("u/b"), name("u/some")};
  CHECK(images.members_of(name("u/some")) == want);
  CHECK_FALSE(images.find(name("u/some"), tag("2")));
}

TEST_CASE_FIXTURE(Fixture, "one of the configuration is neither changed nor removed") {
  keep(image("u/test", std::nullopt, {name("u/foreign")}));
  VirtualImages images(settings, *index);
  CHECK(images.is_configured(name("u/test"), std::nullopt));
  CHECK_FALSE(images.is_configured(name("u/test"), tag("1")));
  images.set(image("u/test", std::nullopt, {name("u/foreign")}));
  images.erase(name("u/test"), std::nullopt);
  REQUIRE(images.find(name("u/test"), tag("1")));
  CHECK(images.find(name("u/test"), tag("1"))->members.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "one that was created comes, changes and goes") {
  VirtualImages images(settings, *index);
  images.set(image("u/new", std::nullopt, {name("u/a")}));
  CHECK(images.find(name("u/new"), tag("1"))->members.front().image == name("u/a"));
  images.set(image("u/new", std::nullopt, {name("u/b")}));
  CHECK(images.find(name("u/new"), tag("1"))->members.front().image == name("u/b"));
  images.erase(name("u/new"), std::nullopt);
  CHECK_FALSE(images.find(name("u/new"), tag("1")));
}

TEST_CASE_FIXTURE(Fixture, "one that needs an upstream which is not configured is not served") {
  keep(image("u/gone", std::nullopt, {name("u/a"), name("u/b", "gone.test")}));
  VirtualImages images(settings, *index);
  CHECK_FALSE(images.find(name("u/gone"), tag("1")));
  images.set(image("u/gone", std::nullopt, {name("u/b", "gone.test")}));
  CHECK(images.members_of(name("u/gone")).empty());
}

}  // namespace
}  // namespace archway::proxy
