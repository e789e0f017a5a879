#include "proxy/pull/asked.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

ImageName image(const std::string& repository) {
  return {.upstream = "docker.io", .repository = *Repository::parse(repository)};
}

const std::string digest = "sha256:" + std::string(64, '1');

Asked rewritten() {
  Asked asked{.request = std::make_shared<const Request>(),
              .route = {},
              .named = image("arm64v8/app"),
              .image = image("library/app"),
              .client = {},
              .account = std::make_shared<Account>()};
  asked.route.reference = Reference(*Tag::parse("1-arm64"));
  asked.tag = *Tag::parse("1");
  asked.rewritten_by = "rule 1: x";
  return asked;
}

TEST_CASE("names are written as people write them") {
  auto asked = rewritten();
  CHECK(name_asked(asked) == "docker.io/arm64v8/app:1-arm64");
  CHECK(name_looked_for(asked) == "docker.io/library/app:1");
  asked.route.reference = Reference(*Digest::parse(digest));
  asked.tag.reset();
  CHECK(name_asked(asked) == "docker.io/arm64v8/app@" + digest);
  CHECK(name_looked_for(asked) == "docker.io/library/app@" + digest);
  asked.route.reference.reset();
  CHECK(name_asked(asked) == "docker.io/arm64v8/app");
  CHECK(name_looked_for(asked) == "docker.io/library/app");
}

TEST_CASE("an error about another name says what was asked for") {
  auto asked = rewritten();
  for (const auto code :
       {Errc::denied, Errc::manifest_unknown, Errc::name_unknown, Errc::blob_unknown}) {
    CAPTURE(name(code));
    const auto error = as_asked({.code = code, .message = "No."}, asked);
    CHECK(error.message ==
          "No. (asked for as docker.io/arm64v8/app:1-arm64, which is rewritten by rule 1: x)");
  }
  CHECK(as_asked({.code = Errc::upstream_failed, .message = "No."}, asked).message == "No.");
  asked.rewritten_by.clear();
  CHECK(as_asked({.code = Errc::denied, .message = "No."}, asked).message == "No.");
}

TEST_CASE("a warning is one quoted text, whatever is in it") {
  for (const auto& [text, want] : std::vector<std::pair<std::string, std::string>>{
           {"plain", "299 archway \"plain\""},
           {"a \"quote\" and \\", "299 archway \"a \\\"quote\\\" and \\\\\""},
           {"two\r\nlines \xc3\xa9", "299 archway \"two??lines ??\""}}) {
    Response response;
    add_warning(response, text);
    CHECK(response.fields.find("Warning") == want);
  }
}

}  // namespace
}  // namespace archway::proxy
