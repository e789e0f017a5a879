#include "proxy/command/manifest_draft.hpp"

#include "tests/proxy/command/manifest_bench.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

Draft draft_of_three() {
  Draft draft{.target = image_of("localhost:5000/app:1")};
  draft.entries = {entry_of("localhost:5000/app:1-amd64", "linux/amd64"),
                   entry_of("localhost:5000/both:1", "linux/arm64"),
                   entry_of("localhost:5000/both:1", "linux/arm/v7")};
  return draft;
}

TEST_CASE("a draft is read as it was written, with what its indexes say of the entries") {
  auto draft = draft_of_three();
  draft.entries[1].platform = Platform{.os = "linux", .architecture = "arm64", .variant = "v8"};
  draft.entries[2].others =
      boost::json::parse(R"({"annotations":{"a":"b"},"artifactType":"t"})").get_object();
  const auto text = draft_text(draft);
  const auto read = read_draft(text);
  REQUIRE(read);
  CHECK(read->target.str() == "localhost:5000/app:1");
  REQUIRE(read->entries.size() == 3);
  CHECK(read->entries[0].digest == draft.entries[0].digest);
  CHECK(read->entries[1].platform->variant == "v8");
  CHECK(read->entries[2].source.str() == "localhost:5000/both:1");
  CHECK(read->entries[2].others == draft.entries[2].others);
  CHECK(draft_text(*read) == text);
}

TEST_CASE("a file that is no draft is refused with what is wrong in it") {
  const std::string digest = test::digest_of("x");
  const auto with_entry = [](const std::string& entry) {
    return R"({"target":"a:1","manifests":[)" + entry + "]}";
  };
  struct Row {
    const char* why;
    std::string text;
    const char* want;
  };
  const Row rows[] = {
      {"nothing", "", "it is not JSON"},
      {"another document", "[]", "it is no JSON object"},
      {"no target", R"({"manifests":[]})", "its target is no image"},
      {"no entries", R"({"target":"a:1"})", "it has no list of manifests"},
      {"an entry that is a text", with_entry("\"a\""), "an entry is no object"},
      {"no source", with_entry(R"({"digest":")" + digest + R"("})"), "a source is no image"},
      {"no digest", with_entry(R"({"source":"a:1"})"), "an entry has no valid digest"},
      {"no type", with_entry(R"({"source":"a:1","digest":")" + digest + R"("})"),
       "an entry has no mediaType"},
      {"a size that is none",
       with_entry(R"({"source":"a:1","mediaType":"t","size":-1,"digest":")" + digest + R"("})"),
       "an entry has no valid size"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto read = read_draft(row.text);
    REQUIRE_FALSE(read);
    CHECK(contains(read.error().message, "it is not a draft of `archway manifest create`"));
    CHECK(contains(read.error().message, row.want));
  }
}

TEST_CASE("a source that comes again takes the place of what it brought before") {
  auto draft = draft_of_three();
  amend(draft, {entry_of("localhost:5000/both:1", "linux/s390x"),
                entry_of("localhost:5000/new:1", "linux/386")});
  REQUIRE(draft.entries.size() == 3);
  CHECK(draft.entries[0].platform->str() == "linux/amd64");
  CHECK(draft.entries[1].platform->str() == "linux/s390x");
  CHECK(draft.entries[2].platform->str() == "linux/386");
  amend(draft, {entry_of("localhost:5000/last:1", "linux/riscv64")});
  REQUIRE(draft.entries.size() == 4);
  CHECK(draft.entries[3].platform->str() == "linux/riscv64");
  amend(draft, {entry_of("localhost:5000/app:1-amd64", "linux/amd64/v2")});
  REQUIRE(draft.entries.size() == 4);
  CHECK(draft.entries[0].platform->str() == "linux/amd64/v2");
}

TEST_CASE("what is stated replaces what the config said, and nothing else") {
  auto draft = draft_of_three();
  const auto source = image_of("localhost:5000/app:1-amd64");
  REQUIRE(annotate(draft, source, {.variant = "v3", .os_features = {"a", "b"}}));
  CHECK(draft.entries[0].platform->str() == "linux(+a+b)/amd64/v3");
  REQUIRE(annotate(draft, source, {.os = "windows", .os_version = "10.0.20348"}));
  CHECK(draft.entries[0].platform->str() == "windows(10.0.20348+a+b)/amd64/v3");
  CHECK(draft.entries[1].platform->str() == "linux/arm64");
}

TEST_CASE("an entry is named by its source, or by its digest where the source brought several") {
  auto draft = draft_of_three();
  const auto both = annotate(draft, image_of("localhost:5000/both:1"), {.variant = "v9"});
  REQUIRE_FALSE(both);
  CHECK(both.error().code == Errc::request_invalid);
  const auto second = "localhost:5000/both@" + draft.entries[2].digest.str();
  CHECK(contains(both.error().message, "brought 2 manifests"));
  CHECK(contains(both.error().message, second + "  linux/arm/v7"));
  REQUIRE(annotate(draft, image_of(second), {.variant = "v6"}));
  CHECK(draft.entries[2].platform->str() == "linux/arm/v6");

  const auto none = annotate(draft, image_of("localhost:5000/other:1"), {.variant = "v6"});
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Errc::manifest_unknown);
  CHECK(none.error().message ==
        "manifest for image localhost:5000/other:1 does not exist in localhost:5000/app:1; it has "
        "localhost:5000/app:1-amd64, localhost:5000/both:1");
}

TEST_CASE("what cannot be a part of a platform is refused") {
  for (const auto& bad : {Annotation{.os = "li nux"}, Annotation{.architecture = "linux/amd64"},
                          Annotation{.variant = "v\n8"}, Annotation{.os_version = "\"1\""},
                          Annotation{.os_features = {"a", std::string(200, 'x')}}}) {
    auto draft = draft_of_three();
    const auto done = annotate(draft, image_of("localhost:5000/app:1-amd64"), bad);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::platform_invalid);
    CHECK(draft.entries[0].platform->str() == "linux/amd64");
  }
}

TEST_CASE("platforms that are there twice are told, in whatever spelling") {
  Draft draft{.target = image_of("a:1")};
  draft.entries = {entry_of("a:1", "linux/arm64"), entry_of("b:1", "linux/amd64"),
                   entry_of("c:1", "unknown/unknown"), entry_of("d:1", "unknown/unknown"),
                   entry_of("e:1", "")};
  CHECK(doubled_platforms(draft).empty());
  draft.entries[1].platform = Platform{.os = "linux", .architecture = "aarch64", .variant = "v8"};
  CHECK(doubled_platforms(draft) == std::vector<std::string>{"linux/arm64"});
}

TEST_CASE("only an index may go without a platform") {
  CHECK(has_platform(entry_of("a:1", "linux/arm64")));
  CHECK(has_platform(entry_of("a:1", "", media_type::oci_index)));
  CHECK_FALSE(has_platform(entry_of("a:1", "")));
  auto half = entry_of("a:1", "linux/arm64");
  half.platform->architecture.clear();
  CHECK_FALSE(has_platform(half));
}

}  // namespace
}  // namespace archway::proxy
