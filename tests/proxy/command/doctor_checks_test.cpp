#include "proxy/command/doctor_checks.hpp"

#include "proxy/pull/explanation.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

namespace json = boost::json;
using Grade = Finding::Grade;

json::object object_of(const std::string& text) {
  return json::parse(text).as_object();
}

TEST_CASE("a date is read in the one form that is allowed") {
  struct Row {
    const char* date;
    std::optional<std::int64_t> want;
  };
  const Row rows[] = {{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
                      {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
                      {"Sunday, 06-Nov-94 08:49:37 GMT", std::nullopt},
                      {"Sun Nov  6 08:49:37 1994", std::nullopt},
                      {"Sun, 06 Nov 1994 08:49:37 CET", std::nullopt},
                      {"Sun, 06 Nov 1994 08:49:37 GMT+1", std::nullopt},
                      {"", std::nullopt}};
  for (const Row& row : rows) {
    CAPTURE(row.date);
    CHECK(unix_time(row.date) == row.want);
  }
}

TEST_CASE("a clock that is wrong is found") {
  const std::string date = "Sun, 22 Nov 2026 12:00:00 GMT";
  const auto now = *unix_time(date);
  struct Row {
    const char* why;
    std::string date;
    std::int64_t now;
    Grade want;
    const char* text;
  };
  const Row rows[] = {
      {"the same", date, now, Grade::ok, "says Sun, 22 Nov 2026 12:00:00 GMT"},
      {"nearly", date, now + 59, Grade::ok, "says"},
      {"behind", date, now + 600, Grade::warning, "GMT, 10 minutes behind this machine"},
      {"ahead", date, now - 7200 * 24, Grade::warning, "GMT, 2 days ahead of this machine"},
      {"never set", "Thu, 01 Jan 1970 00:00:10 GMT", now, Grade::failed, "before any archway"},
      {"both never set", "Thu, 01 Jan 1970 00:00:10 GMT", 10, Grade::failed, "before any archway"},
      {"not said", "", now, Grade::warning, "does not say what time it is"}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto finding = check_clock(row.date, row.now);
    CHECK(finding.grade == row.want);
    CHECK(finding.text.find(row.text) != std::string::npos);
  }
}

TEST_CASE("the process says its version, and whether it is about to end") {
  const auto alive = check_process(
      object_of(R"({"version":"0.1.0","uptime_seconds":90,"draining":false})"), "a:1");
  CHECK(alive.grade == Grade::ok);
  CHECK(alive.text == "archway 0.1.0 answers on a:1, up 90 s");
  const auto ending = check_process(
      object_of(R"({"version":"0.1.0","uptime_seconds":259200,"draining":true})"), "a:1");
  CHECK(ending.grade == Grade::warning);
  CHECK(ending.text == "archway 0.1.0 answers on a:1, up 3 days, and is about to end");
}

TEST_CASE("a cache without room, or with damage, is found") {
  struct Row {
    const char* why;
    const char* free;
    int quarantined;
    Grade want;
    const char* text;
  };
  const Row rows[] = {
      {"much", "5368709120", 0, Grade::ok, "/c holds 3.0 KiB in 2 blobs, 5.0 GiB are free"},
      {"less than wanted", "1024", 0, Grade::warning, "1.0 KiB are free"},
      {"nothing", "0", 0, Grade::failed, "0 B are free"},
      {"unknown", "null", 0, Grade::failed, "how much is free cannot be read"},
      {"damaged", "5368709120", 3, Grade::warning, "3 were found damaged and set aside"}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto finding = check_cache(
        object_of(R"({"cache":{"directory":"/c","blobs":2,"blob_bytes":3072,"quarantined":)" +
                  std::to_string(row.quarantined) +
                  R"(,"keep_free":2147483648,"disk_free_bytes":)" + row.free + "}}"));
    CHECK(finding.grade == row.want);
    CHECK(finding.text.find(row.text) != std::string::npos);
    CHECK(finding.advice.empty() == (row.want == Grade::ok));
  }
  CHECK(check_cache(object_of("{}")).grade == Grade::failed);
  const auto broken = check_cache(
      object_of(R"({"cache":{"disk_free_bytes":1,"keep_free":0,"out_of_service":true}})"));
  CHECK(broken.grade == Grade::failed);
  CHECK(broken.text.find("cannot be read") != std::string::npos);
}

TEST_CASE("every upstream has a finding") {
  struct Row {
    const char* why;
    const char* json;
    Grade want;
    const char* text;
  };
  const Row rows[] = {
      {"it answers", R"("has_credentials":false,"reachable":true,"why":"")", Grade::ok, "answers"},
      {"it knows us", R"("has_credentials":true,"reachable":true,"why":"")", Grade::ok,
       "answers and takes the credentials"},
      {"it does not", R"("has_credentials":true,"reachable":true,"why":"it refuses them")",
       Grade::failed, "it refuses them"},
      {"it is busy", R"("has_credentials":false,"reachable":true,"why":"it is busy")",
       Grade::warning, "it is busy"},
      {"it is gone", R"("has_credentials":false,"reachable":false,"why":"no such name")",
       Grade::failed, "no such name"},
      {"it is silent", R"("has_credentials":false,"reachable":false,"why":"")", Grade::failed,
       "does not answer"}};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto findings = check_upstreams(
        json::parse(R"([{"name":"a.lan","url":"https://a.lan/",)" + std::string(row.json) + "}]")
            .as_array());
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].subject == "upstream a.lan");
    CHECK(findings[0].grade == row.want);
    CHECK(findings[0].text == row.text);
    CHECK(findings[0].advice.empty() == (row.want != Grade::failed));
  }
  CHECK(check_upstreams({}).empty());
}

TEST_CASE("what a client gets is told, and graded by what was stated") {
  struct Row {
    const char* why;
    void (*change)(Explanation&);
    bool stated;
    Grade want;
    const char* text;
  };
  const Row rows[] = {
      {"its own child", [](Explanation&) {}, true, Grade::ok,
       "gets linux/arm64, sha256:cccccccccccc (exact)"},
      {"an index of its own",
       [](Explanation& why) {
         why.verdict = "filter";
         why.reason = "1 of 3 entries kept";
       },
       true, Grade::ok, "gets an index of what it runs, sha256:cccccccccccc (1 of 3 entries kept)"},
      {"nothing fits",
       [](Explanation& why) {
         why.verdict = "pass";
         why.reason = "no entry fits";
       },
       true, Grade::warning, "gets the whole index, sha256:cccccccccccc (no entry fits)"},
      {"nothing was stated",
       [](Explanation& why) {
         why.verdict = "pass";
         why.reason = "no platform is stated";
       },
       false, Grade::ok, "gets the whole index, sha256:cccccccccccc (no platform is stated)"},
      {"a single image",
       [](Explanation& why) {
         why.verdict = "pass";
         why.reason = "not an index";
         why.entries.clear();
       },
       true, Grade::ok, "gets the image, sha256:cccccccccccc (not an index)"},
      {"a single image for another machine",
       [](Explanation& why) {
         why.verdict = "pass";
         why.reason = "";
         why.entries.clear();
         why.warning = "it is for linux/amd64";
       },
       true, Grade::warning, "gets the image, sha256:cccccccccccc; it is for linux/amd64"},
      {"a refusal",
       [](Explanation& why) {
         why.status = 403;
         why.message = "there is none for it";
       },
       true, Grade::warning, "gets 403: there is none for it"},
      {"no such image",
       [](Explanation& why) {
         why.status = 404;
         why.message = "no such tag";
       },
       true, Grade::failed, "gets 404: no such tag"},
      {"an upstream that fails",
       [](Explanation& why) {
         why.status = 504;
         why.message = "it is silent";
       },
       true, Grade::failed, "gets 504: it is silent"},
  };
  const auto digest = *Digest::parse("sha256:" + std::string(64, 'c'));
  for (const Row& row : rows) {
    CAPTURE(row.why);
    Explanation why;
    why.status = 200;
    why.digest = digest.str();
    why.verdict = "child";
    why.reason = "exact";
    why.entries = {{"linux/arm64", digest, 1, "fits, 1st choice"}};
    row.change(why);
    const auto finding = check_answer("a client", object_of(explanation_json(why)), row.stated);
    CHECK(finding.subject == "a client");
    CHECK(finding.grade == row.want);
    CHECK(finding.text == row.text);
  }
}

}  // namespace
}  // namespace archway::proxy
