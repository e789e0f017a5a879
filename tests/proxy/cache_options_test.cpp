#include "proxy/cache_options.hpp"

#include "proxy/config/defaults.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

const std::string first = "sha256:" + std::string(64, 'a');
const std::string second = "sha256:" + std::string(64, 'b');
const std::string index_type = "application/vnd.oci.image.index.v1+json";
const std::string manifest_type = "application/vnd.oci.image.manifest.v1+json";

ImageName image(std::string_view repository) {
  return {.upstream = "docker.io", .repository = *Repository::parse(repository)};
}

TEST_CASE("limits are as configured, and the default for what stays free is told apart") {
  Settings settings;
  settings.cache = {.directory = "/srv/x", .max_size = 5, .keep_free = 7, .strict = false};
  auto options = cache_options(settings);
  CHECK(options.directory == "/srv/x");
  CHECK_FALSE(options.sync);
  CHECK(options.limits.max_size == 5);
  CHECK(options.limits.keep_free == 7);
  CHECK_FALSE(options.keep_free_is_default);
  CHECK_FALSE(options.excluded);
  CHECK_FALSE(options.is_pinned);
  settings.cache.keep_free = keep_free_default;
  CHECK(cache_options(settings).keep_free_is_default);
}

TEST_CASE("what is not allowed is excluded, unless it is no platform that can be read") {
  Settings settings;
  settings.policy.allow = {*Platform::parse("linux/arm64")};
  const auto options = cache_options(settings);
  CHECK(options.excluded("linux/s390x"));
  CHECK_FALSE(options.excluded("linux/arm64"));
  CHECK_FALSE(options.excluded(""));
}

TEST_CASE("patterns pin tags by their whole name") {
  Settings settings;
  settings.cache.pin = {"docker.io/library/alpine:3*", "docker.io/me/*"};
  const auto options = cache_options(settings);
  CHECK(options.is_pinned(image("library/alpine"), *Tag::parse("3.20")));
  CHECK_FALSE(options.is_pinned(image("library/alpine"), *Tag::parse("edge")));
  CHECK(options.is_pinned(image("me/app"), *Tag::parse("edge")));
  CHECK_FALSE(options.is_pinned(image("library/golang"), *Tag::parse("3.20")));
}

TEST_CASE("an index leads to its manifests, a manifest to its config and layers") {
  const auto options = cache_options({});
  const auto descriptor = [](const std::string& type, const std::string& digest) {
    return R"({"mediaType":")" + type + R"(","digest":")" + digest + R"(","size":3})";
  };
  const auto one = *Digest::parse(first);
  const auto other = *Digest::parse(second);
  const auto index = options.refers_to(
      {.media_type = index_type,
       .bytes = R"({"schemaVersion":2,"mediaType":")" + index_type + R"(","manifests":[)" +
                descriptor(manifest_type, first) + "," + descriptor(manifest_type, second) + "]}"});
  CHECK(index == std::vector{one, other});
  const auto manifest = options.refers_to(
      {.media_type = manifest_type,
       .bytes = R"({"schemaVersion":2,"mediaType":")" + manifest_type + R"(","config":)" +
                descriptor("application/vnd.oci.image.config.v1+json", second) + R"(,"layers":[)" +
                descriptor("application/vnd.oci.image.layer.v1.tar+gzip", first) + "]}"});
  CHECK(manifest == std::vector{other, one});
  CHECK(options.refers_to({.media_type = manifest_type, .bytes = "{"}).empty());
}

}  // namespace
}  // namespace archway::proxy
