#include "proxy/config/section.hpp"
#include "tests/proxy/config/reading.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("a value of the wrong kind is reported with what is allowed") {
  const BadRow rows[] = {
      {"a list for a text", "cache: {directory: [a]}\n",
       "1:20: cache.directory: found a list; allowed: a path"},
      {"a mapping for a text", "cache: {directory: {a: b}}\n",
       "1:20: cache.directory: found a mapping; allowed: a path"},
      {"nothing for a text", "cache:\n  directory:\n",
       "2:3: cache.directory: found nothing; allowed: a path"},
      {"null for a text", "cache: {directory: ~}\n",
       "1:9: cache.directory: found nothing; allowed: a path"},
      {"an empty text", "cache: {directory: \"\"}\n",
       "1:20: cache.directory: found \"\"; allowed: a path"},
      {"a tilde is no home", "cache: {directory: ~/cache}\n",
       "1:20: cache.directory: found \"~/cache\"; allowed: a path; ~ is not your home here, write "
       "it out"},
      {"yes is no boolean", "upstreams:\n  - {name: a.lan, default: yes}\n",
       "2:28: upstreams[0].default: found \"yes\"; allowed: true or false"},
      {"no is no boolean", "upstreams:\n  - {name: a.lan, default: no}\n",
       "2:28: upstreams[0].default: found \"no\"; allowed: true or false"},
      {"True is no boolean", "upstreams:\n  - {name: a.lan, default: True}\n",
       "2:28: upstreams[0].default: found \"True\"; allowed: true or false; did you mean true?"},
      {"1 is no boolean", "upstreams:\n  - {name: a.lan, default: 1}\n",
       "2:28: upstreams[0].default: found \"1\"; allowed: true or false"},
      {"an octal look", "threads: 010\n",
       "1:10: threads: found \"010\"; allowed: a whole number from 0 to 256"},
      {"hexadecimal", "threads: 0x10\n",
       "1:10: threads: found \"0x10\"; allowed: a whole number from 0 to 256"},
      {"a sign", "threads: +4\n",
       "1:10: threads: found \"+4\"; allowed: a whole number from 0 to 256"},
      {"a negative number", "threads: -1\n",
       "1:10: threads: found \"-1\"; allowed: a whole number from 0 to 256"},
      {"a fraction", "threads: 1.5\n",
       "1:10: threads: found \"1.5\"; allowed: a whole number from 0 to 256"},
      {"a digit separator", "connections_max: 20_000\n",
       "1:18: connections_max: found \"20_000\"; allowed: a whole number from 1 to 1000000"},
      {"too large a number", "threads: 257\n",
       "1:10: threads: found \"257\"; allowed: a whole number from 0 to 256"},
      {"far too large a number", "threads: 99999999999999999999999\n",
       "1:10: threads: found \"99999999999999999999999\"; allowed: a whole number from 0 to 256"},
      {"too small a number", "connections_max: 0\n",
       "1:18: connections_max: found \"0\"; allowed: a whole number from 1 to 1000000"},
      {"a word for a number", "threads: auto\n",
       "1:10: threads: found \"auto\"; allowed: a whole number from 0 to 256"},
      {"a size without a unit", "cache: {max_size: 50}\n",
       "1:19: cache.max_size: found \"50\"; allowed: a whole number and one of B, KiB, MiB, GiB, "
       "TiB, such as 50GiB; did you mean 50GiB?"},
      {"a decimal unit", "cache: {max_size: 50GB}\n",
       "1:19: cache.max_size: found \"50GB\"; allowed: a whole number and one of B, KiB, MiB, GiB, "
       "TiB, such as 50GiB; did you mean 50GiB?"},
      {"a short unit", "cache: {max_size: 50g}\n",
       "1:19: cache.max_size: found \"50g\"; allowed: a whole number and one of B, KiB, MiB, GiB, "
       "TiB, such as 50GiB; did you mean 50GiB?"},
      {"a fraction of a size", "cache: {max_size: 1.5GiB}\n",
       "1:19: cache.max_size: found \"1.5GiB\"; allowed: a whole number and one of B, KiB, MiB, "
       "GiB, TiB, such as 50GiB"},
      {"a negative size", "cache: {keep_free: -1GiB}\n",
       "1:20: cache.keep_free: found \"-1GiB\"; allowed: a whole number and one of B, KiB, MiB, "
       "GiB, TiB, such as 50GiB"},
      {"a size past 64 bits", "cache: {keep_free: 99999999TiB}\n",
       "1:20: cache.keep_free: found \"99999999TiB\"; allowed: a whole number and one of B, KiB, "
       "MiB, GiB, TiB, such as 50GiB"},
      {"a size past every disk", "cache: {keep_free: 2000000TiB}\n",
       "1:20: cache.keep_free: found \"2000000TiB\"; allowed: 0 to 1048576TiB"},
      {"a time for a size", "cache: {keep_free: 5m}\n",
       "1:20: cache.keep_free: found \"5m\"; allowed: a whole number and one of B, KiB, MiB, GiB, "
       "TiB, such as 50GiB; did you mean 5MiB?"},
      {"a time without a unit", "drain: 25\n",
       "1:8: drain: found \"25\"; allowed: a whole number and one of ms, s, m, h, d, such as 25s; "
       "did you mean 25s?"},
      {"a long unit", "drain: 25 seconds\n",
       "1:8: drain: found \"25 seconds\"; allowed: a whole number and one of ms, s, m, h, d, such "
       "as 25s; did you mean 25s?"},
      {"months", "drain: 25M\n",
       "1:8: drain: found \"25M\"; allowed: a whole number and one of ms, s, m, h, d, such as 25s; "
       "did you mean 25m?"},
      {"a size for a time", "drain: 25MiB\n",
       "1:8: drain: found \"25MiB\"; allowed: a whole number and one of ms, s, m, h, d, such as "
       "25s"},
      {"a time that is too long", "drain: 2h\n", "1:8: drain: found \"2h\"; allowed: 0 to 1h"},
      {"a fraction of a second", "drain: 1500ms\n",
       "1:8: drain: found \"1500ms\"; allowed: whole seconds"},
      {"two times", "drain: 1m30s\n",
       "1:8: drain: found \"1m30s\"; allowed: a whole number and one of ms, s, m, h, d, such as "
       "25s"},
      {"a word that is nearly right", "log: {level: wran}\n",
       "1:14: log.level: found \"wran\"; allowed: debug, info, warn or error; did you mean warn?"},
      {"a word that is far off", "log: {level: everything}\n",
       "1:14: log.level: found \"everything\"; allowed: debug, info, warn or error"},
      {"a long text is cut",
       "log: {level: "
       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}\n",
       "1:14: log.level: found "
       "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\"; allowed: debug, info, "
       "warn or error"},
      {"a text of two lines", "log: {level: \"a\\nb\\\"\"}\n",
       "1:14: log.level: found \"a\\nb\\\"\"; allowed: debug, info, warn or error"},
      {"a scalar for a list", "listen: 0.0.0.0:5000\n",
       "1:9: listen: found \"0.0.0.0:5000\"; allowed: a list such as [{address: 0.0.0.0:5000}]"},
      {"nothing for a list", "listen:\n",
       "1:1: listen: found nothing; allowed: a list such as [{address: 0.0.0.0:5000}]"},
      {"too many entries",
       "platforms: {clients: [{from: 10.0.0.1, platform: amd64, emulates: "
       "[arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,"
       "arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,arm64,"
       "arm64,arm64,arm64]}]}\n",
       "1:67: platforms.clients[0].emulates: found 33 entries; allowed: at most 32"},
  };
  check_refused(rows);
}

TEST_CASE("values are read as they are written") {
  struct Row {
    const char* why;
    const char* text;
    std::uint64_t want;
  };
  const Row rows[] = {
      {"bytes", "cache: {keep_free: 1B}", 1},
      {"KiB", "cache: {keep_free: 3KiB}", 3ULL << 10},
      {"MiB, with a blank", "cache: {keep_free: 3 MiB}", 3ULL << 20},
      {"GiB, quoted", "cache: {keep_free: \"3GiB\"}", 3ULL << 30},
      {"TiB", "cache: {keep_free: 3TiB}", 3ULL << 40},
      {"zero needs no unit", "cache: {keep_free: 0}", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(settings_of(row.text).cache.keep_free == row.want);
  }
  CHECK(settings_of("threads: 256").threads == 256);
  CHECK(settings_of("threads: \"8\"").threads == 8);
}

TEST_CASE("a relative path begins in the folder of the file") {
  const auto environment = environment_of_test();
  const auto outcome =
      read_settings_text("cache: {directory: ../cache}", "/etc/archway/a.yaml", environment);
  REQUIRE(outcome.settings.has_value());
  CHECK(outcome.settings->cache.directory == "/etc/cache");
}

TEST_CASE("a text in a message is quoted, bounded and never cut within a character") {
  CHECK(quoted_for_message("a\"b\\c\n\t") == R"("a\"b\\c\n\t")");
  std::string text(59, 'x');
  text += "\xe2\x82\xac";
  CHECK(quoted_for_message(text + "yy") == "\"" + std::string(59, 'x') + "...\"");
  CHECK(quoted_for_message(std::string(60, 'x')) == "\"" + std::string(60, 'x') + "\"");
}

}  // namespace
}  // namespace archway::proxy
