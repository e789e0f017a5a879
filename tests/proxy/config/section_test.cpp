#include "proxy/config/section.hpp"

#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("what a section cannot have is reported where it stands") {
  const BadRow rows[] = {
      {"an unknown key, near a known one", "listn: []\n",
       "1:1: found the unknown key \"listn\" at the top; did you mean listen?"},
      {"an unknown key in a section", "cache:\n  max_siz: 1GiB\n",
       "2:3: found the unknown key \"max_siz\" in cache; did you mean max_size?"},
      {"an unknown key of a list's entry",
       "listen:\n  - adress: 0.0.0.0:5000\n    address: 0.0.0.0:5000\n",
       "2:5: found the unknown key \"adress\" in listen[0]; did you mean address?"},
      {"a dash for an underscore", "cache:\n  max-size: 1GiB\n",
       "2:3: found the unknown key \"max-size\" in cache; did you mean max_size?"},
      {"capitals", "Cache: {}\n",
       "1:1: found the unknown key \"Cache\" at the top; did you mean cache?"},
      {"a key that belongs elsewhere", "fresh_for: 5m\n",
       "1:1: found the unknown key \"fresh_for\" at the top; did you mean tags.fresh_for?"},
      {"a key of the top in a section", "cache:\n  drain: 5s\n",
       "2:3: found the unknown key \"drain\" in cache; did you mean drain at the top?"},
      {"a key like nothing", "log:\n  verbosity_of_everything: 3\n",
       "2:3: found the unknown key \"verbosity_of_everything\" in log; allowed: level or format"},
      {"a merge key", "cache:\n  <<: {max_size: 1GiB}\n",
       "2:3: found the unknown key \"<<\" in cache; merge keys are not supported; write the values "
       "out"},
      {"a key that is a list", "? [a]\n: 1\n",
       "1:3: found a key that is no word at the top; allowed: listen, admin, drain, threads, "
       "connections_max, offline, cache, upstreams, access, tags, platforms, rewrite, images, "
       "prefetch, "
       "timeouts or "
       "log"},
      {"a key that is null", "~: 1\n",
       "1:1: found a key that is no word at the top; allowed: listen, admin, drain, threads, "
       "connections_max, offline, cache, upstreams, access, tags, platforms, rewrite, images, "
       "prefetch, "
       "timeouts or "
       "log"},
      {"an empty key", "\"\": 1\n",
       "1:1: found a key that is no word at the top; allowed: listen, admin, drain, threads, "
       "connections_max, offline, cache, upstreams, access, tags, platforms, rewrite, images, "
       "prefetch, "
       "timeouts or "
       "log"},
      {"the same key twice", "drain: 5s\nadmin: none\ndrain: 6s\n",
       "3:1: drain is given twice; the first is on line 1"},
      {"three times", "cache:\n  keep_free: 0\n  keep_free: 0\n  keep_free: 0\n",
       "3:3: cache.keep_free is given twice; the first is on line 2\n4:3: cache.keep_free is given "
       "twice; the first is on line 2"},
      {"a section twice", "log: {level: info}\nlog: {level: warn}\n",
       "2:1: log is given twice; the first is on line 1"},
      {"a scalar for a section", "cache: /var/cache\n",
       "1:8: cache: found \"/var/cache\"; allowed: a mapping of directory, max_size, keep_free, "
       "durability, pin or scrub"},
      {"a list for a section", "log: [info]\n",
       "1:6: log: found a list; allowed: a mapping of level or format"},
      {"a scalar for the file", "hello\n",
       "1:1: found \"hello\"; allowed: a mapping of listen, admin, drain, threads, "
       "connections_max, offline, cache, upstreams, access, tags, platforms, rewrite, images, "
       "prefetch, "
       "timeouts or "
       "log"},
      {"a list for the file", "- listen\n",
       "1:1: found a list; allowed: a mapping of listen, admin, drain, threads, connections_max, "
       "offline, "
       "cache, upstreams, access, tags, platforms, rewrite, images, prefetch, timeouts or log"},
      {"several problems, in the order of the file",
       "drain: soon\ncache:\n  durability: lax\n  max_size: 1GB\nadmin: nowhere\nbogus_key_here: "
       "1\n",
       "1:8: drain: found \"soon\"; allowed: a whole number and one of ms, s, m, h, d, such as "
       "25s\n3:15: cache.durability: found \"lax\"; allowed: strict or relaxed\n4:13: "
       "cache.max_size: found \"1GB\"; allowed: a whole number and one of B, KiB, MiB, GiB, TiB, "
       "such as 50GiB; did you mean 1GiB?\n5:8: admin: found \"nowhere\"; allowed: 127.0.0.1:5001, "
       "[::1]:5001, unix:/path or none; the port is missing\n6:1: found the unknown key "
       "\"bogus_key_here\" at the top; allowed: listen, admin, drain, threads, connections_max, "
       "offline, "
       "cache, upstreams, access, tags, platforms, rewrite, images, prefetch, timeouts or log"},
  };
  check_refused(rows);
}

TEST_CASE("a section that is named and left empty keeps its defaults") {
  const Settings settings = settings_of("cache:\nlog: {}\ntimeouts: ~\n");
  CHECK(settings.cache.keep_free == 2ULL << 30);
  CHECK(settings.log_level == metrics::Level::info);
}

TEST_CASE("problems without end are counted, not listed") {
  std::string text;
  for (int i = 0; i < 250; ++i) text += "bogus_" + std::to_string(i) + "_key: 1\n";
  const ReadOutcome outcome = outcome_of(text);
  REQUIRE(outcome.problems.size() == Reading::problems_max + 1);
  CHECK(outcome.problems.back().str() == "archway.yaml: 50 more problems are not shown");
}

}  // namespace
}  // namespace archway::proxy
