#pragma once

#include "cache/commit.hpp"
#include "proxy/admin/holdings.hpp"
#include "tests/integration/images.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace archway::test {

/// A cache with images in it as if they had been pulled.
struct HeldBench {
  TempDir dir;
  QuietLog log;
  std::unique_ptr<cache::Cache> cache = open();
  resolver::UpstreamNames names{.entries = {{.name = "docker.io", .adds_library = true}},
                                .default_name = "docker.io"};
  proxy::Holdings holdings{cache.get(), &names};

  std::unique_ptr<cache::Cache> open() {
    auto opened = cache::Cache::open({.directory = dir.path() / "cache", .sync = false}, &log);
    REQUIRE(opened);
    return *std::move(opened);
  }

  static Digest digest(const std::string& text) { return *Digest::parse(text); }
  static ImageName image(const std::string& repository) {
    return {.upstream = "docker.io", .repository = *Repository::parse(repository)};
  }

  void commit(cache::Changes changes) {
    REQUIRE(cache::commit_and_wait(cache->index(), std::move(changes)));
  }

  void bring(const std::string& bytes) {
    auto access = cache->open_or_join(digest(digest_of(bytes)), "docker.io/any");
    if (!access.writer) return;
    REQUIRE(access.writer->begin(bytes.size()));
    REQUIRE(
        access.writer->append({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}));
    REQUIRE(access.writer->finish());
  }

  /// The manifest with the grants of what it names.
  void keep(const std::string& repository, const Document& document,
            const std::vector<std::string>& parts) {
    cache::Changes changes;
    changes.manifests.emplace_back(
        digest(document.digest),
        cache::ManifestRecord{.media_type = document.media_type, .bytes = document.bytes});
    changes.grants.emplace_back(image(repository), digest(document.digest));
    for (const auto& part : parts) changes.grants.emplace_back(image(repository), digest(part));
    commit(std::move(changes));
  }
  void keep(const std::string& repository, const Image& one) {
    keep(repository, one.manifest, {digest_of(one.config), digest_of(one.layer)});
    bring(one.config);
    bring(one.layer);
  }
  void tag(const std::string& repository, const std::string& name, const std::string& of) {
    cache::Changes changes;
    changes.tags.push_back(
        {{image(repository), *Tag::parse(name)}, {.digest = digest(of), .checked_at = 1000}});
    commit(std::move(changes));
  }
  /// An image under a tag.
  void hold(const std::string& repository, const std::string& name, const Image& one) {
    keep(repository, one);
    tag(repository, name, one.manifest.digest);
  }

  bool has(const std::string& bytes) const {
    return cache->open_blob(digest(digest_of(bytes))).has_value();
  }
  bool has_manifest(const Document& document) const {
    return cache->index().find_manifest(digest(document.digest)).has_value();
  }
};

}  // namespace archway::test
