#include "proxy/config/read.hpp"
#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

const std::string digest = "sha256:" + std::string(64, 'a');

/// `{upstream/repository[:tag]: platform=member, …}` of what was read.
std::string shown(const Settings& settings) {
  std::string text;
  for (const VirtualImage& image : settings.images) {
    text += image.str() + " {";
    for (const auto& member : image.members) {
      text += " " + member.platform.str() + "=" + member.image.str();
      if (member.reference) text += " " + str(*member.reference);
    }
    text += " }\n";
  }
  return text;
}

TEST_CASE("virtual images that cannot be are reported") {
  const std::string with_digest = "images: {\"a/b@" + digest + "\": {arm64: a/c}}\n";
  const std::string digest_refused =
      "1:10: images: found \"a/b@sha256:" + std::string(49, 'a') +
      "...\"; a name that archway makes an index for has no digest: its own follows from its "
      "members";
  const BadRow rows[] = {
      {"nothing", "images:\n",
       "1:1: images: found nothing; allowed: a mapping such as {docker.io/me/app: {linux/arm64: "
       "docker.io/me/app-arm64}}"},
      {"a list", "images: [a/b]\n",
       "1:9: images: found a list; allowed: a mapping such as {docker.io/me/app: {linux/arm64: "
       "docker.io/me/app-arm64}}"},
      {"a name for one image", "images: {a/b: a/c}\n",
       "1:15: images.a/b: found \"a/c\"; allowed: a mapping of platforms to images such as "
       "{linux/arm64: docker.io/me/app-arm64}"},
      {"a name for nothing", "images:\n  a/b:\n",
       "2:3: images.a/b: found nothing; allowed: a mapping of platforms to images such as "
       "{linux/arm64: docker.io/me/app-arm64}"},
      {"a name without members", "images: {a/b: {}}\n",
       "1:15: images.a/b: found an empty mapping; allowed: at least one platform"},
      {"an upstream that is not configured",
       "upstreams: [{name: ghcr.io}, {name: quay.io}]\nimages: {docker.io/a/b: {arm64: "
       "ghcr.io/a/b}}\n",
       "2:10: images: the registry \"docker.io\" is not configured as an upstream of this archway; "
       "it has ghcr.io, quay.io"},
      {"a member of an upstream that is not configured",
       "upstreams: [{name: ghcr.io}]\nimages: {ghcr.io/a/b: {arm64: quay.io/a/b}}\n",
       "2:31: images.ghcr.io/a/b.arm64: the registry \"quay.io\" is not configured as an upstream "
       "of this archway; it has ghcr.io"},
      {"a name without a host and no default",
       "upstreams: [{name: ghcr.io}]\nimages: {a/b: {arm64: ghcr.io/a/b}}\n",
       "2:10: images: this name does not say which registry it is from, and this archway has no "
       "default upstream; it has ghcr.io"},
      {"a digest for a name", with_digest, digest_refused},
      {"capitals in a name", "images: {a/B: {arm64: a/c}}\n",
       "1:10: images: \"a/B\" is not a repository name: each part between slashes is lower-case "
       "letters and digits, joined by single dots, one or two underscores, or dashes"},
      {"a tag that is none", "images: {\"a/b:-1\": {arm64: a/c}}\n",
       "1:10: images: \"-1\" is not a tag: it starts with a letter, digit or _"},
      {"an empty tag", "images: {a/b: {arm64: \"a/c:\"}}\n",
       "1:23: images.a/b.arm64: \"\" is not a tag: a tag has 1 to 128 characters"},
      {"a digest that is none", "images: {a/b: {arm64: \"a/c@sha256:12\"}}\n",
       "1:23: images.a/b.arm64: \"sha256:12\" is not a digest: it has 2 characters behind the "
       "colon, "
       "64 are needed"},
      {"a platform that is none", "images: {a/b: {linux: a/c}}\n",
       "1:16: images.a/b: \"linux\" is not a platform: it names a system but no architecture; "
       "write it like linux/arm64 or linux/arm/v7"},
      {"a platform twice, in other words", "images: {a/b: {arm64: a/c, linux/aarch64: a/d}}\n",
       "1:28: images.a/b: found linux/arm64 a second time"},
      {"a platform without an image", "images:\n  a/b:\n    arm64:\n",
       "3:5: images.a/b.arm64: found nothing; allowed: an image such as docker.io/me/app or "
       "docker.io/me/app:1"},
      {"the same name twice", "images: {a/b: {arm64: a/c}, docker.io/a/b: {amd64: a/d}}\n",
       "1:29: images: found docker.io/a/b a second time"},
      {"the same name and tag twice",
       "images: {alpine:3: {arm64: a/c}, docker.io/library/alpine:3: {amd64: a/d}}\n",
       "1:34: images: found docker.io/library/alpine:3 a second time"},
      {"a member that is a virtual image",
       "images:\n  a/b: {arm64: a/c}\n  a/c: {arm64: a/c, amd64: a/d}\n",
       "2:16: images.a/b.arm64: found docker.io/a/c, which has members itself; allowed: an image "
       "as its upstream has it"},
      {"a member that is one whatever its tag",
       "images:\n  a/b: {arm64: \"a/c:1\"}\n  a/c: {arm64: a/d}\n",
       "2:16: images.a/b.arm64: found docker.io/a/c, which has members itself; allowed: an image "
       "as its upstream has it"},
      {"a member that is one for that tag",
       "images:\n  a/b:1: {arm64: a/c}\n  a/c:1: {arm64: a/d}\n",
       "2:18: images.a/b:1.arm64: found docker.io/a/c:1, which has members itself; allowed: an "
       "image as its upstream has it"},
      {"a member that is one for some tag", "images:\n  a/b: {arm64: a/c}\n  a/c:1: {arm64: a/d}\n",
       "2:16: images.a/b.arm64: found docker.io/a/c:1, which has members itself; allowed: an image "
       "as its upstream has it"},
  };
  check_refused(rows);
}

TEST_CASE("a virtual image has a bounded number of members") {
  std::string members;
  for (std::size_t i = 0; i < virtual_members_max; ++i) {
    members += "    linux/arm64/v" + std::to_string(i + 100) + ": a/c\n";
  }
  const std::string start = "images:\n  a/b:\n";
  CHECK(settings_of(start + members).images.at(0).members.size() == virtual_members_max);
  const std::string too_many = start + members + "    amd64: a/c\n";
  const BadRow rows[] = {
      {"one more", too_many, "3:5: images.a/b: found 33 entries; allowed: at most 32"}};
  check_refused(rows);
}

TEST_CASE("virtual images are read, their names in full and in the order of the file") {
  const Settings settings = settings_of(
      "images:\n"
      "  username/test:\n"
      "    linux/arm64: index.docker.io/username/arm64v8-test\n"
      "    linux/amd64: docker.io/username/test\n"
      "  alpine:3:\n"
      "    arm/v6: arm32v6/alpine\n"
      "    x86_64: alpine:3.20\n"
      "    \"windows(10.0.20348)/amd64\": \"mcr.microsoft.com/nano@" +
      digest +
      "\"\n"
      "    386: \"quay.io/a/b:1@" +
      digest + "\"\n");
  CHECK(shown(settings) ==
        "docker.io/username/test { linux/arm64=docker.io/username/arm64v8-test "
        "linux/amd64=docker.io/username/test }\n"
        "docker.io/library/alpine:3 { linux/arm/v6=docker.io/arm32v6/alpine "
        "linux/amd64=docker.io/library/alpine 3.20 "
        "windows(10.0.20348)/amd64=mcr.microsoft.com/nano " +
            digest + " linux/386=quay.io/a/b " + digest + " }\n");
}

TEST_CASE("an upstream's port is no tag, and only Docker Hub has a library") {
  const Settings settings = settings_of(
      "upstreams: [{name: \"registry.lan:5000\", default: true}, {name: docker.io}]\n"
      "images: {registry.lan:5000/app:1: {arm64: app-arm:2, amd64: registry.lan:5000/app, 386: "
      "docker.io/app}}\n");
  CHECK(shown(settings) ==
        "registry.lan:5000/app:1 { linux/arm64=registry.lan:5000/app-arm 2 "
        "linux/amd64=registry.lan:5000/app linux/386=docker.io/library/app }\n");
}

TEST_CASE("a member may be what only shares a name with a virtual image") {
  const std::string fine[] = {
      "images: {a/b: {amd64: docker.io/a/b, arm64: a/c}}",
      "images: {a/b:1: {amd64: \"a/b:2\"}, a/b:2: {amd64: \"a/b:2\"}, a/b: {amd64: a/b}}",
      "images: {a/b: {amd64: \"a/c:2\"}, a/c:1: {amd64: a/d}}",
      "images: {a/b:2: {amd64: a/c}, a/c:1: {amd64: a/d}}",
      "images: {a/b: {amd64: \"a/c@" + digest + "\"}, a/c: {amd64: a/d}}",
  };
  for (const std::string& text : fine) {
    CAPTURE(text);
    settings_of(text);
  }
}

}  // namespace
}  // namespace archway::proxy
