#include "proxy/command/manifest_draft_store.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <map>
#include <string>

namespace archway::proxy {
namespace {

Environment environment_with(std::map<std::string, std::string> variables) {
  return {.variable = [variables = std::move(variables)](
                          const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  }};
}

TEST_CASE("drafts are kept where the desktop's rules say") {
  struct Row {
    const char* why;
    std::map<std::string, std::string> variables;
    const char* want;  ///< "" : refused
  };
  const Row rows[] = {
      {"below home", {{"HOME", "/home/me"}}, "/home/me/.local/share/archway/manifests/"},
      {"where XDG_DATA_HOME leads",
       {{"HOME", "/home/me"}, {"XDG_DATA_HOME", "/data"}},
       "/data/archway/manifests/"},
      {"a relative one is ignored",
       {{"HOME", "/home/me"}, {"XDG_DATA_HOME", "data"}},
       "/home/me/.local/share/archway/manifests/"},
      {"no home", {}, ""},
      {"an empty home", {{"HOME", ""}}, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto store = DraftStore::of_user(environment_with(row.variables));
    CHECK(store.has_value() == (*row.want != '\0'));
    if (!store) {
      CHECK(store.error().code == Errc::configuration_invalid);
      continue;
    }
    CHECK(store->file_of(image_of("localhost:5000/team/app:1")).string() ==
          std::string(row.want) + "localhost:5000+team+app:1.json");
  }
}

TEST_CASE("a draft is found again until it is removed") {
  const test::TempDir folder;
  const DraftStore store(folder.path() / "not/yet/there");
  const auto target = image_of("localhost:5000/app:1");
  const auto nothing = store.find(target);
  REQUIRE(nothing);
  CHECK_FALSE(nothing->has_value());

  Draft draft{.target = target, .entries = {entry_of("localhost:5000/a:1", "linux/amd64")}};
  REQUIRE(store.save(draft));
  draft.entries.push_back(entry_of("localhost:5000/b:1", "linux/arm64"));
  REQUIRE(store.save(draft));
  const auto found = store.get(target);
  REQUIRE(found);
  CHECK(draft_text(*found) == draft_text(draft));
  // Nothing half-written is left beside it.
  const auto files = std::filesystem::directory_iterator(folder.path() / "not/yet/there");
  CHECK(std::distance(begin(files), end(files)) == 1);

  REQUIRE(store.remove(target));
  for (const auto& error : {store.remove(target).error(), store.get(target).error()}) {
    CHECK(error.code == Errc::manifest_unknown);
    CHECK(contains(error.message, "no such draft: localhost:5000/app:1; `archway manifest create"));
  }
}

TEST_CASE("a damaged draft is named by its path") {
  const test::TempDir folder;
  const DraftStore store(folder.path());
  const auto path = folder.write("localhost:5000+app:1.json", "{");
  const auto found = store.find(image_of("localhost:5000/app:1"));
  REQUIRE_FALSE(found);
  CHECK(found.error().message.starts_with(path.string() + ": it is not a draft"));
}

TEST_CASE("a folder that cannot be written to is named") {
  const test::TempDir folder;
  const auto file = folder.write("file", "");
  const DraftStore store(file / "below");
  const auto saved = store.save({.target = image_of("a:1")});
  REQUIRE_FALSE(saved);
  CHECK(saved.error().code == Errc::storage_failed);
  CHECK(contains(saved.error().message, "cannot make the folder " + (file / "below").string()));
}

TEST_CASE("a target has a tag") {
  const auto plain = parse_target("app");
  REQUIRE(plain);
  CHECK(plain->str() == "docker.io/library/app:latest");
  const auto digest = parse_target("app@" + test::digest_of("x"));
  REQUIRE_FALSE(digest);
  CHECK(contains(digest.error().message, "give it a tag"));
  CHECK_FALSE(parse_target("App"));
}

}  // namespace
}  // namespace archway::proxy
