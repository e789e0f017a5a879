#include "proxy/upstream/status.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

AnswerHead head_with(unsigned status, std::string_view retry_after = "") {
  AnswerHead head;
  head.status = status;
  if (!retry_after.empty()) head.fields.add("Retry-After", retry_after);
  return head;
}

TEST_CASE("every status means an error that a person can act on") {
  const std::string name_unknown =
      R"({"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]})";
  const std::string denied =
      R"({"errors":[{"code":"DENIED","message":"requires a subscription"}]})";
  struct Row {
    const char* why;
    unsigned status;
    Wanted wanted;
    std::string body;
    Errc code;
    const char* message;
    bool retryable;
  };
  const Row rows[] = {
      {"no manifest", 404, Wanted::manifest, "", Errc::manifest_unknown,
       "docker.io says there is no such image", false},
      {"no repository", 404, Wanted::manifest, name_unknown, Errc::name_unknown,
       "docker.io says there is no such repository (\"repository name not known to registry\")",
       false},
      {"no blob", 404, Wanted::blob, "", Errc::blob_unknown,
       "docker.io says there is no such blob in this repository", false},
      {"no tags", 404, Wanted::tags, "", Errc::name_unknown,
       "docker.io says there is no such repository", false},
      {"no referrers", 404, Wanted::referrers, "", Errc::manifest_unknown,
       "docker.io knows no referrers of this image", false},
      {"gone", 410, Wanted::manifest, "", Errc::manifest_unknown,
       "docker.io says there is no such image", false},
      {"unauthorised", 401, Wanted::manifest, "", Errc::denied,
       "docker.io does not give this image to archway", false},
      {"forbidden", 403, Wanted::manifest, denied, Errc::denied,
       "docker.io does not give this image to archway (\"requires a subscription\")", false},
      {"too many", 429, Wanted::manifest, "", Errc::upstream_busy,
       "docker.io has had too many requests from here", true},
      {"unavailable", 503, Wanted::blob, "", Errc::upstream_busy, "docker.io is busy", true},
      {"broken", 500, Wanted::blob, "", Errc::upstream_failed, "docker.io answered with status 500",
       true},
      {"gateway", 502, Wanted::blob, "<html>", Errc::upstream_failed,
       "docker.io answered with status 502", true},
      {"teapot", 418, Wanted::blob, "", Errc::upstream_failed, "docker.io answered with status 418",
       false},
      {"no content", 204, Wanted::blob, "", Errc::upstream_failed,
       "docker.io answered with status 204", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto error = error_of_answer(head_with(row.status), row.body, "docker.io", row.wanted);
    CHECK(error.code == row.code);
    CHECK(error.message == row.message);
    CHECK(error.retryable == row.retryable);
    CHECK(error.origin == Origin::upstream);
  }
}

TEST_CASE("an upstream's own words are quoted only when they are words") {
  const std::string plain = "docker.io does not give this image to archway";
  struct Row {
    const char* why;
    std::string body;
    std::string message;
  };
  const Row rows[] = {
      {"no JSON", "forbidden", plain},
      {"half a JSON", R"({"errors":[{"message":"no)", plain},
      {"no errors", R"({"message":"no"})", plain},
      {"errors of another kind", R"({"errors":"no"})", plain},
      {"no entries", R"({"errors":[]})", plain},
      {"entries of another kind", R"({"errors":["no"]})", plain},
      {"a message of another kind", R"({"errors":[{"message":5}]})", plain},
      {"an array", R"([{"message":"no"}])", plain},
      {"deep", "{\"errors\":" + std::string(5000, '['), plain},
      {"control bytes", R"({"errors":[{"message":"a\u001b[31m\nb\u0000c"}]})",
       plain + " (\"a?[31m?b?c\")"},
      {"other letters", R"({"errors":[{"message":"\u00e4"}]})", plain + " (\"??\")"},
      {"endless", R"({"errors":[{"message":")" + std::string(5000, 'x') + "\"}]}",
       plain + " (\"" + std::string(quoted_bytes_max, 'x') + "\")"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(error_of_answer(head_with(403), row.body, "docker.io", Wanted::manifest).message ==
          row.message);
  }
}

TEST_CASE("Retry-After is passed on in seconds, within an hour") {
  struct Row {
    const char* why;
    const char* name;
    const char* text;
    std::uint32_t seconds;
  };
  const Row rows[] = {
      {"seconds", "Retry-After", "30", 30},
      {"zero", "Retry-After", "0", 0},
      {"an hour", "Retry-After", "3600", 3600},
      {"a week", "Retry-After", "604800", 3600},
      {"2^64", "Retry-After", "18446744073709551616", 3600},
      {"negative", "Retry-After", "-5", 0},
      {"a fraction", "Retry-After", "1.5", 0},
      {"a date", "Retry-After", "Wed, 21 Oct 2026 07:28:30 GMT", 30},
      {"a date ten years away", "Retry-After", "Wed, 21 Oct 2036 07:28:00 GMT", 3600},
      {"a date that is over", "Retry-After", "Wed, 21 Oct 2020 07:28:00 GMT", 0},
      {"no date", "Retry-After", "in a while", 0},
      {"a Unix time", "X-Retry-After", "1792567730", 50},
      {"a Unix time that is over", "X-Retry-After", "1", 0},
      {"a Unix time of another age", "X-Retry-After", "99999999999999999999", 3600},
      {"a negative Unix time", "X-Retry-After", "-1", 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Fields fields;
    fields.add(row.name, row.text);
    fields.add("Date", "Wed, 21 Oct 2026 07:28:00 GMT");
    CHECK(retry_after_s(fields) == row.seconds);
  }
  CHECK(error_of_answer(head_with(429, "30"), "", "docker.io", Wanted::manifest).message ==
        "docker.io has had too many requests from here; it asks to come back in 30 s");
}

TEST_CASE("a 429 without a time is one for later all the same") {
  struct Row {
    const char* why;
    unsigned status;
    const char* text;
    std::uint32_t seconds;
  };
  const Row rows[] = {{"too many, no time", 429, "", retry_after_s_default},
                      {"too many, a negative time", 429, "-1", retry_after_s_default},
                      {"unavailable, no time", 503, "", 0},
                      {"unavailable, a time", 503, "7", 7}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto error = error_of_answer(head_with(row.status, row.text), "", "a", Wanted::blob);
    CHECK(error.retry_after_s == row.seconds);
    CHECK((error.message.find("come back") != std::string::npos) == (*row.text == '7'));
  }
}

TEST_CASE("a refusal to take something says what it was and means what the registry says") {
  const auto said = [](const std::string& code) {
    return R"({"errors":[{"code":")" + code + R"(","message":"its words"}]})";
  };
  const std::string refused = "a.registry did not take the manifest app:1: status ";
  const std::string words = " (\"its words\")";
  struct Row {
    const char* why;
    unsigned status;
    std::string body;
    Errc code;
    std::string message;
    bool retryable;
  };
  const Row rows[] = {
      {"unauthorised", 401, "", Errc::denied,
       "a.registry does not let archway write the manifest app:1", false},
      {"denied", 403, said("DENIED"), Errc::denied,
       "a.registry does not let archway write the manifest app:1" + words, false},
      {"no manifest", 400, said("MANIFEST_INVALID"), Errc::manifest_invalid,
       refused + "400" + words, false},
      {"a blob is missing", 400, said("MANIFEST_BLOB_UNKNOWN"), Errc::blob_unknown,
       refused + "400" + words, false},
      {"another digest", 400, said("DIGEST_INVALID"), Errc::digest_invalid, refused + "400" + words,
       false},
      {"no such repository", 404, said("NAME_UNKNOWN"), Errc::name_unknown, refused + "404" + words,
       false},
      {"nothing there", 404, "<html>", Errc::name_unknown, refused + "404", false},
      {"read only", 405, said("UNSUPPORTED"), Errc::unsupported, refused + "405" + words, false},
      {"a method unknown", 405, "", Errc::unsupported, refused + "405", false},
      {"too large", 413, "", Errc::upstream_failed, refused + "413", false},
      {"too many", 429, "", Errc::upstream_busy,
       "a.registry has had too many requests from here; it did not take the manifest app:1", true},
      {"broken", 500, "", Errc::upstream_failed, refused + "500", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto error =
        error_of_refused_write(head_with(row.status), row.body, "a.registry", "the manifest app:1");
    CHECK(error.code == row.code);
    CHECK(error.message == row.message);
    CHECK(error.retryable == row.retryable);
    CHECK(error.context == "status " + std::to_string(row.status));
  }
}

TEST_CASE("an error gets the upstream's name when it does not have it") {
  const Error error{.code = Errc::upstream_failed, .message = "it broke"};
  CHECK(naming(error, "a.registry").message == "a.registry: it broke");
  CHECK(naming(naming(error, "a.registry"), "a.registry").message == "a.registry: it broke");
}

TEST_CASE("a token service's refusal says whether credentials were shown") {
  const auto with = error_of_token_service(head_with(401), "docker.io", "auth.docker.io", true);
  CHECK(with.code == Errc::denied);
  CHECK(with.message ==
        "the token service of docker.io refuses the credentials that archway has for it");
  CHECK(with.context == "token service auth.docker.io: status 401");
  const auto without = error_of_token_service(head_with(403), "docker.io", "auth.docker.io", false);
  CHECK(without.code == Errc::denied);
  CHECK(without.message ==
        "the token service of docker.io does not let archway in without credentials");
  CHECK(error_of_token_service(head_with(429), "a", "b", false).code == Errc::upstream_busy);
  CHECK(error_of_token_service(head_with(500), "a", "b", false).code == Errc::upstream_failed);
  CHECK(error_of_token_service(head_with(302), "a", "b", false).code == Errc::upstream_failed);
}

}  // namespace
}  // namespace archway::proxy
