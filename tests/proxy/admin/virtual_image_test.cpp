#include "proxy/admin/virtual_image.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const std::string hash = "sha256:" + std::string(64, 'a');

resolver::UpstreamNames names() {
  return {.entries = {{.name = "docker.io", .adds_library = true}, {.name = "ghcr.io"}},
          .default_name = "docker.io"};
}

VirtualImage image(const std::string& name, const std::vector<std::string>& members) {
  auto named = read_virtual_name(name, names());
  if (!named) FAIL(named.error().message);
  auto read = read_members(members, names());
  if (!read) FAIL(read.error().message);
  return {.name = named->name, .tag = named->tag, .members = *std::move(read)};
}

TEST_CASE("a virtual image has a name of a configured upstream, maybe a tag, never a digest") {
  struct Row {
    const char* why;
    std::string text;
    std::string want;  ///< "" : refused
  };
  for (const auto& row : std::vector<Row>{
           {"every tag", "docker.io/me/app", "docker.io/me/app"},
           {"one tag", "docker.io/me/app:1", "docker.io/me/app:1"},
           {"in short", "app", "docker.io/library/app"},
           {"a digest", "me/app@" + hash, ""},
           {"another registry", "quay.io/me/app", ""},
           {"no name", "docker.io/ME", ""},
       }) {
    CAPTURE(row.why);
    const auto named = read_virtual_name(row.text, names());
    CHECK(named.has_value() == !row.want.empty());
    if (named) CHECK((VirtualImage{.name = named->name, .tag = named->tag}.str()) == row.want);
  }
}

TEST_CASE("members are PLATFORM=IMAGE, each platform once") {
  const auto read = read_members(
      {"linux/amd64=me/app", "aarch64=ghcr.io/me/app:arm@" + hash, "linux/arm/v7=me/app:1"},
      names());
  REQUIRE(read);
  std::string all;
  for (const auto& member : *read) all += member.platform.str() + " " + place_of(member) + "\n";
  CHECK(all == "linux/amd64 docker.io/me/app\nlinux/arm64 ghcr.io/me/app@" + hash +
                   "\nlinux/arm/v7 docker.io/me/app:1\n");
  CHECK(!(*read)[0].reference);
}

TEST_CASE("members of no use are told, each with its reason") {
  struct Row {
    const char* why;
    std::vector<std::string> members;
    const char* says;
  };
  for (const auto& row : std::vector<Row>{
           {"none", {}, "0 times; allowed: 1 to 32"},
           {"too many", std::vector<std::string>(33, "linux/amd64=a"), "33 times"},
           {"no platform", {"me/app"}, "allowed: PLATFORM=IMAGE"},
           {"a platform that is none", {"linux/=a"}, "is not a platform"},
           {"no image", {"linux/amd64="}, "parameter member"},
           {"another registry", {"linux/amd64=quay.io/a"}, "quay.io"},
           {"twice", {"linux/amd64=a", "amd64=b"}, "found linux/amd64 twice"},
           {"twice in another spelling",
            {"linux/arm64=a", "linux/arm64/v8=b"},
            "linux/arm64 twice"},
       }) {
    CAPTURE(row.why);
    const auto read = read_members(row.members, names());
    REQUIRE(!read);
    CHECK(read.error().code == Errc::request_invalid);
    CHECK(read.error().message.find(row.says) != std::string::npos);
  }
}

TEST_CASE("what is virtual is no member, and a member is not virtual") {
  const std::vector<VirtualImage> others{image("me/app", {"amd64=me/app", "arm64=me/app-arm64"}),
                                         image("me/tool:1", {"amd64=me/tool-amd64"})};
  struct Row {
    const char* why;
    VirtualImage one;
    bool nested;
  };
  for (const auto& row : std::vector<Row>{
           {"apart", image("me/new", {"amd64=me/new-amd64"}), false},
           {"itself", image("me/new", {"amd64=me/new", "arm64=me/new-arm64"}), false},
           {"an image for every tag", image("me/new", {"amd64=me/app:7"}), true},
           {"that tag", image("me/new", {"amd64=me/tool:1"}), true},
           {"another tag", image("me/new", {"amd64=me/tool:2"}), false},
           {"the same tag, by being asked for it", image("me/new:1", {"amd64=me/tool"}), true},
           {"another tag, by being asked for it", image("me/new:2", {"amd64=me/tool"}), false},
           {"whatever tag is asked for", image("me/new", {"amd64=me/tool"}), true},
           {"a digest is nobody's name", image("me/new", {"amd64=me/app@" + hash}), false},
           {"another's member", image("me/app-arm64", {"amd64=me/new"}), true},
           {"one tag of another's member", image("me/app-arm64:1", {"amd64=me/new"}), true},
       }) {
    CAPTURE(row.why);
    CHECK(why_nested(row.one, others).empty() != row.nested);
  }
}

TEST_CASE("an image is shown with what was said of it and nothing more") {
  const auto one = image("me/app:1", {"amd64=me/app", "arm64=ghcr.io/me/app:arm"});
  CHECK(boost::json::serialize(virtual_image_json(one, false)) ==
        R"({"name":"docker.io/me/app","tag":"1","configured":false,"members":[)"
        R"({"platform":"linux/amd64","image":"docker.io/me/app"},)"
        R"({"platform":"linux/arm64","image":"ghcr.io/me/app:arm"}]})");
  const auto every = image("me/app", {"amd64=me/app@" + hash});
  CHECK(boost::json::serialize(virtual_image_json(every, true)) ==
        R"({"name":"docker.io/me/app","tag":null,"configured":true,"members":[)"
        R"({"platform":"linux/amd64","image":"docker.io/me/app@)" +
            hash + "\"}]}");
}

}  // namespace
}  // namespace archway::proxy
