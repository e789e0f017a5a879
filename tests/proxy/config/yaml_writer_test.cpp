#include "proxy/config/yaml_writer.hpp"

#include "proxy/config/yaml_tree.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("a scalar is quoted where a reader could take it for something else") {
  struct Row {
    const char* why;
    std::string text;
    std::string want;
  };
  const Row rows[] = {
      {"a word", "strict", "strict"},
      {"an address", "0.0.0.0:5000", "0.0.0.0:5000"},
      {"a URL", "https://registry.lan:5000", "https://registry.lan:5000"},
      {"a path", "/var/cache/archway", "/var/cache/archway"},
      {"nothing", "", "\"\""},
      {"null", "null", "\"null\""},
      {"a tilde", "~", "\"~\""},
      {"brackets", "[::]:5000", "\"[::]:5000\""},
      {"a pattern", "docker.io/*", "\"docker.io/*\""},
      {"a blank", "a b", "\"a b\""},
      {"a comment", "a #b", "\"a #b\""},
      {"a colon at the end", "a:", "\"a:\""},
      {"a dash in front", "-a", "\"-a\""},
      {"a quote and a backslash", "a\"\\", "\"a\\\"\\\\\""},
      {"two lines", "a\n\tb", "\"a\\n\\tb\""},
      {"control characters", "a\x01\x1f\x7f", "\"a\\x01\\x1f\\x7f\""},
      {"umlauts", "\xc3\xa4", "\"\xc3\xa4\""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    CHECK(yaml_scalar(row.text) == row.want);
    const std::string document =
        "k: " + yaml_scalar(row.text) + "\nl: " + yaml_list({row.text, "b"});
    const ParsedYaml parsed = parse_yaml(document);
    CAPTURE(parsed.failure);
    REQUIRE(parsed.root.items.size() == 2);
    CHECK(parsed.root.items[0].kind == Yaml::Kind::scalar);
    CHECK(parsed.root.items[0].text == row.text);
    REQUIRE(parsed.root.items[1].items.size() == 2);
    CHECK(parsed.root.items[1].items[0].text == row.text);
  }
}

TEST_CASE("sections and entries are indented, entries begin with a dash") {
  YamlWriter writer(false);
  writer.open_list("listen");
  for (const char* address : {"a", "b"}) {
    writer.open_item();
    writer.value("address", address);
    writer.open_section("tls");
    writer.value("key", "k");
    writer.close();
    writer.close();
  }
  writer.close();
  writer.value("drain", "1s");
  CHECK(writer.finish() ==
        "listen:\n  - address: a\n    tls:\n      key: k\n  - address: b\n    tls:\n      key: k\n"
        "drain: 1s\n");
}

TEST_CASE(
    "with comments every key is explained, and what was not written is an example at the end") {
  YamlWriter writer(true);
  writer.value("drain", "1s");
  writer.open_section("log");
  writer.value("level", "info");
  writer.close();
  const std::string text = writer.finish();
  CAPTURE(text);
  CHECK(
      text.starts_with("# How long transfers may still take after SIGTERM.\ndrain: 1s\n\n"
                       "# One line an event on standard error.\nlog:\n"));
  CHECK(text.find("\n  # text, json, or auto: text on a terminal.\n  #format: \n\n") !=
        std::string::npos);
  CHECK(text.find("\n\n# One name for what was published under several: an index of its own.\n"
                  "#images: {docker.io/me/app: {") != std::string::npos);
  CHECK(text.find("#drain") == std::string::npos);
}

}  // namespace
}  // namespace archway::proxy
