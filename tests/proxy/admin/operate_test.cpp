#include "proxy/admin/operate.hpp"

#include "tests/proxy/admin/bench.hpp"

#include <doctest/doctest.h>
#include <string>
#include <thread>

namespace archway::proxy {
namespace {

using test::AdminBench;

const std::vector<std::pair<std::string, std::string>> local{{"Host", "127.0.0.1:5001"}};

AdminBench::Answer put(AdminBench& bench, const std::string& target) {
  return bench.ask(target, Method::put, local);
}
AdminBench::Answer remove(AdminBench& bench, const std::string& target) {
  return bench.ask(target, Method::del, local);
}

void hold_a_tag(AdminBench& bench) {
  const auto digest = *Digest::parse("sha256:" + std::string(64, 'a'));
  cache::Changes changes;
  changes.tags.push_back(
      {{{.upstream = "docker.io", .repository = *Repository::parse("library/app")},
        *Tag::parse("1")},
       {.digest = digest, .checked_at = 7}});
  bench.commit(std::move(changes));
}

boost::json::value work_of(AdminBench& bench) {
  for (;;) {
    auto state = bench.ask("/api/v1/work").json();
    if (state.at("running") == false) return state;
    std::this_thread::yield();
  }
}

TEST_CASE("holdings are listed, pinned, unpinned and removed") {
  AdminBench bench;
  hold_a_tag(bench);
  auto list = bench.ask("/api/v1/holdings?pattern=app").json();
  REQUIRE(list.as_array().size() == 1);
  CHECK(list.at(0).at("name") == "docker.io/library/app:1");
  CHECK(bench.ask("/api/v1/holdings?pinned").json().as_array().empty());
  CHECK(put(bench, "/api/v1/pins/app:1").status == 200);
  CHECK(bench.ask("/api/v1/holdings?pinned").json().as_array().size() == 1);
  const auto refused = remove(bench, "/api/v1/holdings/app:1");
  CHECK(refused.status == 409);
  CHECK(refused.error().find("unpin") != std::string::npos);
  CHECK(remove(bench, "/api/v1/pins/app%3A1").status == 200);
  CHECK(remove(bench, "/api/v1/holdings/app:1?dry_run").json().at("dry_run") == true);
  CHECK(remove(bench, "/api/v1/holdings/app:1").json().at("tags").as_array().size() == 1);
  CHECK(remove(bench, "/api/v1/holdings/app:1").status == 404);
  CHECK(remove(bench, "/api/v1/holdings/UPPER").status == 400);
  CHECK(bench.ask("/api/v1/holdings?pinned=7").status == 400);
}

TEST_CASE("verify and gc are begun, and asked after") {
  AdminBench bench;
  const auto begun = put(bench, "/api/v1/verify");
  CHECK(begun.status == 202);
  CHECK(begun.json().at("name") == "verify");
  const auto verified = work_of(bench);
  CHECK(verified.at("number") == 1);
  CHECK(verified.at("result").at("right") == true);
  CHECK(put(bench, "/api/v1/gc").status == 202);
  CHECK(work_of(bench).at("result").at("blobs") == 0);
  CHECK(remove(bench, "/api/v1/work").status == 200);
}

TEST_CASE("an import says what is wrong with its folder") {
  AdminBench bench;
  CHECK(put(bench, "/api/v1/import").status == 400);
  CHECK(put(bench, "/api/v1/import?directory=here").status == 400);
  CHECK(put(bench, "/api/v1/import?directory=/nowhere").status == 202);
  const auto state = work_of(bench);
  CHECK(state.at("result").is_null());
  CHECK(std::string(state.at("error").as_string()).find("/nowhere") != std::string::npos);
}

TEST_CASE("no web page operates a gateway") {
  AdminBench bench;
  for (const auto* target :
       {"/api/v1/pins/app:1", "/api/v1/verify", "/api/v1/gc", "/api/v1/import?directory=/srv"}) {
    CAPTURE(target);
    CHECK(bench.ask(target, Method::put, {{"Host", "evil.test"}}).status == 403);
  }
  CHECK(bench.ask("/api/v1/holdings/app:1", Method::del, {{"Host", "evil.test"}}).status == 403);
  CHECK(bench.ask("/api/v1/verify").status == 405);
}

}  // namespace
}  // namespace archway::proxy
